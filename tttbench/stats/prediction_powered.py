"""A mean of verdicts by a judge, corrected by a person's labels of some of them: prediction-powered inference.

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023, "Prediction-powered inference" (Science 382): the mean of all
predictions plus the mean error (label minus prediction) of those that were labeled, which is right on average however
wrong the predictions are. Knows numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tttbench.core.metric import MetricInfo
from tttbench.stats.bootstrap import cluster_sums
from tttbench.stats.corpus import FEWEST_UNITS, corpus_interval, number_of_units
from tttbench.stats.interval import Interval
from tttbench.stats.student import student_quantile

Floats = npt.NDArray[np.float64]


def corrected_mean(
    info: MetricInfo,
    predicted: npt.ArrayLike,
    open_: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    seed: int,
    level: float = 0.95,
    clusters: Sequence[Hashable] | None = None,
) -> Interval:
    """Return the mean of what a person would have said of all answers, with its interval.

    Two things are unknown. What the judge gets wrong of these answers on average: estimated from those that were
    labeled, which were drawn at random from the open ones; its interval shrinks by sqrt(1 - n/N), as those that were
    labeled are known. And how far these answers stand for all that there might have been: a proportion's (Wilson's) or
    mean's interval of as many labels. Both are independent, and are put together as Zou and Donner 2008
    ("Construction of confidence limits about effect measures", MOVER) do, lower and upper distance each by itself.

    Args:
        info: of the metric: its range, and whether its values are verdicts.
        predicted: the judge's value of each answer, shape (N,), finite.
        open_: which of them a label could have been drawn of, shape (N,): those of the others are certain (an answer
            that isn't there is wrong).
        labels: a person's value where there is one, else NaN, shape (N,).
        seed: of the bootstrap of errors that aren't verdicts.
        level: confidence level in (0, 1).
        clusters: one label per answer; None: each stands for itself.

    Returns:
        The corrected mean and its interval, within the metric's range; nan bounds with fewer than eight labels, or
        clusters of them.

    Raises:
        ValueError: no label, a label of an answer that isn't open, or shapes that differ.
    """
    judged, person = np.asarray(predicted, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    is_open = np.asarray(open_, dtype=bool)
    if not judged.shape == person.shape == is_open.shape or judged.ndim != 1:
        raise ValueError(f"shapes {judged.shape}, {is_open.shape} and {person.shape} must be equal, (n,).")
    is_labeled = np.isfinite(person)
    if not is_labeled.any() or (is_labeled & ~is_open).any():
        raise ValueError("there must be labels, and only of open answers.")
    errors = (person - judged)[is_labeled]
    share_open, n_open, n_labeled = float(is_open.mean()), int(is_open.sum()), len(errors)
    estimate = float(judged.mean() + share_open * errors.mean())
    own = None if clusters is None else [clusters[at] for at in np.flatnonzero(is_labeled).tolist()]
    if number_of_units(n_labeled, own) < FEWEST_UNITS:
        return Interval(_clipped(estimate, info), math.nan, math.nan, level)
    reach = info.most - info.least
    differences = MetricInfo("error", direction="none", aggregation="value", lowest=-reach, highest=reach)
    error = corpus_interval(differences, errors, np.ones(n_labeled), seed=seed, level=level, clusters=own)
    known = share_open * math.sqrt(1 - n_labeled / n_open)
    drawn = _of_all(info, _clipped(estimate, info), person[is_labeled], judged, is_open, clusters, level)
    low = estimate - math.hypot(known * (error.estimate - error.low), drawn.estimate - drawn.low)
    high = estimate + math.hypot(known * (error.high - error.estimate), drawn.high - drawn.estimate)
    found = Interval(estimate, low, high, level).within(info.least, info.most)
    return Interval(_clipped(found.estimate, info), found.low, found.high, level)


def _of_all(
    info: MetricInfo,
    estimate: float,
    labels: Floats,
    judged: Floats,
    is_open: npt.NDArray[np.bool_],
    clusters: Sequence[Hashable] | None,
    level: float,
) -> Interval:
    """The interval that the mean would have if every answer had a label: how far these answers stand for others."""
    n, degrees = _effective(judged, clusters)
    probability = (1.0 + level) / 2.0
    z = NormalDist().inv_cdf(probability) if degrees is None else student_quantile(probability, degrees)
    if info.aggregation == "binary":
        middle = (estimate + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(estimate * (1 - estimate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return Interval(estimate, min(estimate, middle - half), max(estimate, middle + half), level)
    share = float(is_open.mean())
    fixed = float((judged[~is_open] ** 2).sum()) / len(judged)
    variance = max(0.0, share * float((labels**2).mean()) + fixed - estimate**2)
    half = student_quantile(probability, max(1, min(len(labels), int(n)) - 1)) * math.sqrt(variance / n)
    return Interval(estimate, estimate - half, estimate + half, level)


def _effective(values: Floats, clusters: Sequence[Hashable] | None) -> tuple[float, int | None]:
    """How many independent answers say as much as these (Kish 1965), and the degrees of freedom of that; None: many."""
    n = len(values)
    if clusters is None or len(set(clusters)) == n:
        return float(n), None
    sums = cluster_sums(np.stack([values - values.mean(), np.ones_like(values)], axis=1), clusters)
    c, spread = len(sums), float(values.var())
    if spread == 0.0 or c == 1:
        return float(c), max(1, c - 1)
    variance = float(sums[:, 0] @ sums[:, 0]) * c / (c - 1) / n**2
    return (min(float(n), spread / variance) if variance > 0 else float(n)), c - 1


def _clipped(value: float, info: MetricInfo) -> float:
    return min(max(value, info.least), info.most)
