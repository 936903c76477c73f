"""Verdicts and results of a gate that tests of its words and formats start from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tttbench.core.metric import MetricInfo
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict

PERCENT = MetricInfo("Accuracy", unit="%", scale=100.0, direction="higher", aggregation="binary")
RATE = MetricInfo("Word error rate", unit="%", scale=100.0, direction="lower", aggregation="rate")
QUALITY = QualityVerdict(
    "sys", "task", "accuracy", PERCENT,
    baseline=0.9, run=0.8, difference=-0.1, low=-0.2, high=0.01,
    n=100, n_units=100, n_unknown=0, only_baseline=12, only_run=2,
    p_value=0.04, p_adjusted=0.08, margin=0.05, detectable=0.15, gates=True, is_identical=False, verdict="cannot tell",
)  # fmt: skip
SPEED = SpeedVerdict(
    "sys", "task", "ttft", "s",
    baseline=0.1, run=0.2, factor=2.0, low=1.5, high=2.5, n=30, measured="runs", p_value=0.002, p_adjusted=0.004,
    limit=1.2, detectable=1.3, calibration=1.0, busy="", gates=True, verdict="worse",
)  # fmt: skip

COULD = (
    "Smallest worsening that it would have shown, with a power of 95 %: 15.0 points (accuracy of sys on task, n = 100)."
)
"""What a gate of ``QUALITY`` alone says when it passes."""


def result(*verdicts: QualityVerdict | SpeedVerdict, **given: Any) -> GateResult:
    quality = tuple(one for one in verdicts if isinstance(one, QualityVerdict))
    speed = tuple(one for one in verdicts if isinstance(one, SpeedVerdict))
    plain = GateResult("pass", "base", "now", (), (), (), quality, speed, (), 0.01, 0.95)
    return replace(plain, **given)
