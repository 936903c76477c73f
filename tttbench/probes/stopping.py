"""When a point of a probe has been measured enough: pure rules on numbers, no clock.

A point ends as soon as its median latency is known precisely, or when it has used its share of the time. Whatever a
finished point leaves of its share is divided among those that still run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tttbench.stats.median import median_interval

CONFIDENCE = 0.95

Ended = Literal["precision", "budget", "repeats", "failed", "interrupted"]
"""What ended a point: its interval was narrow, its time was over, it had the repeats asked for, no request of it was
answered, or the user stopped the probe."""


@dataclass(frozen=True)
class Stopping:
    """How long to measure.

    Attributes:
        precision: a point ends when the 95 % interval of its median latency is narrower than this share of it.
        budget_s: seconds for all points together, warm-up included; no repeat begins after a point's share of them.
        least: repeats that every point gets in any case.
        repeats: exactly so many for every point, in place of precision and budget; None for those.
    """

    precision: float = 0.05
    budget_s: float = 60.0
    least: int = 3
    repeats: int | None = None


def narrow(latencies_s: Sequence[float], precision: float) -> bool:
    """Whether the 95 % interval of the median is narrower than ``precision`` times the median; never below 6 values."""
    if not latencies_s:
        return False
    found = median_interval(latencies_s)
    return found.coverage >= CONFIDENCE and found.high - found.low <= precision * found.median


def share_s(budget_s: float, finished_s: Sequence[float], n_running: int) -> float:
    """Return the seconds that each of ``n_running`` points may use in all: what finished ones left, in equal parts."""
    return (budget_s - sum(finished_s)) / n_running


def ended(
    rule: Stopping, latencies_s: Sequence[float], repeats: int, spent_s: float, may_spend_s: float
) -> Ended | None:
    """Return what ends a point now; None if it goes on.

    Args:
        rule: how long to measure.
        latencies_s: of those repeats in which a request was answered.
        repeats: all that were made.
        spent_s: seconds that the point has used.
        may_spend_s: its share.
    """
    if rule.repeats is not None:
        return "repeats" if repeats >= rule.repeats else None
    if repeats < rule.least:
        return None
    if not latencies_s:
        return "failed"
    if narrow(latencies_s, rule.precision):
        return "precision"
    return "budget" if spent_s >= may_spend_s else None
