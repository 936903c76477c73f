"""From scores of single answers to one corpus value. Knows scores and intervals; no scorer in particular.

Nothing is dropped: every score is counted by status. One without an answer counts as wrong; one whose derivation failed
is outside the denominator, since that isn't the system's fault. What the value would be if all such requests had been
right, or all wrong, stands beside it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo, Result, Score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.stats.corpus import corpus_interval, number_of_units

NOT_KNOWN: frozenset[Status] = frozenset({"unparsed", "derivation_failed", "error"})
"""Statuses of requests whose answer is not known. An empty answer is known: it is wrong under every policy."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """A sample and one scorer's verdict on a system's answer to it; with repeats a sample has several."""

    sample: Sample
    score: Score


@dataclass(frozen=True)
class Cell:
    """Which corpus value: a score of a system on a task, what the metric is, and how its scores were made.

    ``unit`` is what a sample is, ``cluster`` what those with the same ``Sample.cluster`` share.
    """

    system: str
    task: str
    score: str
    info: MetricInfo
    recipe: Recipe
    unit: str = "sample"
    cluster: str = "cluster"


def aggregate(cell: Cell, scored: Sequence[Scored], *, seed: int, n_resamples: int = 2000) -> Result:
    """Aggregate the scores of one cell.

    ``rate`` is the sum of numerators over the sum of denominators; ``binary`` and ``value`` are means. The interval is
    the 95 % one of ``tttbench.stats.corpus``, over samples, or over clusters where samples share ``Sample.cluster`` or
    have several answers; it stays within the metric's range.

    Args:
        cell: what is aggregated.
        scored: one per answer, in any order; at least one.
        seed: of the bootstrap; the same seed and scores give the same interval.
        n_resamples: resamples of the bootstrap.

    Returns:
        The result. ``value`` and bounds are nan where there is nothing to compute them from (no reference words, or too
        few samples for the bounds). Scores that are nan are counted but have no part in the value.

    Raises:
        ValueError: no scores.
    """
    if not scored:
        raise ValueError(f"aggregate() needs scores; {cell.system} has none for {cell.score} on {cell.task}.")
    scores = [item.score for item in scored]
    numerators = np.array([score.numerator for score in scores])
    denominators = np.array([score.denominator for score in scores])
    unknown = np.array([score.status in NOT_KNOWN for score in scores])
    counted = np.isfinite(numerators) & np.array([score.status != "derivation_failed" for score in scores])
    labels = cluster_labels([scored[i].sample for i in np.flatnonzero(counted).tolist()])
    interval = corpus_interval(
        cell.info, numerators[counted], denominators[counted], seed=seed, n_resamples=n_resamples, clusters=labels
    )
    ends = _ends(cell.info, numerators[counted])
    bounds = [_if_unknown_were(numerators, denominators, unknown, value) for value in ends]
    best, worst = (min(bounds), max(bounds)) if cell.info.lower_is_better else (max(bounds), min(bounds))
    counts = Counter(score.status for score in scores)
    unit, cluster = _units(cell, [item.sample for item in scored])
    return Result(
        system=cell.system,
        task=cell.task,
        metric=cell.score,
        value=interval.estimate,
        ci_low=interval.low,
        ci_high=interval.high,
        n=len(scores),
        ok=counts["ok"],
        empty=counts["empty"],
        unparsed=counts["unparsed"],
        derivation_failed=counts["derivation_failed"],
        error=counts["error"],
        recipe=cell.recipe,
        value_best=best,
        value_worst=worst,
        n_units=number_of_units(int(counted.sum()), labels),
        unit=unit,
        cluster=cluster,
    )


def _units(cell: Cell, samples: Sequence[Sample]) -> tuple[str, str]:
    """What a request is about, and what the requests share where they share anything."""
    unit = cell.unit if len({sample.id for sample in samples}) == len(samples) else "answer"
    if cluster_labels(samples) is None:
        return unit, ""
    return unit, cell.cluster if any(sample.cluster for sample in samples) else cell.unit


def cluster_labels(samples: Sequence[Sample]) -> list[tuple[str, str]] | None:
    """Return one label per sample, samples without a cluster each their own; None if no two samples share one."""
    labels = [("cluster", sample.cluster) if sample.cluster else ("sample", sample.id) for sample in samples]
    return labels if len(set(labels)) < len(labels) else None


def _ends(info: MetricInfo, known: Floats) -> tuple[float, float]:
    """The two values that an unknown answer could have had: the ends of the range, or of what was seen."""
    if info.aggregation != "value":
        return 0.0, 1.0
    seen = (float(known.min()), float(known.max())) if known.size else (float("nan"), float("nan"))
    return (
        info.least if math.isfinite(info.least) else seen[0],
        info.most if math.isfinite(info.most) else seen[1],
    )


def _if_unknown_were(numerators: Floats, denominators: Floats, unknown: npt.NDArray[np.bool_], value: float) -> float:
    units = np.where(np.isfinite(denominators), denominators, 0.0)
    replaced = np.where(unknown, value * units, numerators)
    known = np.isfinite(replaced)
    total = units[known].sum()
    return float(replaced[known].sum() / total) if total else float("nan")
