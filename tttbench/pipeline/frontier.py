"""Quality against seconds on the same samples: which systems are on the Pareto front, and which dominate which.

Both axes have intervals, and one system dominates another only where their answers to the same samples say so. Knows
verdicts and seconds; no systems, tasks or files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tttbench.core.metric import FrontierPoint, MetricInfo
from tttbench.stats.corpus import corpus_difference, corpus_interval
from tttbench.stats.median import median_interval

Request = tuple[str, int]
"""A sample's id and which of its repeats."""


@dataclass(frozen=True)
class Outcome:
    """One request: the verdict on it, as a numerator and a denominator, and the seconds until it was complete.

    ``seconds`` is None where no answer was timed: such a request counts for quality alone. ``repeat`` tells
    requests for one sample apart; they share its cluster.
    """

    sample: str
    cluster: str
    numerator: float
    denominator: float
    seconds: float | None
    repeat: int = 0


def frontier(
    task: str,
    metric: str,
    info: MetricInfo,
    outcomes: Mapping[str, Sequence[Outcome]],
    *,
    seed: int,
    n_resamples: int = 2000,
) -> tuple[FrontierPoint, ...]:
    """Place all systems, in the order given; those without two timed answers are left out.

    One system dominates another where it is faster (the 95 % interval of the ratio of seconds, answer by answer, lies
    above 1) and its quality is no lower, or where its quality is higher (the 95 % interval of the paired difference
    lies above 0) and it is no slower.
    """
    usable = {
        system: {(one.sample, one.repeat): one for one in found}
        for system, found in outcomes.items()
        if sum(one.seconds is not None for one in found) > 1
    }
    points = []
    for system, found in usable.items():
        rows = list(found.values())
        quality = corpus_interval(
            info,
            [one.numerator for one in rows],
            [one.denominator for one in rows],
            seed=seed,
            n_resamples=n_resamples,
            clusters=[one.cluster for one in rows],
        )
        times = [one.seconds for one in rows if one.seconds is not None]
        seconds = median_interval(times)
        dominated_by = tuple(
            other
            for other, theirs in usable.items()
            if other != system and _dominates(theirs, found, info, seed, n_resamples)
        )
        points.append(
            FrontierPoint(
                system,
                task,
                metric,
                info.lower_is_better,
                quality.estimate,
                quality.low,
                quality.high,
                seconds.median,
                seconds.low,
                seconds.high,
                len(rows),
                len(times),
                dominated_by,
            )
        )
    return tuple(points)


def _dominates(
    one: Mapping[Request, Outcome], other: Mapping[Request, Outcome], info: MetricInfo, seed: int, n_resamples: int
) -> bool:
    pairs = [(one[request], other[request]) for request in one if request in other]
    if len(pairs) < 2:
        return False
    # By how much the first is better: over the other, or, where lower is better, the other over it.
    ordered = pairs if info.lower_is_better else [(b, a) for a, b in pairs]
    rows = np.array([[a.numerator, a.denominator, b.numerator, b.denominator] for a, b in ordered])
    clusters = [a.cluster for a, _ in pairs]
    gain = corpus_difference(info, rows, seed=seed, n_resamples=n_resamples, clusters=clusters)
    ratios = [b.seconds / a.seconds for a, b in pairs if a.seconds and b.seconds]
    if len(ratios) < 2:
        return False
    faster = median_interval(ratios)
    return (faster.low > 1 and gain.estimate >= 0) or (gain.low > 0 and faster.median >= 1)
