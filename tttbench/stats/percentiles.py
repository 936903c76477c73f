"""P50, P90 and P99 with the count that supports them. Knows a list of numbers.

A percentile is given only if at least one sample is expected beyond it: P90 needs 10 values, P99 needs 100, P50 any.
Below that it would only repeat the maximum under a grander name, so it is nan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

SMALLEST_N = {50: 1, 90: 10, 99: 100}
"""Fewest values that support each percentile."""


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of n values, in the values' unit; nan where n is too small to support one."""

    p50: float
    p90: float
    p99: float
    n: int


def percentiles(values: Iterable[float]) -> Percentiles:
    """Return P50, P90 and P99 (linear interpolation between order statistics); values that are nan are left out."""
    numbers = np.asarray(list(values), dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    n = int(numbers.size)

    def percentile(q: int) -> float:
        return float(np.percentile(numbers, q)) if n >= SMALLEST_N[q] else float("nan")

    return Percentiles(percentile(50), percentile(90), percentile(99), n)
