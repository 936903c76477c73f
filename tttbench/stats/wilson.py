"""Wilson's score interval for a proportion of independent samples. Knows two counts."""

from __future__ import annotations

import math
from statistics import NormalDist

from tttbench.stats.interval import Interval


def wilson_interval(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Return successes/n with Wilson's score interval (Wilson 1927), which is never empty, even at 0 or n successes.

    Args:
        successes: 0 to n.
        n: number of independent samples; with 0 the estimate is nan and the interval [0, 1].
        level: confidence level in (0, 1).

    Raises:
        ValueError: the counts do not make a proportion.
    """
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion.")
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0, level)
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    proportion = successes / n
    centre = proportion + z * z / (2 * n)
    half_width = z * math.sqrt(proportion * (1.0 - proportion) / n + z * z / (4 * n * n))
    scale = 1.0 + z * z / n
    # At the ends the formula gives exactly 0 or 1; rounding must not leave 1e-17 there.
    low = 0.0 if successes == 0 else (centre - half_width) / scale
    high = 1.0 if successes == n else (centre + half_width) / scale
    return Interval(proportion, low, high, level)
