"""When a point of a probe has been measured enough: pure rules on numbers, no clock.

A point ends as soon as its median latency is known precisely (of requests that are generated together the median of
their calls' seconds), or when it has used its share of the time. Whatever a finished point leaves of its share is
divided among those that still run.
"""

from __future__ import annotations

import math
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
        precision: a point ends when the 95 % interval of its median is narrower than this share of it.
        budget_s: seconds for all points together, warm-up included; no repeat begins after a point's share of them.
        least: repeats that every point gets in any case.
        repeats: exactly so many for every point, in place of precision and budget; None for those.
    """

    precision: float = 0.05
    budget_s: float = 60.0
    least: int = 3
    repeats: int | None = None


FEWEST = 6
"""Values that a median's 95 % interval needs (``tttbench.stats.median``)."""


def width(values_s: Sequence[float]) -> float | None:
    """Return the width of the 95 % interval of the median over the median; None of fewer than ``FEWEST`` values."""
    found = median_interval(values_s)
    if found.coverage < CONFIDENCE:
        return None
    return 0.0 if found.high == found.low else (found.high - found.low) / found.median if found.median else math.inf


def narrow(values_s: Sequence[float], precision: float) -> bool:
    """Whether the 95 % interval of the median is narrower than ``precision`` times the median."""
    known = width(values_s) if values_s else None
    return known is not None and known <= precision


def budget_for(rule: Stopping, repeats: int, spent_s: float, known_within: float | None) -> float:
    """Return about how many seconds a point would take to end by precision: an interval's width falls with √n.

    Args:
        rule: how precisely.
        repeats: that were made.
        spent_s: seconds that they took, warm-up included.
        known_within: width of the interval that they came to, over the median; None: too few for one.
    """
    if known_within is None:
        return spent_s * FEWEST / repeats
    return spent_s * max(1.0, (known_within / rule.precision) ** 2) if rule.precision > 0 else math.inf


def share_s(budget_s: float, finished_s: Sequence[float], n_running: int) -> float:
    """Return the seconds that each of ``n_running`` points may use in all: what finished ones left, in equal parts."""
    return (budget_s - sum(finished_s)) / n_running


def ended(rule: Stopping, values_s: Sequence[float], repeats: int, spent_s: float, may_spend_s: float) -> Ended | None:
    """Return what ends a point now; None if it goes on.

    Args:
        rule: how long to measure.
        values_s: latencies, or seconds of all calls, of those repeats in which a request was answered.
        repeats: all that were made.
        spent_s: seconds that the point has used.
        may_spend_s: its share.
    """
    if rule.repeats is not None:
        return "repeats" if repeats >= rule.repeats else None
    if repeats < rule.least:
        return None
    if not values_s:
        return "failed"
    if narrow(values_s, rule.precision):
        return "precision"
    return "budget" if spent_s >= may_spend_s else None
