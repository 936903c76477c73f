"""Bounds where all values are equal: what as many equal values leave possible of the others. Knows numbers alone."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tttbench.stats.interval import Interval


def equal_values_interval(value: float, n: float, lowest: float, highest: float, *, level: float = 0.95) -> Interval:
    """Return the interval of the mean of a population of which ``n`` independent members were all found at ``value``.

    Equal values show no spread, which is no proof that there is none: a share of up to q = z² / (n + z²) could differ
    unseen (Wilson's bound where none of n do; from seven on it is wider than an exact one-sided test's), and lie as far
    away as the range allows. Of verdicts that are all right it is Wilson's interval.

    Args:
        value: of all of them, within the range.
        n: independent members, or their effective number, above 0.
        lowest, highest: the range; where one of them is infinite there are no bounds.
        level: confidence level in (0, 1).

    Returns:
        The value with its interval; nan bounds without a finite range.
    """
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        return Interval(value, math.nan, math.nan, level)
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    unseen = z * z / (n + z * z)
    low, high = value - unseen * (value - lowest), value + unseen * (highest - value)
    return Interval(value, min(low, value), max(high, value), level)


def effective_number(weights: npt.ArrayLike) -> float:
    """Return how many equally long units say as much as units of these lengths, shape (n,), at worst (Kish 1965).

    Where long units go wrong together, short ones say nothing of it: (sum of weights)² / sum of squares.
    """
    lengths = np.asarray(weights, dtype=np.float64)
    return float(lengths.sum() ** 2 / (lengths @ lengths))
