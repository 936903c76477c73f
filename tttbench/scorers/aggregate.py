"""From scores of single samples to one cell of the headline table. Knows scores and intervals; no scorer in particular.

Nothing is dropped: every score is counted by status, and one without an answer counts as wrong. What the cell would be
if all such requests had been right, or all wrong, stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.core.records import Result, Sample, Score, Status
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.interval import Interval
from tttbench.text.alignment import NO_EDITS, EditCounts

FAILED: frozenset[Status] = frozenset({"unparsed", "judge_failed", "error"})
"""Statuses of requests whose answer is not known. An empty answer is known: it is wrong under every policy."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """A sample and one scorer's verdict on a system's answer to it."""

    sample: Sample
    score: Score


def aggregate(
    system: str,
    task: str,
    scored: Sequence[Scored],
    *,
    seed: int,
    n_resamples: int = 2000,
    lower_is_better: bool,
) -> Result:
    """Aggregate the scores of one metric of one system on one task.

    ``rate`` is the sum of numerators over the sum of denominators; ``binary`` and ``value`` are means. The interval is
    the 95 % one of ``tttbench.stats.corpus``, over samples, or over clusters where samples share ``Sample.cluster``:
    Wilson's for verdicts, else a bootstrap.

    Args:
        system, task: names for the result.
        scored: one per sample, of one metric, in any order.
        seed: of the bootstrap; the same seed and scores give the same interval.
        n_resamples: resamples of the bootstrap.
        lower_is_better: which way the metric points.

    Returns:
        The cell. ``value`` and bounds are nan where there is nothing to compute them from (no reference words, or a
        single sample for the bounds). Scores of kind ``value`` that are nan are counted but have no part in the mean.

    Raises:
        ValueError: no scores, or of several metrics.
    """
    scores = [item.score for item in scored]
    metrics = {(score.metric, score.kind) for score in scores}
    if len(metrics) != 1:
        raise ValueError(f"aggregate() takes the scores of exactly one metric, not {sorted(metrics)}.")
    ((metric, kind),) = metrics
    numerators = np.array([score.numerator for score in scores])
    denominators = np.array([score.denominator for score in scores])
    failed = np.array([score.status in FAILED for score in scores])
    known = np.isfinite(numerators)
    clusters = cluster_labels([item.sample for item, is_known in zip(scored, known, strict=True) if is_known])
    interval = corpus_interval(
        numerators[known], denominators[known], seed=seed, n_resamples=n_resamples, clusters=clusters
    )
    bounds = [_if_failed_were(numerators, denominators, failed, value) for value in _extremes(kind, numerators)]
    best, worst = (min(bounds), max(bounds)) if lower_is_better else (max(bounds), min(bounds))
    return result_of(
        system, task, metric, interval, [s.status for s in scores], shared_recipe(scores), best, worst, lower_is_better
    )


def result_of(
    system: str,
    task: str,
    metric: str,
    interval: Interval,
    statuses: Sequence[Status],
    recipe: str,
    best: float,
    worst: float,
    lower_is_better: bool,
) -> Result:
    """Put a ``Result`` together from an interval and the statuses behind it."""
    counts = Counter(statuses)
    return Result(
        system=system,
        task=task,
        metric=metric,
        value=interval.estimate,
        ci_low=interval.low,
        ci_high=interval.high,
        n=len(statuses),
        ok=counts["ok"],
        empty=counts["empty"],
        unparsed=counts["unparsed"],
        judge_failed=counts["judge_failed"],
        error=counts["error"],
        recipe=recipe,
        value_best=best,
        value_worst=worst,
        lower_is_better=lower_is_better,
    )


def cluster_labels(samples: Sequence[Sample]) -> list[tuple[str, str]] | None:
    """Return one label per sample, samples without a cluster each their own; None if no two samples share one."""
    labels = [("cluster", sample.cluster) if sample.cluster else ("sample", sample.id) for sample in samples]
    return labels if len(set(labels)) < len(labels) else None


def shared_recipe(scores: Sequence[Score]) -> str:
    """Return the recipe of the scores; several, where a run mixed them, joined by " | "."""
    # A request that failed never met the judge, so its recipe says less than the others'.
    recipes = {score.recipe for score in scores if score.status not in FAILED} or {score.recipe for score in scores}
    return " | ".join(sorted(recipes))


def corpus_edits(scores: Sequence[Score]) -> EditCounts:
    """Add up the edits of WER or CER scores: the counts behind the corpus rate."""
    total = NO_EDITS
    for score in scores:
        counts = [score.detail[key] for key in ("hits", "substitutions", "deletions", "insertions")]
        total += EditCounts(*(int(str(count)) for count in counts))
    return total


def _extremes(kind: str, numerators: Floats) -> tuple[float, float]:
    """Return the two values a failed sample could have had: all right or all wrong, or the values seen at the ends."""
    if kind != "value":
        return 0.0, 1.0
    seen = numerators[np.isfinite(numerators)]
    return (float(seen.min()), float(seen.max())) if seen.size else (float("nan"), float("nan"))


def _if_failed_were(numerators: Floats, denominators: Floats, failed: npt.NDArray[np.bool_], value: float) -> float:
    replaced = np.where(failed, value * denominators, numerators)
    known = np.isfinite(replaced)
    total = denominators[known].sum()
    return float(replaced[known].sum() / total) if total else float("nan")
