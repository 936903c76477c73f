"""The gate: are both runs fit, can they be compared, and is anything worse? Pure; reads no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tttbench.core.errors import UserError, did_you_mean
from tttbench.gate import quality, speed
from tttbench.gate.comparable import differences, noted
from tttbench.gate.rules import Rules, unused_rules
from tttbench.gate.same_recipe import with_baseline_recipes
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.valid import problems
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict, State
from tttbench.stats.holm import holm


def gate(
    baseline: Snapshot,
    run: Snapshot,
    rules: Rules,
    *,
    allow: Sequence[str] = (),
    rounds: Sequence[speed.Rounds] = (),
) -> GateResult:
    """Compare ``run`` with ``baseline`` and decide.

    Args:
        baseline, run: what is compared; equal labels are the same system (``renamed`` gives a system another label).
        rules: the thresholds.
        allow: fields that may differ (``comparable.FIELDS``).
        rounds: metrics that were measured interleaved; they take the place of those the runs met.

    Raises:
        UserError: ``allow`` names a field that there isn't.
    """
    run, replaced = with_baseline_recipes(baseline, run)
    watches_speed = rules.speed != "off"
    found = differences(baseline, run, rules, allow=allow, speed=watches_speed and not rounds)
    invalid = [f"baseline {problem}" for problem in problems(baseline, rules)]
    invalid += [f"run {problem}" for problem in problems(run, rules)]
    warnings = [
        f"--allow {field}: nothing of the sort differs."
        for field in dict.fromkeys(allow)
        if all(one.field != field for one in found)
    ]
    metrics = [(one.task, one.name) for one in baseline.metrics]
    figures = [(one.task, one.figure) for one in baseline.timings]
    warnings += [
        f"the rules' {name} names nothing that the baseline has." for name in unused_rules(rules, metrics, figures)
    ]
    state: State = "invalid" if invalid else "not comparable" if any(not one.allowed for one in found) else "pass"
    qualities: tuple[QualityVerdict, ...] = ()
    speeds: tuple[SpeedVerdict, ...] = ()
    if state == "pass":
        qualities, speeds, without = _weigh(baseline, run, rules, rounds)
        warnings += without
        if not qualities and not speeds:
            invalid, state = (
                ["nothing in these runs can be compared: no metric has values on the same samples."],
                "invalid",
            )
        open_ = _not_measured(baseline, run, rules, speeds) if rules.speed == "required" else []
        if open_:
            state, invalid = "invalid", [f"speed is required, but {why}." for why in open_]
        if not any(one.gates for one in qualities) and not any(one.gates for one in speeds):
            warnings.append("nothing gates: whatever comes out, this passes.")
    result = GateResult(
        state=state,
        baseline=baseline.source,
        run=run.source,
        problems=tuple(invalid),
        differences=found,
        noted=(*noted(baseline, run), *replaced),
        quality=qualities,
        speed=speeds,
        warnings=tuple(warnings),
        alpha=rules.alpha,
        power=rules.power,
    )
    return replace(result, state="regression") if state == "pass" and result.worse else result


def _not_measured(baseline: Snapshot, run: Snapshot, rules: Rules, speeds: Sequence[SpeedVerdict]) -> list[str]:
    """Which gating figures of the baseline have no verdict, and why."""
    known = {(one.system, one.task, one.figure): one for one in speeds}
    found = []
    for one in baseline.timings:
        if not rules.of_figure(one.task, one.figure).gates or one.system not in run.systems:
            continue
        verdict = known.get((one.system, one.task, one.figure))
        why = "it has fewer than two measurements" if verdict is None else verdict.busy
        found += [f"{one.figure} of {one.system} on {one.task} is open: {why}"] if why else []
    return found or ([] if known else ["nothing was timed"])


def renamed(run: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """Give systems of ``run`` the labels that they have in the baseline.

    Args:
        run: as read.
        names: label in the run → label in the baseline.

    Raises:
        UserError: a label that the run doesn't have, or two systems of one label.
    """
    for label in names:
        if label not in run.systems:
            raise UserError(
                f"--match {label}={names[label]}: the run has no {label!r}. {did_you_mean(label, run.systems)}"
            )
    labels = [names.get(label, label) for label in run.systems]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise UserError(f"--match: two systems of the run would be called {twice!r}; match the other one too.")

    def called(label: str) -> str:
        return names.get(label, label)

    return replace(
        run,
        systems={called(label): facts for label, facts in run.systems.items()},
        metrics=tuple(replace(one, system=called(one.system)) for one in run.metrics),
        timings=tuple(replace(one, system=called(one.system)) for one in run.timings),
        loads={(called(system), task): load for (system, task), load in run.loads.items()},
        answers={(called(system), task): found for (system, task), found in run.answers.items()},
    )


def _weigh(
    baseline: Snapshot, run: Snapshot, rules: Rules, rounds: Sequence[speed.Rounds]
) -> tuple[tuple[QualityVerdict, ...], tuple[SpeedVerdict, ...], list[str]]:
    compared = []
    warnings = []
    for before in baseline.metrics:
        now = run.metric(before.system, before.task, before.name)
        if now is None:
            continue
        task = baseline.tasks[before.task]
        is_primary = baseline.primary(before.system, before.task) == before.name
        rule = rules.of_metric(before.task, before.name, is_primary=is_primary)
        one = quality.compare(before, now, task, rule, rules)
        if one is None:
            where = f"{before.name} of {before.system} on {before.task}"
            warnings.append(f"{where}: no sample has a value in both, so it isn't compared.")
        else:
            compared.append(one)
    timed = _timed(baseline, run, rules, rounds) if rules.speed != "off" else []
    p_values = [one.paired.p_value for one in compared if one.rule.gates]
    # What the machine leaves open isn't tested.
    p_values += [one.verdict.p_value for one in timed if _is_tested(one)]
    adjusted = iter(holm(p_values))
    level = 1.0 - rules.alpha / max(1, len(p_values))
    qualities = tuple(
        quality.decide(one, next(adjusted) if one.rule.gates else None, level=level, rules=rules) for one in compared
    )
    speeds = tuple(
        speed.decide(one, next(adjusted) if _is_tested(one) else None, level=level, rules=rules) for one in timed
    )
    return qualities, speeds, warnings


def _is_tested(one: speed.Timed) -> bool:
    return one.verdict.gates and not one.verdict.busy


def _timed(baseline: Snapshot, run: Snapshot, rules: Rules, rounds: Sequence[speed.Rounds]) -> list[speed.Timed]:
    found = [speed.compare_rounds(one, rules.of_figure(one.task, one.figure), rules) for one in rounds]
    interleaved = {(one.system, one.task) for one in rounds}
    now = speed.by_key(run.timings)
    for before in baseline.timings:
        key = (before.system, before.task)
        other = now.get((*key, before.figure))
        if other is None or (key in interleaved and before.unit != "passes"):
            continue
        then, since = baseline.loads.get(key), run.loads.get(key)
        if then and since and baseline.calibration != run.calibration:
            # Allowed, or nothing would be weighed: the times of two different pieces of work say nothing together.
            since = replace(since, calibration_s=then.calibration_s)
        together = speed.in_batches(baseline.systems[before.system], run.systems[before.system])
        busy, ratio = together or speed.disturbance(then, since, rules), speed.calibration_ratio(then, since)
        rule = rules.of_figure(before.task, before.figure)
        one = speed.compare_runs(before, other, rule, rules, busy=busy, calibration=ratio)
        found += [] if one is None else [one]
    return found
