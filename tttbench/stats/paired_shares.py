"""The interval of a difference of two shares of the same samples. Knows differences of verdicts: -1, 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tttbench.stats.bootstrap import cluster_sums
from tttbench.stats.equal import effective_number
from tttbench.stats.interval import Interval
from tttbench.stats.student import student_quantile

Floats = npt.NDArray[np.float64]


def paired_shares_interval(
    differences: npt.ArrayLike, *, level: float = 0.95, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """Return the mean of differences of verdicts with its interval.

    Bonett and Price's (2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data"): one sample more that only the first got right, and one that only the second did, before the standard
    error is taken. It holds with ten samples, and has width where all differences are equal. Where samples share
    clusters, their number is the effective one that the clusters' spread shows (Kish 1965), never more than there are,
    and Student's quantile takes the place of the normal one, as in ``tttbench.stats.wilson``.

    Args:
        differences: shape (n,), each -1, 0 or 1, n >= 1.
        level: confidence level in (0, 1).
        clusters: one label per difference; None: each stands for itself.

    Returns:
        The mean with bounds within -1 and 1; nan bounds with a single cluster.

    Raises:
        ValueError: no differences, others than -1, 0 and 1, or labels of another length.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isin(values, (-1.0, 0.0, 1.0)).all():
        raise ValueError("differences of verdicts must be -1, 0 or 1, shape (n,), n >= 1.")
    n, mean = float(len(values)), float(values.mean())
    quantile = NormalDist().inv_cdf((1.0 + level) / 2.0)
    if clusters is not None:
        sums = cluster_sums(np.stack([values - mean, np.ones_like(values)], axis=1), clusters)
        c = len(sums)
        if c == 1:
            return Interval(mean, math.nan, math.nan, level)
        if c < n:
            n = _effective(values, *sums.T)
            quantile = student_quantile((1.0 + level) / 2.0, c - 1)
    above, below = ((values == one).mean() * n for one in (1.0, -1.0))
    up, down = (above + 1) / (n + 2), (below + 1) / (n + 2)
    centre = up - down
    half = quantile * math.sqrt((up + down - centre**2) / (n + 2))
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return Interval(mean, min(low, mean), max(high, mean), level)


def _effective(values: Floats, residuals: Floats, sizes: Floats) -> float:
    """The number of independent samples whose mean would be as uncertain; each cluster one where nothing varies."""
    c = len(residuals)
    spread = float(values.var())
    if spread == 0.0:
        return effective_number(sizes)
    variance = float(residuals @ residuals) * c / (c - 1) / len(values) ** 2
    return min(float(len(values)), spread / variance) if variance > 0 else float(len(values))
