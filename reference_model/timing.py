"""How long calls take on a device, and how sure one can be of a median of repeats. Knows no model."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Interval:
    """A median and an interval for it that assumes nothing about the distribution.

    Attributes:
        median: of the values.
        low, high: two of the values, between which the true median lies with probability ``coverage``.
        coverage: at least 0.95 where there are six values or more; of fewer, what their range reaches.
        n: number of values.
    """

    median: float
    low: float
    high: float
    coverage: float
    n: int


def interval(values: Sequence[float]) -> Interval:
    """The median with the narrowest symmetric pair of order statistics that covers it with at least 95 %.

    The k-th smallest and k-th largest of n values enclose the median with probability
    ``1 - 2 * P(Binomial(n, 1/2) < k)``.
    """
    ordered, n = sorted(values), len(values)
    drop, outside = 0, 2.0 ** (1 - n)
    while True:
        wider = outside + 2 * math.comb(n, drop + 1) / 2**n
        if wider > 0.05 or drop + 1 >= n - 1 - drop:
            break
        drop, outside = drop + 1, wider
    return Interval(statistics.median(ordered), ordered[drop], ordered[n - 1 - drop], 1 - outside, n)


def seconds_of(call: Callable[[], object], device: str, repeats: int, warmup: int = 3) -> list[float]:
    """Seconds of each of ``repeats`` calls; on CUDA by device events, which see the device's time alone."""
    for _ in range(warmup):
        call()
    if not device.startswith("cuda"):
        taken = []
        for _ in range(repeats):
            before_s = time.perf_counter()
            call()
            taken.append(time.perf_counter() - before_s)
        return taken
    import torch

    make: Callable[..., torch.cuda.Event] = torch.cuda.Event
    marks = [make(enable_timing=True) for _ in range(repeats + 1)]
    marks[0].record()
    for mark in marks[1:]:
        call()
        mark.record()
    torch.cuda.synchronize()
    return [before.elapsed_time(after) / 1000 for before, after in pairwise(marks)]
