"""What a gate found: plain values that its outputs show. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tttbench.core.metric import MetricInfo

Verdict = Literal["better", "worse", "same", "cannot tell"]
"""``same``: the difference's interval lies within the margin; ``cannot tell``: neither that nor surely different."""

Change = Literal["better", "worse", "changed", "same"]
"""One sample: ``changed`` says the answers differ in words but not in worth."""


@dataclass(frozen=True)
class QualityVerdict:
    """One metric of a system on a task, baseline against run, on the same samples.

    Attributes:
        system, task, metric: which.
        info: what the metric is.
        baseline, run: the values on the samples that both have.
        difference, low, high: run minus baseline with its 95 % interval, paired, by cluster where there are any.
        n: samples compared; ``n_units`` samples or clusters that were resampled; ``n_unknown`` without a value in one.
        cluster: what the units are where they aren't the samples.
        only_baseline, only_run: samples on which only one was right (accuracies of independent samples), else None.
        p_value: of the paired permutation test (McNemar's exact test for accuracies of independent samples).
        p_adjusted: by Holm over everything that gates; None for metrics that don't.
        margin: ``worse_by_more_than``.
        detectable: smallest worsening that so many samples would have shown; nan where none would.
        gates: whether a worsening fails the gate.
        is_identical: whether every sample scores as before.
        verdict: see ``Verdict``.
    """

    system: str
    task: str
    metric: str
    info: MetricInfo
    baseline: float
    run: float
    difference: float
    low: float
    high: float
    n: int
    n_units: int
    n_unknown: int
    only_baseline: int | None
    only_run: int | None
    p_value: float
    p_adjusted: float | None
    margin: float
    detectable: float
    gates: bool
    is_identical: bool
    verdict: Verdict
    cluster: str = "cluster"

    @property
    def lower_is_better(self) -> bool:
        """Which way the metric points."""
        return self.info.lower_is_better


@dataclass(frozen=True)
class SpeedVerdict:
    """One latency metric of a system on a task.

    Attributes:
        system, task, figure, unit: which.
        baseline, run: medians.
        factor, low, high: run over baseline with its 95 % interval.
        n: measurements of each: answers to the same samples, or rounds where both were measured interleaved.
        measured: ``"runs"``: as the runs met it; ``"interleaved"``: both now, in alternation.
        p_value: of the paired permutation test over pairs, or of Mann and Whitney's over rounds.
        p_adjusted: by Holm; None for figures that don't gate.
        limit: the factor that counts as slower.
        detectable: smallest factor that so many measurements would have shown, of runs even if the machine's speed
            drifted as far as is allowed; nan where none would.
        calibration: how many times as long the machine itself took for a fixed piece of work; 1 where both
            met the same.
        busy: why it is left open, by a busy machine or by requests that were generated together; ``""`` where it isn't.
        gates, verdict: as in ``QualityVerdict``.
    """

    system: str
    task: str
    figure: str
    unit: str
    baseline: float
    run: float
    factor: float
    low: float
    high: float
    n: int
    measured: Literal["runs", "interleaved"]
    p_value: float
    p_adjusted: float | None
    limit: float
    detectable: float
    calibration: float
    busy: str
    gates: bool
    verdict: Verdict


@dataclass(frozen=True)
class Difference:
    """Something that must be equal and isn't.

    Attributes:
        field: the word that ``--allow`` takes.
        where: which task, system or metric; ``""`` for the whole run.
        baseline, run: what it is in both.
        allowed: whether ``--allow`` overrode it.
        fix: what to do.
    """

    field: str
    where: str
    baseline: str
    run: str
    allowed: bool
    fix: str


@dataclass(frozen=True)
class Noted:
    """Something that may differ, and that explains a result: weights, decode settings, versions, seeds."""

    what: str
    baseline: str
    run: str


State = Literal["pass", "regression", "invalid", "not comparable"]

EXIT_CODES: dict[State, int] = {"pass": 0, "regression": 1, "invalid": 3, "not comparable": 4}
"""2 is a wrong call, as everywhere."""


@dataclass(frozen=True)
class GateResult:
    """The outcome.

    Attributes:
        state: see ``EXIT_CODES``.
        baseline, run: what was compared.
        problems: why a run is invalid, or what is asked for isn't there.
        differences: what isn't comparable, allowed or not.
        noted: what else differs.
        quality, speed: the verdicts; empty where the runs can't be compared.
        warnings: what a reader should know, such as rules that name nothing.
        alpha, power: of the tests.
    """

    state: State
    baseline: str
    run: str
    problems: tuple[str, ...]
    differences: tuple[Difference, ...]
    noted: tuple[Noted, ...]
    quality: tuple[QualityVerdict, ...]
    speed: tuple[SpeedVerdict, ...]
    warnings: tuple[str, ...]
    alpha: float
    power: float

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return EXIT_CODES[self.state]

    @property
    def verdicts(self) -> tuple[QualityVerdict | SpeedVerdict, ...]:
        """Those on quality, then those on speed."""
        return (*self.quality, *self.speed)

    @property
    def worse(self) -> tuple[QualityVerdict | SpeedVerdict, ...]:
        """What fails the gate."""
        return tuple(one for one in self.verdicts if one.gates and one.verdict == "worse")
