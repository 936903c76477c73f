"""Metrics of every kind, as the tests of intervals and comparisons take them."""

from tttbench.core.metric import MetricInfo

VERDICTS = MetricInfo("Right", unit="%", scale=100, aggregation="binary", lowest=0, highest=1)
ERRORS = MetricInfo("Error rate", unit="%", scale=100, direction="lower", aggregation="rate", lowest=0)
AGREEMENT = MetricInfo("Agreement", unit="%", scale=100, aggregation="rate", lowest=0, highest=1)
GAP = MetricInfo("Gap", unit="points", scale=100, direction="none", lowest=-1, highest=1)
OPINION = MetricInfo("Opinion", unit="MOS", lowest=1, highest=5)
LEVEL = MetricInfo("Level", unit="dBFS", direction="none", highest=0)
"""Without a lowest end."""
