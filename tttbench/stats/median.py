"""How sure one can be of a median, by order statistics. Knows nothing of what the values measure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MedianInterval:
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


def median_interval(values: Sequence[float]) -> MedianInterval:
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
    return MedianInterval(statistics.median(ordered), ordered[drop], ordered[n - 1 - drop], 1 - outside, n)
