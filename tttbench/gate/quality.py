"""Is a metric worse on the same samples? An interval, a test, and what so few samples could have shown at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.gate.rules import QualityRule, Rules
from tttbench.gate.snapshot import Metric, TaskFacts
from tttbench.gate.verdict import QualityVerdict, Verdict
from tttbench.stats.bootstrap import cluster_sums, paired_ratio_difference
from tttbench.stats.permutation import permutation_test
from tttbench.stats.power import PairedPower, detectable_paired_difference

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """A metric before the verdict, which needs the p-values of all the others.

    ``rows``: numerator and denominator of baseline and run, shape (n, 4).
    """

    baseline: Metric
    rule: QualityRule
    rows: Floats
    clusters: tuple[str, ...] | None
    n_unknown: int
    value_baseline: float
    value_run: float
    difference: float
    low: float
    high: float
    p_value: float
    n_units: int


def compare(baseline: Metric, run: Metric, task: TaskFacts, rule: QualityRule, rules: Rules) -> Compared | None:
    """Compare a metric on the samples that both have; None if there is nothing that has a value in both.

    Args:
        baseline, run: the same metric of the same system and task.
        task: whose samples say what belongs together.
        rule: that holds for it.
        rules: seed and resamples.
    """
    both = [sample for sample in baseline.outcomes if sample in run.outcomes]
    pairs = [(baseline.outcomes[sample], run.outcomes[sample]) for sample in both]
    rows = np.array([[a.numerator, a.denominator, b.numerator, b.denominator] for a, b in pairs]).reshape(-1, 4)
    known = np.isfinite(rows).all(axis=1)
    rows, samples = rows[known], [sample for sample, is_known in zip(both, known, strict=True) if is_known]
    if not len(rows) or not rows[:, 1].sum() or not rows[:, 3].sum():
        return None
    labels = [_cluster(task, sample) for sample in samples]
    clusters = tuple(labels) if len(set(labels)) < len(labels) else None
    interval = paired_ratio_difference(
        rows[:, 2], rows[:, 3], rows[:, 0], rows[:, 1], seed=rules.seed, n_resamples=rules.resamples, clusters=clusters
    )
    test = permutation_test(*rows.T, seed=rules.seed, n_draws=2 * rules.resamples, clusters=clusters)
    sums = rows.sum(axis=0)
    return Compared(
        baseline=baseline,
        rule=rule,
        rows=rows,
        clusters=clusters,
        n_unknown=len(both) - len(rows),
        value_baseline=float(sums[0] / sums[1]),
        value_run=float(sums[2] / sums[3]),
        difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        p_value=test.p_value,
        n_units=test.n_units,
    )


def decide(found: Compared, p_adjusted: float | None, *, level: float, rules: Rules) -> QualityVerdict:
    """Put the verdict on a metric.

    Args:
        found: the comparison.
        p_adjusted: over all that gates; None if this one doesn't: then its own p-value decides.
        level: of the strictest single test, for the smallest detectable difference.
        rules: alpha and power.
    """
    metric = found.baseline
    p_value = found.p_value if p_adjusted is None else p_adjusted
    sign = 1.0 if metric.info.lower_is_better else -1.0
    margin = found.rule.worse_by_more_than
    identical = bool((found.rows[:, :2] == found.rows[:, 2:]).all())
    one_by_one = metric.info.aggregation == "binary" and found.clusters is None
    right = 0 if metric.info.lower_is_better else 1
    right_before, right_now = found.rows[:, 0] == right, found.rows[:, 2] == right
    return QualityVerdict(
        system=metric.system,
        task=metric.task,
        metric=metric.name,
        info=metric.info,
        baseline=found.value_baseline,
        run=found.value_run,
        difference=found.difference,
        low=found.low,
        high=found.high,
        n=len(found.rows),
        n_units=found.n_units,
        n_unknown=found.n_unknown,
        only_baseline=int((right_before & ~right_now).sum()) if one_by_one else None,
        only_run=int((right_now & ~right_before).sum()) if one_by_one else None,
        p_value=found.p_value,
        p_adjusted=p_adjusted,
        margin=margin,
        detectable=_detectable(found, level, rules),
        gates=found.rule.gates is True,
        is_identical=identical,
        verdict=verdict_of(
            sign * found.difference,
            (found.low, found.high),
            margin,
            is_sure=p_value <= rules.alpha,
            is_identical=identical,
        ),
    )


def verdict_of(
    worsening: float, interval: tuple[float, float], margin: float, *, is_sure: bool, is_identical: bool
) -> Verdict:
    """The verdict on a worsening (negative: a gain).

    What lies within the margin with its whole interval is the same, however sure it is that there is a difference; and
    so is what scored on every sample as before.
    """
    if is_identical or all(math.isfinite(bound) and abs(bound) <= margin for bound in interval):
        return "same"
    if is_sure and abs(worsening) > margin:
        return "worse" if worsening > 0 else "better"
    return "cannot tell"


def _detectable(found: Compared, level: float, rules: Rules) -> float:
    """The smallest worsening that would show even if it comes in the largest pieces: whole answers, whole clusters.

    The noise is that of answers that change either way: what one direction has beyond the other is no noise. A piece is
    all reference units of a sample or cluster (of values, which have none, what samples differ by); pieces of unequal
    size count by their size, as the larger ones bring the variance. Nan where not even the worst would show.
    """
    units = found.rows if found.clusters is None else cluster_sums(found.rows, found.clusters)
    total = float((units[:, 1].sum() + units[:, 3].sum()) / 2)
    ratio = float(units[:, [0, 2]].sum() / units[:, [1, 3]].sum())
    change = (units[:, 2] - ratio * units[:, 3]) - (units[:, 0] - ratio * units[:, 1])
    one_way = min(float((change[change > 0] ** 2).sum()), float((change[change < 0] ** 2).sum()))
    noise = math.sqrt(2 * one_way) / total
    info = found.baseline.info
    # What is no share of its units (words per minute) has pieces of any size, as values have.
    is_share = info.aggregation == "binary" or (info.aggregation == "rate" and info.unit in ("%", ""))
    pieces = units[:, 1] if is_share else np.abs(units[:, 0] - ratio * units[:, 1])
    piece = float((pieces**2).sum() / pieces.sum()) if pieces.sum() else float(np.abs(change).max())
    if not piece:
        return float("nan")
    basis = PairedPower(found.n_units, total, noise, piece)
    size = detectable_paired_difference(basis, level=level, power=rules.power, margin=found.rule.worse_by_more_than)
    # An accuracy can't fall by more than it is, and a share of faults can't rise by more than the rest.
    rest = 1 - found.value_baseline if info.lower_is_better else found.value_baseline
    most = rest if info.aggregation == "binary" else float("inf")
    return size if size <= most else float("nan")


def _cluster(task: TaskFacts, sample: str) -> str:
    facts = task.samples.get(sample)
    return f"cluster {facts.cluster}" if facts is not None and facts.cluster else f"sample {sample}"
