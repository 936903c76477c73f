"""From scores of single answers to one corpus value. Knows scores and intervals; no scorer in particular.

Nothing is dropped: every score is counted by status. One without an answer counts as wrong; one whose derivation failed
is outside the denominator, since that isn't the system's fault. What the value would be if all such requests had been
right, or all wrong, stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo, Result, Score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.stats.bootstrap import mean_interval
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.interval import Interval

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
    """Which corpus value: a score of a system on a task, what the metric is, and how its scores were made."""

    system: str
    task: str
    score: str
    info: MetricInfo
    recipe: Recipe


def aggregate(cell: Cell, scored: Sequence[Scored], *, seed: int, n_resamples: int = 2000) -> Result:
    """Aggregate the scores of one cell.

    ``rate`` is the sum of numerators over the sum of denominators; ``binary`` and ``value`` are means. The interval is
    the 95 % one of ``tttbench.stats``, over samples, or over clusters where samples share ``Sample.cluster`` or have
    several answers: Wilson's for verdicts, else a bootstrap.

    Args:
        cell: what is aggregated.
        scored: one per answer, in any order; at least one.
        seed: of the bootstrap; the same seed and scores give the same interval.
        n_resamples: resamples of the bootstrap.

    Returns:
        The result. ``value`` and bounds are nan where there is nothing to compute them from (no reference words, or a
        single sample for the bounds). Scores that are nan are counted but have no part in the value.

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
    interval = _interval(cell.info, scored, numerators, denominators, counted, seed, n_resamples)
    ends = _ends(cell.info, numerators[counted])
    bounds = [_if_unknown_were(numerators, denominators, unknown, value) for value in ends]
    best, worst = (min(bounds), max(bounds)) if cell.info.lower_is_better else (max(bounds), min(bounds))
    counts = Counter(score.status for score in scores)
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
    )


def _interval(
    info: MetricInfo,
    scored: Sequence[Scored],
    numerators: Floats,
    denominators: Floats,
    counted: npt.NDArray[np.bool_],
    seed: int,
    n_resamples: int,
) -> Interval:
    clusters = cluster_labels([scored[i].sample for i in np.flatnonzero(counted).tolist()])
    if info.aggregation == "value" and counted.any():
        return mean_interval(numerators[counted], seed=seed, n_resamples=n_resamples, clusters=clusters)
    return corpus_interval(
        numerators[counted], denominators[counted], seed=seed, n_resamples=n_resamples, clusters=clusters
    )


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
        seen[0] if info.lowest is None else info.lowest,
        seen[1] if info.highest is None else info.highest,
    )


def _if_unknown_were(numerators: Floats, denominators: Floats, unknown: npt.NDArray[np.bool_], value: float) -> float:
    units = np.where(np.isfinite(denominators), denominators, 0.0)
    replaced = np.where(unknown, value * units, numerators)
    known = np.isfinite(replaced)
    total = units[known].sum()
    return float(replaced[known].sum() / total) if total else float("nan")
