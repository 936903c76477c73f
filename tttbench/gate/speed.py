"""Is a system slower? A test and a factor, both of which have to be exceeded, and only on a machine idle enough.

Runs time every request once, so the two times of a sample are a pair. Rounds that are measured interleaved, baseline
and run alternating, are repeated measurements, and stand up to a busy machine because both meet the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tttbench.gate.rules import Rules, SpeedRule
from tttbench.gate.snapshot import SystemFacts, Timing
from tttbench.gate.verdict import SpeedVerdict, Verdict
from tttbench.probes.machine_load import IdleLimits, MachineLoad, why_busy
from tttbench.stats.bootstrap import mean_interval
from tttbench.stats.effect_size import shift_factor
from tttbench.stats.mann_whitney import mann_whitney
from tttbench.stats.permutation import permutation_test

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rounds:
    """A metric measured interleaved: one value a round, above 0, of the baseline and of the run, equally many."""

    system: str
    task: str
    figure: str
    unit: str
    baseline: Sequence[float]
    run: Sequence[float]


@dataclass(frozen=True)
class Timed:
    """A figure before the verdict; ``error`` is the standard error of the factor's logarithm."""

    verdict: SpeedVerdict
    error: float


def compare_runs(
    baseline: Timing, run: Timing, rule: SpeedRule, rules: Rules, *, busy: str = "", calibration: float = 1.0
) -> Timed | None:
    """Compare the times that two runs met, sample by sample; None with fewer than two pairs.

    Args:
        baseline, run: the same figure of the same system and task.
        rule: that holds for it.
        rules: seed and resamples.
        busy: why it is left open (``disturbance``, ``in_batches``).
        calibration: how many times as long the machine itself took during the run (``calibration_ratio``).
    """
    pairs = [(value, run.values[sample]) for sample, value in baseline.values.items() if sample in run.values]
    if len(pairs) < 2:
        return None
    before, now = np.log(pairs).T
    ones = np.ones(len(pairs))
    test = permutation_test(before, ones, now, ones, seed=rules.seed, n_draws=2 * rules.resamples)
    interval = mean_interval(now - before, seed=rules.seed, n_resamples=rules.resamples)
    error = float(np.std(now - before, ddof=1)) / math.sqrt(len(pairs))
    if baseline.unit == "passes":
        # They don't depend on the machine.
        busy, calibration = "", 1.0
    undecided = _undecided(baseline, rule, np.exp(before), np.exp(now), (interval.low, interval.high))
    factor = math.exp(interval.estimate)
    return Timed(replace(undecided, factor=factor, p_value=test.p_value, calibration=calibration, busy=busy), error)


def compare_rounds(rounds: Rounds, rule: SpeedRule, rules: Rules) -> Timed:
    """Compare repeated measurements that were taken interleaved.

    Raises:
        ValueError: none, or values that aren't above 0.
    """
    test = mann_whitney(rounds.run, rounds.baseline)
    factor = shift_factor(rounds.run, rounds.baseline)
    before, now = np.log(np.asarray(rounds.baseline)), np.log(np.asarray(rounds.run))
    n = min(len(before), len(now))
    # Rounds of a turn meet the same conditions, so their ratios are what an interval is made of.
    interval = mean_interval(now[:n] - before[:n], seed=rules.seed, n_resamples=rules.resamples)
    error = math.sqrt((now.var(ddof=1) + before.var(ddof=1)) / n) if n > 1 else float("nan")
    timing = Timing(rounds.system, rounds.task, rounds.figure, rounds.unit, {})
    undecided = _undecided(timing, rule, rounds.baseline, rounds.run, (interval.low, interval.high))
    return Timed(replace(undecided, factor=factor, p_value=test.p_value, measured="interleaved"), error)


def decide(found: Timed, p_adjusted: float | None, *, level: float, rules: Rules) -> SpeedVerdict:
    """Put the verdict on a figure; arguments as in ``quality.decide``."""
    one = found.verdict
    p_value = one.p_value if p_adjusted is None else p_adjusted
    return replace(
        one,
        p_adjusted=p_adjusted,
        detectable=_detectable(one, found.error, level, rules),
        verdict=_verdict(one, is_sure=p_value <= rules.alpha),
    )


def disturbance(baseline: MachineLoad | None, run: MachineLoad | None, rules: Rules) -> str:
    """Return why times of these two runs can't be compared; ``""`` if the machine was idle enough for both."""
    if baseline is None or run is None:
        return "the machine's load isn't known"
    limits = IdleLimits(rules.max_others_cores, rules.max_calibration_difference)
    for name, load, other in (("baseline", baseline, run), ("run", run, baseline)):
        if why := why_busy(load, limits, other.calibration_s):
            return f"during the {name} {why}"
    return ""


def in_batches(baseline: SystemFacts, run: SystemFacts) -> str:
    """Return why times of a system aren't compared; ``""`` if both runs gave it one request at a time."""
    for name, facts in (("baseline", baseline), ("run", run)):
        most = max(facts.batch_sizes, default=1)
        if most > 1:
            return f"the {name} generated {most} requests at a time, and latencies are those of one at a time"
    return ""


def calibration_ratio(baseline: MachineLoad | None, run: MachineLoad | None) -> float:
    """How many times as long the machine itself took for a fixed piece of work during the run; 1 if unknown."""
    return 1.0 if baseline is None or run is None else run.calibration_s / baseline.calibration_s


def _undecided(
    timing: Timing,
    rule: SpeedRule,
    before: Sequence[float] | Floats,
    now: Sequence[float] | Floats,
    log_bounds: tuple[float, float],
) -> SpeedVerdict:
    """What is known of a figure before it is tested."""
    return SpeedVerdict(
        system=timing.system,
        task=timing.task,
        figure=timing.figure,
        unit=timing.unit,
        baseline=float(np.median(before)),
        run=float(np.median(now)),
        factor=float("nan"),
        low=math.exp(log_bounds[0]),
        high=math.exp(log_bounds[1]),
        n=min(len(before), len(now)),
        measured="runs",
        p_value=1.0,
        p_adjusted=None,
        limit=rule.factor,
        detectable=float("nan"),
        calibration=1.0,
        busy="",
        gates=rule.gates,
        verdict="cannot tell",
    )


def _verdict(one: SpeedVerdict, *, is_sure: bool) -> Verdict:
    if one.busy:
        return "cannot tell"
    if 1 / one.limit <= one.low and one.high <= one.limit:
        return "same"
    # What the machine's own calibration time explains is not the system's doing, nor its merit.
    if is_sure and one.factor / max(1.0, one.calibration) > one.limit:
        return "worse"
    if is_sure and one.factor / min(1.0, one.calibration) < 1 / one.limit:
        return "better"
    return "cannot tell"


def _detectable(one: SpeedVerdict, error: float, level: float, rules: Rules) -> float:
    """The smallest factor that the test and the limit both would have shown, at the spread that there is.

    Between two runs the machine's calibration time may have drifted as far as the rules allow without any measurement
    of it, so a factor has to be larger by that much to be shown for sure.
    """
    normal = NormalDist()
    fewest = fewest_pairs(1 - level) if one.measured == "runs" else fewest_rounds(1 - level)
    if one.busy or one.n < fewest or not math.isfinite(error):
        return float("nan")
    z_power = normal.inv_cdf(rules.power)
    by_test = (normal.inv_cdf((1 + level) / 2) + z_power) * error
    meets_both_alike = one.measured == "interleaved" or one.unit == "passes"
    drift = 0.0 if meets_both_alike else math.log(1 + rules.max_calibration_difference)
    return math.exp(drift + max(by_test, math.log(one.limit) + z_power * error))


def fewest_pairs(alpha: float) -> int:
    """So many pairs, all slower, have a p-value of at most ``alpha``: 2 / 2^n."""
    return math.ceil(1 - math.log2(alpha) - 1e-12)


def fewest_rounds(alpha: float) -> int:
    """So many rounds, all slower than all of the baseline, have one: 2 / C(2n, n)."""
    return next(n for n in itertools.count(1) if 2 / math.comb(2 * n, n) <= alpha)


def by_key(timings: Sequence[Timing]) -> Mapping[tuple[str, str, str], Timing]:
    """Timings by system, task and figure."""
    return {(one.system, one.task, one.figure): one for one in timings}
