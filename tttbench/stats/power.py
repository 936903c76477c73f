"""The smallest difference that a comparison would find: minimal detectable effects. Knows counts and spreads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class PairedPower:
    """What a paired comparison rests on.

    Attributes:
        n_units: samples, or clusters, that are swapped (``tttbench.stats.permutation``).
        total: reference units (words, or samples for accuracies) of all of them: a unit that gets one more edit, or one
            more wrong answer, adds 1 / total.
        noise: standard error of the difference as it comes from answers that merely changed, 0 if none did.
        unit: by how much a unit that gets worse does so, in edits or wrong answers.
    """

    n_units: int
    total: float
    noise: float
    unit: float = 1.0


def detectable_paired_difference(
    basis: PairedPower, *, level: float, power: float = 0.95, margin: float = 0.0
) -> float:
    """Return the smallest true worsening that the test finds, and that comes out above ``margin``, with ``power``.

    A worsening d is thought of as d * total / unit units that each lose ``unit``; which ones, is chance, so it brings
    a variance of d * unit / total of its own beside the noise's. Found is what lies the test's and the power's normal
    quantiles away from 0, and the power's from the margin, and hits as many units as the exact test needs.

    Args:
        basis: what is compared.
        level: of the test, two-sided, e.g. 0.95; with several metrics that of the strictest (Bonferroni).
        power: in (0, 1).
        margin: smallest worsening that counts, >= 0.

    Returns:
        The difference; nan where not even all units together, each losing ``unit``, would be found.
    """
    normal = NormalDist()
    z_test, z_power = normal.inv_cdf((1.0 + level) / 2.0), normal.inv_cdf(power)
    spread = basis.unit / basis.total
    fewest = _fewest_units(1.0 - level)
    if fewest > basis.n_units:
        return float("nan")

    def is_found(d: float) -> bool:
        variance = basis.noise**2 + d * spread
        by_power = z_power * math.sqrt(max(0.0, variance - d * d / basis.n_units))
        # An exact test is as strict as one with a correction for continuity, which is one unit. Where nothing changes
        # but for the worse, the number of units below says it exactly.
        by_test = spread + z_test * math.sqrt(variance) if basis.noise else 0.0
        return d >= max(by_test, margin) + by_power

    most = basis.n_units * spread
    if not is_found(most):
        return float("nan")
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return max(high, _share_that_hits(basis.n_units, fewest, power) * most)


def _fewest_units(alpha: float) -> int:
    """So many units that all get worse have a two-sided p-value of at most ``alpha``: 2 / 2^k."""
    return math.ceil(1.0 - math.log2(alpha) - 1e-12)


def _share_that_hits(n: int, fewest: int, power: float) -> float:
    """The share s with P(Binomial(n, s) >= fewest) = power, for fewest <= n."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _at_least(n, middle, fewest) < power else (low, middle)
    return high


def _at_least(n: int, share: float, fewest: int) -> float:
    """P(Binomial(n, share) >= fewest)."""
    if share <= 0.0 or share >= 1.0:
        return float(share >= 1.0)
    terms = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(share)
        + (n - k) * math.log1p(-share)
        for k in range(fewest)
    )  # fmt: skip
    return max(0.0, 1.0 - math.fsum(math.exp(term) for term in terms))
