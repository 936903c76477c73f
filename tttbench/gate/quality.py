"""Is a metric worse on the same samples? An interval, a test, and what so few samples could have shown at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tttbench.gate.rules import QualityRule, Rules
from tttbench.gate.snapshot import Metric, TaskFacts
from tttbench.gate.verdict import QualityVerdict, Verdict
from tttbench.scorers.paired import Paired, paired
from tttbench.stats.bootstrap import cluster_sums
from tttbench.stats.power import PairedPower, detectable_paired_difference


@dataclass(frozen=True)
class Compared:
    """A metric before the verdict, which needs the p-values of all the others: of ``paired``, a is the baseline."""

    baseline: Metric
    rule: QualityRule
    paired: Paired
    cluster: str = "cluster"


def compare(baseline: Metric, run: Metric, task: TaskFacts, rule: QualityRule, rules: Rules) -> Compared | None:
    """Compare a metric on the samples that both have; None if there is nothing that has a value in both.

    Args:
        baseline, run: the same metric of the same system and task.
        task: whose samples say what belongs together.
        rule: that holds for it.
        rules: seed and resamples.
    """
    found = paired(
        baseline.info,
        baseline.outcomes,
        run.outcomes,
        lambda sample: _unit(task, sample),
        seed=rules.seed,
        n_resamples=rules.resamples,
    )
    return None if found is None else Compared(baseline, rule, found, task.cluster)


def decide(found: Compared, p_adjusted: float | None, *, level: float, rules: Rules) -> QualityVerdict:
    """Put the verdict on a metric.

    Args:
        found: the comparison.
        p_adjusted: over all that gates; None if this one doesn't: then its own p-value decides.
        level: of the strictest single test, for the smallest detectable difference.
        rules: alpha and power.
    """
    metric, pair = found.baseline, found.paired
    p_value = pair.p_value if p_adjusted is None else p_adjusted
    sign = 1.0 if metric.info.lower_is_better else -1.0
    margin = found.rule.worse_by_more_than
    one_by_one = metric.info.aggregation == "binary" and pair.clusters is None
    change = sign * (pair.rows[:, 2] - pair.rows[:, 0])
    difference = pair.difference
    return QualityVerdict(
        system=metric.system,
        task=metric.task,
        metric=metric.name,
        info=metric.info,
        baseline=pair.value_a,
        run=pair.value_b,
        difference=difference.estimate,
        low=difference.low,
        high=difference.high,
        n=pair.n,
        n_units=pair.n_units,
        n_unknown=pair.n_unknown,
        only_baseline=int((change > 0).sum()) if one_by_one else None,
        only_run=int((change < 0).sum()) if one_by_one else None,
        p_value=pair.p_value,
        p_adjusted=p_adjusted,
        margin=margin,
        detectable=_detectable(found, level, rules),
        gates=found.rule.gates is True,
        is_identical=pair.is_identical,
        verdict=verdict_of(
            sign * difference.estimate,
            (difference.low, difference.high),
            margin,
            is_sure=p_value <= rules.alpha,
            is_identical=pair.is_identical,
        ),
        cluster=found.cluster,
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
    pair, info = found.paired, found.baseline.info
    units = pair.rows if pair.clusters is None else cluster_sums(pair.rows, pair.clusters)
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
    basis = PairedPower(pair.n_units, total, noise, piece)
    size = detectable_paired_difference(basis, level=level, power=rules.power, margin=found.rule.worse_by_more_than)
    # A value can't get worse than the end of its range.
    end = info.most if info.lower_is_better else info.least
    return size if size <= abs(end - pair.value_a) else float("nan")


def _unit(task: TaskFacts, sample: str) -> str:
    facts = task.samples.get(sample)
    return f"cluster {facts.cluster}" if facts is not None and facts.cluster else f"sample {sample}"
