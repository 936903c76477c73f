"""Quality against seconds on the same samples: which systems are on the Pareto front, and which dominate which.

Both axes have intervals, and one system dominates another only where their answers to the same samples say so,
corrected for how many pairs of systems there are. Knows verdicts, seconds and passes; no systems, tasks or files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tttbench.core.metric import FrontierPoint, MetricInfo
from tttbench.stats.bootstrap import ratio_interval
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.holm import holm
from tttbench.stats.interval import Interval
from tttbench.stats.median import median_interval
from tttbench.stats.paired import mcnemar_exact
from tttbench.stats.permutation import permutation_test

ALPHA = 0.05
"""Chance that any of a task's systems is said to be dominated by one that isn't better."""

Request = tuple[str, int]
"""A sample's id and which of its repeats."""


@dataclass(frozen=True)
class Outcome:
    """One request: the verdict on it, as a numerator and a denominator, and what it took.

    ``repeat`` tells requests for one sample apart; they share its cluster.

    Attributes:
        seconds: until it was complete; None where no answer was timed: such a request counts for quality alone.
        codes, passes: audio tokens, and the forward passes that filled them; None where a system doesn't tell.
    """

    sample: str
    cluster: str
    numerator: float
    denominator: float
    seconds: float | None
    repeat: int = 0
    codes: int = 0
    passes: int | None = None


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

    One system dominates another where it is faster and its quality is no lower, or where its quality is higher and it
    is no slower. Faster is a sign test of the ratios of seconds, answer by answer (sample by sample where it was asked
    several times); higher quality is the gate's paired permutation test. Of all these tests of a task Holm's correction
    is taken, so that the chance that any system is wrongly called dominated is at most 5 %.
    """
    usable = {
        system: {(one.sample, one.repeat): one for one in found}
        for system, found in outcomes.items()
        if sum(one.seconds is not None for one in found) > 1
    }
    dominated_by = _dominated(usable, info, seed, n_resamples)
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
        speed = codes_per_pass(rows, seed=seed, n_resamples=n_resamples)
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
                tuple(other for other in usable if other in dominated_by[system]),
                codes_per_pass=speed.estimate,
                codes_per_pass_low=speed.low,
                codes_per_pass_high=speed.high,
            )
        )
    return tuple(points)


def codes_per_pass(rows: Sequence[Outcome], *, seed: int, n_resamples: int) -> Interval:
    """Audio tokens over the passes that filled audio, of the answers that have both; nan without any."""
    spoken = [(one.codes, one.passes, one.cluster) for one in rows if one.passes]
    if not spoken:
        return Interval(math.nan, math.nan, math.nan)
    codes, passes, clusters = zip(*spoken, strict=True)
    return ratio_interval(codes, passes, seed=seed, n_resamples=n_resamples, clusters=clusters)


@dataclass(frozen=True)
class _Axis:
    """How one system stands to another on one axis: by how much it is better (below 0: worse), and the p-value."""

    gain: float
    p_value: float


def _dominated(
    systems: Mapping[str, Mapping[Request, Outcome]], info: MetricInfo, seed: int, n_resamples: int
) -> dict[str, set[str]]:
    """Which others dominate each system."""
    pairs, axes = [], []
    for one, other in combinations(systems, 2):
        both = [
            (systems[one][request], systems[other][request]) for request in systems[one] if request in systems[other]
        ]
        timed = [(a, b) for a, b in both if a.seconds and b.seconds]
        if len(timed) > 1:
            pairs.append((one, other))
            axes += [_faster(timed), _better(both, info, seed, n_resamples)]
    found: dict[str, set[str]] = {system: set() for system in systems}
    adjusted = holm([axis.p_value for axis in axes])
    for at, (one, other) in enumerate(pairs):
        speed, quality = axes[2 * at], axes[2 * at + 1]
        sure = adjusted[2 * at] <= ALPHA, adjusted[2 * at + 1] <= ALPHA
        for sign, winner, loser in ((1, one, other), (-1, other, one)):
            faster, better = sign * speed.gain, sign * quality.gain
            if (sure[0] and faster > 0 and better >= 0) or (sure[1] and better > 0 and faster >= 0):
                found[loser].add(winner)
    return found


def _faster(pairs: Sequence[tuple[Outcome, Outcome]]) -> _Axis:
    """By how much the first is faster: the median of the logarithms of ratios; repeats of a sample are one."""
    ratios: dict[str, list[float]] = {}
    for a, b in pairs:
        if a.seconds and b.seconds:
            ratios.setdefault(a.sample, []).append(math.log(b.seconds / a.seconds))
    logs = np.array([np.mean(of_one) for of_one in ratios.values()])
    return _Axis(float(np.median(logs)), mcnemar_exact(logs > 0, logs < 0).p_value)


def _better(pairs: Sequence[tuple[Outcome, Outcome]], info: MetricInfo, seed: int, n_resamples: int) -> _Axis:
    rows = np.array([[a.numerator, a.denominator, b.numerator, b.denominator] for a, b in pairs])
    if not rows[:, 1].sum() or not rows[:, 3].sum():
        return _Axis(0.0, 1.0)
    test = permutation_test(*rows.T, seed=seed, n_draws=2 * n_resamples, clusters=[a.cluster for a, _ in pairs])
    return _Axis(test.difference if info.lower_is_better else -test.difference, test.p_value)
