"""The interval of a corpus value, by the method that suits its rows. Knows arrays alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from tttbench.stats.bootstrap import ratio_interval
from tttbench.stats.interval import Interval
from tttbench.stats.wilson import clustered_wilson_interval, wilson_interval


def corpus_interval(
    numerators: npt.ArrayLike,
    denominators: npt.ArrayLike,
    *,
    seed: int,
    n_resamples: int = 2000,
    level: float = 0.95,
    clusters: Sequence[Hashable] | None = None,
) -> Interval:
    """Return sum of numerators / sum of denominators with its interval.

    Verdicts (0 or 1, of 1) make a proportion and take Wilson's interval, with clusters that of the effective number of
    samples; few of them, or nearly all right, are too coarse to resample. All else is bootstrapped. Counts out of
    counts that add up to none or to all show no spread to resample; they take Wilson's interval as if all units (words)
    were independent, which is the least uncertainty that there can be.

    Args:
        numerators, denominators: shape (n,).
        seed, n_resamples, level, clusters: as in ``ratio_interval``, whose errors it raises.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if above.size and above.shape == below.shape and (below == 1).all() and np.isin(above, (0.0, 1.0)).all():
        return clustered_wilson_interval(above, range(len(above)) if clusters is None else clusters, level=level)
    found = ratio_interval(above, below, seed=seed, n_resamples=n_resamples, level=level, clusters=clusters)
    if found.low == found.high and found.estimate in (0.0, 1.0) and (below == np.floor(below)).all():
        return wilson_interval(int(above.sum()), int(below.sum()), level=level)
    return found
