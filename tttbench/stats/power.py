"""The smallest difference that a comparison would find: minimal detectable effects. Knows counts and spreads."""

from __future__ import annotations

import math
from statistics import NormalDist


def detectable_difference(standard_error: float, *, level: float = 0.95, power: float = 0.8) -> float:
    """Return the true difference that a two-sided test at ``1 - level`` finds with probability ``power``.

    Args:
        standard_error: of the estimated difference, e.g. the standard deviation of its bootstrap replicates.
        level, power: in (0, 1).
    """
    normal = NormalDist()
    return (normal.inv_cdf((1.0 + level) / 2.0) + normal.inv_cdf(power)) * standard_error


def detectable_accuracy_difference(n: int, discordant: float, *, level: float = 0.95, power: float = 0.8) -> float:
    """Return the smallest difference of two accuracies on the same ``n`` samples that McNemar's test finds.

    Solves Connor's (1987) sample size n = (z_a sqrt(q) + z_b sqrt(q - d^2))^2 / d^2 for d, by bisection.

    Args:
        n: number of samples, >= 1.
        discordant: expected share q of samples on which exactly one system is right, in (0, 1].
        level, power: in (0, 1).

    Returns:
        The difference d, in (0, q]; nan if even d = q (all discordant samples on one side) is too small for ``n``.

    Raises:
        ValueError: ``n`` or ``discordant`` out of range.
    """
    if n < 1 or not 0.0 < discordant <= 1.0:
        raise ValueError(f"n must be >= 1 and the discordant share in (0, 1], not {n} and {discordant}.")
    normal = NormalDist()
    z_alpha, z_beta = normal.inv_cdf((1.0 + level) / 2.0), normal.inv_cdf(power)

    def needed(difference: float) -> float:
        spread = z_alpha * math.sqrt(discordant) + z_beta * math.sqrt(discordant - difference**2)
        return (spread / difference) ** 2

    if needed(discordant) > n:
        return float("nan")
    low, high = 0.0, discordant
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if needed(middle) > n else (low, middle)
    return high
