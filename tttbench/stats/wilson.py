"""Wilson's score interval for a proportion, of independent samples or of clusters. Knows counts and verdicts."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tttbench.stats.equal import effective_number
from tttbench.stats.interval import Interval
from tttbench.stats.student import student_quantile


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
    return _score_interval(successes / n, n, NormalDist().inv_cdf((1.0 + level) / 2.0), level)


def clustered_wilson_interval(
    verdicts: npt.ArrayLike, clusters: Sequence[Hashable], *, level: float = 0.95
) -> Interval:
    """Return the share of verdicts that are true, with Wilson's interval of the effective number of samples.

    Verdicts of one cluster say less than as many independent ones. The effective number is that of independent samples
    whose proportion would be as uncertain as the clusters' spread shows (Kish 1965), never more than there are; the
    normal quantile becomes Student's with one degree of freedom less than clusters. Dean & Pagano 2015, "Evaluating
    confidence interval methods for binomial proportions in clustered surveys", and Franco et al. 2019, "Comparative
    study of confidence intervals for proportions in complex sample surveys", find it among the best. Where all verdicts
    are equal nothing shows how alike those of a cluster are, and each cluster counts as one sample (as less where a few
    are much larger than the others, ``tttbench.stats.equal``).

    Args:
        verdicts: shape (n,), true or false.
        clusters: one label per verdict; if no two are equal, the interval is ``wilson_interval``'s.
        level: confidence level in (0, 1).

    Returns:
        The share with its interval; nan and [0, 1] without verdicts, nan bounds with a single cluster of several.

    Raises:
        ValueError: labels of another length.
    """
    right = np.asarray(verdicts, dtype=bool)
    n = len(right)
    if len(clusters) != n:
        raise ValueError(f"{len(clusters)} cluster labels for {n} verdicts.")
    labels, numbers = np.unique(_numbered(clusters), return_inverse=True)
    c = len(labels)
    if c == n:
        return wilson_interval(int(right.sum()), n, level=level)
    share = float(right.mean())
    if c == 1:
        return Interval(share, float("nan"), float("nan"), level)
    if share in (0.0, 1.0):
        sizes = np.bincount(numbers, minlength=c)
        return _score_interval(share, effective_number(sizes), NormalDist().inv_cdf((1.0 + level) / 2.0), level)
    residuals = np.bincount(numbers, weights=right - share, minlength=c)
    variance = float(residuals @ residuals) * c / (c - 1) / n**2
    effective = min(float(n), share * (1.0 - share) / variance) if variance > 0 else float(n)
    return _score_interval(share, effective, student_quantile((1.0 + level) / 2.0, c - 1), level)


def _score_interval(proportion: float, n: float, z: float, level: float) -> Interval:
    centre = proportion + z * z / (2 * n)
    half_width = z * math.sqrt(proportion * (1.0 - proportion) / n + z * z / (4 * n * n))
    scale = 1.0 + z * z / n
    # At the ends the formula gives exactly 0 or 1; rounding must not leave 1e-17 there.
    low = 0.0 if proportion == 0.0 else (centre - half_width) / scale
    high = 1.0 if proportion == 1.0 else (centre + half_width) / scale
    return Interval(proportion, low, high, level)


def _numbered(labels: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]
