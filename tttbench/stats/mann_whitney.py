"""Mann and Whitney's test: does one set of measurements tend to larger values? Knows two lists of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

_MOST_EXACT = 400
"""Up to this product of the sizes, without ties, all arrangements are counted; beyond it the normal distribution is as
good."""


@dataclass(frozen=True)
class MannWhitney:
    """The outcome.

    Attributes:
        u: pairs (one of a, one of b) in which a is larger; a tie counts half.
        p_value: two-sided, of "neither tends to be larger".
        superiority: share of pairs in which a is larger, ties half; 0.5 where neither tends to be.
    """

    u: float
    p_value: float
    superiority: float


def mann_whitney(a: npt.ArrayLike, b: npt.ArrayLike) -> MannWhitney:
    """Compare independent measurements, shapes (n,) and (m,).

    The p-value is exact where there are no ties and n * m is at most 400, else that of the normal distribution with
    corrections for ties and continuity.

    Raises:
        ValueError: one of them is empty or holds something that isn't a finite number.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if one.ndim != 1 or other.ndim != 1 or not len(one) or not len(other):
        raise ValueError(f"both need at least one measurement, shape (n,), not {one.shape} and {other.shape}.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("measurements must be finite numbers.")
    n, m = len(one), len(other)
    ordered = np.sort(other)
    below = np.searchsorted(ordered, one, side="left")
    not_above = np.searchsorted(ordered, one, side="right")
    u = float((below + not_above).sum() / 2)
    _, ties = np.unique(np.concatenate([one, other]), return_counts=True)
    exact = n * m <= _MOST_EXACT and int(ties.max()) == 1
    p_value = _exact(u, n, m) if exact else _normal(u, n, m, ties.tolist())
    return MannWhitney(u, p_value, u / (n * m))


def _exact(u: float, n: int, m: int) -> float:
    """Twice the share of arrangements with a U at least as far out; U is symmetric about n m / 2."""
    counts = _arrangements(n, m)
    far = min(int(u), n * m - int(u))
    return min(1.0, 2.0 * sum(counts[: far + 1]) / math.comb(n + m, n))


def _arrangements(n: int, m: int) -> list[int]:
    """How many of the arrangements of n and m values have U = 0, 1, … n m: the Gaussian binomial's coefficients."""
    counts = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        # Times (1 - q^(m+i)), over (1 - q^i).
        for k in range(n * m, m + i - 1, -1):
            counts[k] -= counts[k - m - i]
        for k in range(i, n * m + 1):
            counts[k] += counts[k - i]
    return counts


def _normal(u: float, n: int, m: int, ties: Sequence[int]) -> float:
    total = n + m
    tied = sum(t**3 - t for t in ties)
    variance = n * m / 12 * (total + 1 - tied / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(u - n * m / 2) - 0.5) / math.sqrt(variance)
    return min(1.0, 2.0 * NormalDist().cdf(-z))
