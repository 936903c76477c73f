"""Two ways to do the same work, timed interleaved. Knows no model and no device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tttbench.stats.median import MedianInterval, median_interval


@dataclass(frozen=True)
class Comparison:
    """Two ways to do the same work; each call does it once and returns the seconds it took.

    Attributes:
        name: key of the ratio.
        title: what is done, for a reader.
        slow, fast: names of the two ways; the ratio is the seconds of ``slow`` over those of ``fast``.
        goal: what the ratio should reach.
        warm_up: run once before anything is timed; None runs a pair that isn't counted.
    """

    name: str
    title: str
    slow: str
    run_slow: Callable[[], float]
    fast: str
    run_fast: Callable[[], float]
    goal: float | None = None
    warm_up: Callable[[], object] | None = None


@dataclass(frozen=True)
class Compared:
    """A comparison's outcome; seconds, and their ratio pair by pair."""

    name: str
    title: str
    slow: str
    fast: str
    slow_s: MedianInterval
    fast_s: MedianInterval
    ratio: MedianInterval
    goal: float | None


def compare(
    comparison: Comparison, repeats: int, budget_s: float, clock: Callable[[], float] = time.perf_counter
) -> Compared:
    """Time both ways interleaved, so that whatever else the machine does meets both.

    Args:
        comparison: the work.
        repeats: pairs that are counted.
        budget_s: no pair begins after so many seconds, the warm-up's included; one pair is counted in any case.
        clock: monotonic seconds.
    """
    began_s = clock()
    if comparison.warm_up is None:
        comparison.run_fast()
        comparison.run_slow()
    else:
        comparison.warm_up()
    slow_s: list[float] = []
    fast_s: list[float] = []
    while len(slow_s) < repeats and (not slow_s or clock() - began_s < budget_s):
        # The order alternates, so that a machine that warms up or slows down favours neither.
        if len(slow_s) % 2:
            slow_s.append(comparison.run_slow())
            fast_s.append(comparison.run_fast())
        else:
            fast_s.append(comparison.run_fast())
            slow_s.append(comparison.run_slow())
    ratios = [slow / fast for slow, fast in zip(slow_s, fast_s, strict=True)]
    return Compared(
        comparison.name,
        comparison.title,
        comparison.slow,
        comparison.fast,
        median_interval(slow_s),
        median_interval(fast_s),
        median_interval(ratios),
        comparison.goal,
    )
