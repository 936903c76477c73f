"""How often a gate is right: resampled halves of real runs, and worsenings planted at the size it says it can find.

Pure functions on snapshots. Knows no command line and runs nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tttbench.core.metric import MetricInfo
from tttbench.core.recipe import Recipe
from tttbench.gate.decide import gate
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import Metric, Outcome, SampleFacts, Snapshot, SystemFacts, TaskFacts
from tttbench.gate.speed import Rounds
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict
from tttbench.store.manifest import Machine

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Tally:
    """What so many gates of one comparison came to.

    Attributes:
        name: of the comparison.
        gates: how many.
        regressions, not_comparable, invalid, passes: how they ended.
        due: gates in which some true worsening was at least as large as the smallest that the gate says it would find;
            of speed too, where the true slowdown is known.
        caught_of_due: of those, how many ended as regression or not comparable.
        worsening: the largest true worsening on all samples, of what gates, as a share; and of which metric.
        detectable: median of the smallest worsening that the gates would have found of that metric.
        factor: how many times as slow, median over gates of the figure with the largest; nan without speed.
        smallest_factor: median of the smallest factors that figures which gate would have shown.
        slowdown: smallest and largest true factor of what gates; nan where there is none.
        left_open: speed verdicts left open because the machine was busy, of how many.
    """

    name: str
    gates: int
    regressions: int
    not_comparable: int
    invalid: int
    passes: int
    due: int
    caught_of_due: int
    worsening: float
    metric: str
    detectable: float
    factor: float
    smallest_factor: float
    slowdown: tuple[float, float]
    left_open: tuple[int, int]


def halves(
    name: str,
    baseline: Snapshot,
    run: Snapshot,
    rules: Rules,
    n_gates: int,
    seed: int,
    rounds: Sequence[Rounds] = (),
    *,
    slowdown: Mapping[tuple[str, str], float] = MappingProxyType({}),
) -> Tally:
    """Gate ``n_gates`` random halves of the samples (and of the rounds) of two runs.

    ``slowdown``: how many times as slow the run's system truly is, by task and figure.
    """
    rng = np.random.default_rng(seed)
    truth = {_key(one): _worsening(one) for one in gate(baseline, run, replace(rules, resamples=100)).quality}
    results = []
    for at in range(n_gates):
        chosen = {task: _half(rng, list(facts.samples)) for task, facts in baseline.tasks.items()}
        some = [_half_of_rounds(rng, one) for one in rounds]
        results.append(gate(part(baseline, chosen), part(run, chosen), replace(rules, seed=at), rounds=some))
    return tally(name, results, truth, slowdown)


def tally(
    name: str,
    results: Sequence[GateResult],
    truth: Mapping[str, float],
    slowdown: Mapping[tuple[str, str], float] = MappingProxyType({}),
) -> Tally:
    """Count how the gates ended; ``truth``: the worsening of each metric by its key; ``slowdown`` as in ``halves``."""
    states = Counter(result.state for result in results)
    due = [
        result
        for result in results
        if any(_is_due(one, truth) for one in result.quality) or any(_is_slow(one, slowdown) for one in result.speed)
    ]
    worst = max((key for key in truth), key=lambda key: truth[key], default="")
    found = [one.detectable for result in results for one in result.quality if one.gates and _key(one) == worst]
    factors = [max(one.factor for one in result.speed if one.gates) for result in results if result.speed]
    speeds = [one for result in results for one in result.speed if one.gates]
    slow = [slowdown[one.task, one.figure] for one in speeds if (one.task, one.figure) in slowdown]
    shown = [one.detectable for one in speeds if not math.isnan(one.detectable)]
    return Tally(
        name=name,
        gates=len(results),
        regressions=states["regression"],
        not_comparable=states["not comparable"],
        invalid=states["invalid"],
        passes=states["pass"],
        due=len(due),
        caught_of_due=sum(result.state in ("regression", "not comparable") for result in due),
        worsening=truth.get(worst, 0.0),
        metric=worst,
        detectable=float(np.median(found)) if found else float("nan"),
        factor=float(np.median(factors)) if factors else float("nan"),
        smallest_factor=float(np.median(shown)) if shown else float("nan"),
        slowdown=(min(slow, default=math.nan), max(slow, default=math.nan)),
        left_open=(sum(bool(one.busy) for one in speeds), len(speeds)),
    )


def part(snapshot: Snapshot, chosen: Mapping[str, Sequence[str]]) -> Snapshot:
    """The snapshot of the chosen samples alone."""

    def kept(task: str, values: Mapping[str, T]) -> dict[str, T]:
        return {sample: values[sample] for sample in chosen[task] if sample in values}

    n = sum(len(samples) for samples in chosen.values()) * len(snapshot.systems)
    return replace(
        snapshot,
        expected=n,
        answered=n,
        tasks={name: replace(facts, samples=kept(name, facts.samples)) for name, facts in snapshot.tasks.items()},
        metrics=tuple(replace(one, outcomes=kept(one.task, one.outcomes)) for one in snapshot.metrics),
        timings=tuple(replace(one, values=kept(one.task, one.values)) for one in snapshot.timings),
    )


def planted(kind: str, n: int, changed: float, n_gates: int, rules: Rules, seed: int, piece: int = 1) -> Tally:
    """Plant a worsening exactly as large as the gate says it would find, in answers of which a share changes anyway.

    Args:
        kind: ``"accuracy"`` (80 % right; ``piece`` answers share a cluster, and are lost together) or ``"wer"`` (10
            words a sample, 5 % wrong; ``piece`` words of it are lost together).
        n: samples.
        changed: share of samples whose answers change for no reason, either way.
        n_gates: draws.
        rules: of the gates.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    results = []
    sizes = []
    for at in range(n_gates):
        baseline = _invented(kind, n, rng)
        noisy = _stirred(kind, baseline, changed, rng)
        of_run = replace(rules, seed=at)
        (before,) = gate(_as_run(kind, baseline, piece), _as_run(kind, noisy, piece), of_run).quality
        worse = _worsened(kind, noisy, before.detectable, rng, piece)
        sizes.append(before.detectable)
        results.append(gate(_as_run(kind, baseline, piece), _as_run(kind, worse, piece), of_run))
    lost = {"wer": f", {piece} words lost together", "accuracy": f" in clusters of {piece}"}[kind] if piece > 1 else ""
    name = f"planted, {kind}, n = {n}{lost}, {100 * changed:.0f} % change anyway"
    found = tally(name, results, {})
    return replace(
        found,
        due=n_gates,
        caught_of_due=found.regressions,
        worsening=float(np.median(sizes)),
        metric=kind,
        detectable=float(np.median(sizes)),
    )


def _invented(kind: str, n: int, rng: np.random.Generator) -> Floats:
    return (rng.random(n) < 0.8).astype(float) if kind == "accuracy" else rng.binomial(10, 0.05, n).astype(float)


def _stirred(kind: str, values: Floats, changed: float, rng: np.random.Generator) -> Floats:
    """Changes that are worth nothing on average: up and down by one, as far as there is room on both sides."""
    if kind == "wer":
        steps = np.where(rng.random(len(values)) < changed, np.where(rng.random(len(values)) < 0.5, -1.0, 1.0), 0.0)
        return np.maximum(values + steps, 0.0)
    # A swap of two verdicts keeps the accuracy.
    right, wrong = np.flatnonzero(values == 1), np.flatnonzero(values == 0)
    k = min(len(right), len(wrong), rng.binomial(len(values), changed / 2))
    moved = values.copy()
    moved[rng.choice(right, k, replace=False)] = 0
    moved[rng.choice(wrong, k, replace=False)] = 1
    return moved


def _worsened(kind: str, values: Floats, size: float, rng: np.random.Generator, piece: int) -> Floats:
    """A true worsening of ``size``: which samples it hits is chance."""
    if kind == "wer":
        return np.where(rng.random(len(values)) < 10 * size / piece, values + piece, values)
    share = size / max(1e-9, float(values.mean()))
    hit = np.repeat(rng.random(-(-len(values) // piece)) < share, piece)[: len(values)]
    return np.where(hit, 0.0, values)


_INFO = {
    "accuracy": MetricInfo("Accuracy", unit="%", scale=100, aggregation="binary", lowest=0, highest=1),
    "wer": MetricInfo("Word error rate", unit="%", scale=100, direction="lower", aggregation="rate", lowest=0),
}


def _as_run(kind: str, values: Floats, piece: int) -> Snapshot:
    units = 1.0 if kind == "accuracy" else 10.0
    outcomes = {f"s{at}": Outcome(float(value), units, "ok") for at, value in enumerate(values)}
    in_clusters = kind == "accuracy" and piece > 1
    facts = {f"s{at}": SampleFacts("", f"c{at // piece}" if in_clusters else "") for at in range(len(values))}
    metric = Metric("sys", "task", kind, _INFO[kind], Recipe(f"{kind}@1"), outcomes)
    return Snapshot(
        source="planted",
        made_at="",
        suite="planted",
        seed=0,
        status="done",
        expected=len(values),
        answered=len(values),
        transcribers=(),
        versions={},
        machine=Machine(),
        systems={"sys": SystemFacts("sys", "", {}, "", (1,))},
        tasks={"task": TaskFacts("qa", "", "", (kind,), facts)},
        metrics=(metric,),
        timings=(),
        loads={},
        answers={},
    )


def _half(rng: np.random.Generator, samples: Sequence[str]) -> list[str]:
    return [samples[at] for at in sorted(rng.permutation(len(samples))[: len(samples) // 2])]


def _half_of_rounds(rng: np.random.Generator, rounds: Rounds) -> Rounds:
    n = len(rounds.baseline)
    at = sorted(rng.permutation(n)[: n // 2])
    return replace(rounds, baseline=[rounds.baseline[i] for i in at], run=[rounds.run[i] for i in at])


def _key(one: QualityVerdict) -> str:
    return f"{one.metric} on {one.task}"


def _worsening(one: QualityVerdict) -> float:
    return one.difference if one.lower_is_better else -one.difference


def _is_slow(one: SpeedVerdict, slowdown: Mapping[tuple[str, str], float]) -> bool:
    """Whether it is due; what the gate leaves open says that it would show nothing."""
    return one.gates and slowdown.get((one.task, one.figure), 1.0) >= one.detectable


def _is_due(one: QualityVerdict, truth: Mapping[str, float]) -> bool:
    return one.gates and truth.get(_key(one), 0.0) >= one.detectable


def rows(tallies: Sequence[Tally]) -> Iterator[list[str]]:
    """A line each, for tables."""
    for one in tallies:
        caught = "-" if not one.due else f"{one.caught_of_due} of {one.due}"
        size = "-" if not one.metric else f"{100 * one.worsening:.1f} of {one.metric}"
        found = "-" if one.detectable != one.detectable else f"{100 * one.detectable:.1f}"
        factor, smallest = ("-" if x != x else f"{x:.2f}" for x in (one.factor, one.smallest_factor))
        slow = "-" if one.slowdown[0] != one.slowdown[0] else f"{one.slowdown[0]:.2f} to {one.slowdown[1]:.2f}"
        open_ = "-" if not one.left_open[1] else f"{one.left_open[0]} of {one.left_open[1]}"
        ends = [str(count) for count in (one.regressions, one.not_comparable, one.passes + one.invalid)]
        yield [one.name, str(one.gates), *ends, size, found, caught, factor, slow, smallest, open_]


HEAD = (
    *("comparison", "gates", "regression", "not comparable", "passed", "true worsening, points"),
    *("smallest it would find", "caught of those due", "times as slow", "truly"),
    *("smallest factor it would show", "speeds left open"),
)
