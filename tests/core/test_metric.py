"""How a metric writes its values, what its range is, and which scores it takes."""

import math

import pytest

from tttbench.core.metric import MetricInfo, Score, plain_score, score_fault

SHARE = MetricInfo("Share", unit="%", scale=100, aggregation="binary")
GAP = MetricInfo("Gap", unit="points", scale=100, direction="none", lowest=-1, highest=1)
MOS = MetricInfo("Opinion", unit="MOS", lowest=1, highest=5)
PERCENT = MetricInfo("Share", unit="%", lowest=0, highest=100)
"""In per cent already."""
RATE = MetricInfo("Rate", direction="lower", aggregation="rate")


@pytest.mark.parametrize(
    ("info", "value", "text", "signed"),
    [
        (SHARE, 0.0525, "5.2", "+5.2"),
        (SHARE, -0.0004, "0.0", "+0.0"),
        (SHARE, 3.562, "356.2", "+356.2"),
        (GAP, -0.3, "-30.0", "-30.0"),
        (MOS, 4.5, "4.5", "+4.5"),
        (MOS, 4.51239, "4.512", "+4.512"),
        (MOS, 0.0, "0", "+0"),
        (PERCENT, 45.25, "45.2", "+45.2"),
        (MetricInfo("Length", unit="ms", scale=1000), 0.1234567, "123.5", "+123.5"),
        (MetricInfo("Length"), 123456.7, "123457", "+123457"),
        (MetricInfo("Length"), -9999.6, "-10000", "-10000"),
        (MetricInfo("Length"), 0.000123456, "0.0001235", "+0.0001235"),
        (MetricInfo("Length"), math.inf, "inf", "+inf"),
        (MOS, math.nan, "-", "-"),
    ],
)
def test_values_are_written_in_the_metric_s_own_unit(info: MetricInfo, value: float, text: str, signed: str) -> None:
    assert (info.text(value), info.text(value, signed=True)) == (text, signed)


def test_a_difference_of_shares_is_in_points() -> None:
    assert [one.difference_unit for one in (SHARE, GAP, MOS, RATE)] == ["points", "points", "MOS", ""]


def test_the_range_is_what_is_said_or_what_the_kind_has() -> None:
    found = [(one.least, one.most) for one in (SHARE, GAP, MOS, RATE, MetricInfo("v"))]
    assert found == [(0, 1), (-1, 1), (1, 5), (0, math.inf), (-math.inf, math.inf)]


def test_which_way_is_worse() -> None:
    assert (SHARE.is_worse(-0.1), SHARE.is_worse(0.1), SHARE.is_worse(0.0)) == (True, False, False)
    assert (RATE.is_worse(-0.1), RATE.is_worse(0.1), RATE.is_worse(0.0)) == (False, True, False)


@pytest.mark.parametrize(
    ("info", "score", "fault"),
    [
        (SHARE, plain_score(0.5), "a binary score is 0 or 1, not 0.5; with values between, the aggregation is 'value'"),
        (SHARE, plain_score(2.0), "the value 2.0 lies outside of the metric's range, 0 to 1"),
        (RATE, Score(-0.5, -1, 2, "ok"), "the value -0.5 lies outside of the metric's range, 0 to …"),
        (MOS, Score(4.0, 8, 2, "ok"), "only a rate has parts: the numerator must be the value, 4.0, and the denom"),
        (RATE, Score(4.0, 8, 2, "ok"), ""),
        (SHARE, plain_score(True), ""),
        (MOS, plain_score(4.5), ""),
    ],
)
def test_a_score_is_of_its_metric_s_kind(info: MetricInfo, score: Score, fault: str) -> None:
    found = score_fault(score, info)
    assert found.startswith(fault)
    assert bool(found) is bool(fault)
