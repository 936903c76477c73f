"""The gate's outcome as a whole: everything in it, what is left open where speed is required, and what is tested."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.gate.decide import gate, renamed
from tttbench.gate.rules import QualityChange, Rules, SpeedChange
from tttbench.gate.snapshot import Outcome, Snapshot, Timing
from tttbench.gate.speed import Rounds
from tttbench.gate.verdict import Difference, GateResult, Noted
from tttbench.probes.machine_load import MachineLoad

about: Any = pytest.approx
"""Stands where a number is wanted."""

Make = Callable[..., Snapshot]
FAST = Rules(resamples=200)
REQUIRED = replace(FAST, speed="required")


def test_the_whole_result_of_runs_that_cannot_be_compared(make: Make) -> None:
    before = replace(make([1] * 4, source="base"), seed=1)
    now = replace(make([1] * 3, source="now"), seed=2, status="interrupted", answered=2)
    rules = Rules(
        alpha=0.3, power=0.7, quality={"wer": QualityChange(), "": QualityChange()}, figures={"rtf": SpeedChange()}
    )
    assert gate(before, now, rules, allow=["samples", "data", "data"]) == GateResult(
        state="invalid",
        baseline="base",
        run="now",
        problems=(
            "run now: was cut off (2 answers are there); finish it with 'tttbench run SUITE --out now --resume'.",
        ),
        differences=(
            Difference(
                "samples",
                "task",
                "4 samples",
                "3, of which 3 are the same",
                True,
                "run the same --limit, or compare the 3 with --allow samples",
            ),
        ),
        noted=(Noted("seed", "1", "2"),),
        quality=(),
        speed=(),
        warnings=(
            "--allow data: nothing of the sort differs.",
            "the rules' [quality.wer] names nothing that the baseline has.",
            "the rules' [speed.rtf] names nothing that the baseline has.",
        ),
        alpha=0.3,
        power=0.7,
    )


def test_both_sides_are_looked_at_before_anything_is_compared(make: Make) -> None:
    bad = make([1] * 2, statuses=["ok", "error"])
    result = gate(replace(bad, source="base"), replace(bad, source="now"), FAST)
    told = (
        "{} {}: text_accuracy of sys on task: 1 of 2 ended as error, allowed are 0.0% (max_errors of [valid]); --resume"
    )
    assert [one.split(" --retry")[0] for one in result.problems] == [
        told.format("baseline", "base"),
        told.format("run", "now"),
    ]
    assert (result.state, result.quality, result.exit_code) == ("invalid", (), 3)


def valueless(make: Make, **given: object) -> Snapshot:
    return make([math.nan] * 2, kind="value", **given)


def test_where_no_metric_has_values_and_nothing_was_timed_there_is_no_verdict(make: Make) -> None:
    result = gate(valueless(make), valueless(make), FAST)
    assert result.problems == ("nothing in these runs can be compared: no metric has values on the same samples.",)
    assert result.warnings == (
        "text_accuracy of sys on task: no sample has a value in both, so it isn't compared.",
        "nothing gates: whatever comes out, this passes.",
    )
    assert result.state == "invalid"
    timed = valueless(make, times=[1.0, 1.0])
    result = gate(timed, timed, FAST)
    assert (result.state, result.problems, len(result.speed)) == ("pass", (), 1)
    assert result.warnings == ("text_accuracy of sys on task: no sample has a value in both, so it isn't compared.",)


def with_metrics(base: Snapshot, *names: str) -> Snapshot:
    return replace(base, metrics=tuple(replace(base.metrics[0], name=name) for name in names))


def test_metrics_are_compared_in_the_baselines_order_and_one_without_another_hides_none(make: Make) -> None:
    base = with_metrics(make([1] * 4), "gone", "empty", "text_accuracy", "other")
    empty = replace(base.metrics[1], outcomes={"s0": Outcome(math.nan, 1.0, "ok")})
    base = replace(base, metrics=(base.metrics[0], empty, *base.metrics[2:]))
    result = gate(base, replace(base, metrics=base.metrics[:0:-1]), FAST)
    assert [(one.metric, one.gates) for one in result.quality] == [("text_accuracy", True), ("other", False)]
    assert result.warnings == ("empty of sys on task: no sample has a value in both, so it isn't compared.",)


def figures(base: Snapshot, *names: str, unit: str = "s", factor: float = 1.0) -> Snapshot:
    """With figures that took ``factor`` seconds."""
    values = {f"s{at}": factor for at in range(20)}
    return replace(base, timings=tuple(Timing("sys", "task", name, unit, values) for name in names))


def test_what_the_machine_leaves_open_is_not_tested(make: Make) -> None:
    base, slow = figures(make([1] * 20), "ttft", "latency"), figures(make([1] * 20), "ttft", "latency", factor=2.0)
    busy = replace(slow, loads={("sys", "task"): MachineLoad(0.01, 1.0)})
    # The metric alone is tested, and then the metric and one figure of speed: latency doesn't gate.
    (metric,) = gate(base, busy, FAST).quality
    (second,) = gate(base, slow, FAST).quality
    # 2 / 2^7 is below 0.02, and 2 / 2^8 below 0.01: at the smallest shares, as many of 20 are lost with 95 %.
    for one, fewest in ((metric, 7), (second, 8)):
        share = one.detectable
        fewer = sum(math.comb(20, k) * share**k * (1 - share) ** (20 - k) for k in range(fewest))
        assert fewer == about(0.05)
    assert [(one.figure, one.gates, one.p_adjusted) for one in gate(base, busy, FAST).speed] == [
        ("ttft", True, None),
        ("latency", False, None),
    ]
    ttft, latency = gate(base, slow, FAST).speed
    assert (ttft.p_adjusted, ttft.verdict) == (about(2 * ttft.p_value), "worse")
    assert (latency.p_adjusted, latency.verdict) == (None, "worse")


def test_quality_and_speed_share_the_error(make: Make) -> None:
    # 2 / 2^7 doubled is above 0.02 for the metric; 20 slow answers are sure enough.
    base, slow = figures(make([1] * 20), "ttft"), figures(make([0] * 7 + [1] * 13), "ttft", factor=2.0)
    result = gate(base, slow, FAST)
    assert [(one.p_adjusted, one.verdict) for one in result.quality] == [(about(2 / 2**7), "worse")]
    assert [(one.p_adjusted, one.verdict) for one in result.speed] == [(about(4 / 2**20), "worse")]
    assert result.worse == (*result.quality, *result.speed) == result.verdicts
    assert gate(base, slow, replace(FAST, speed="off")).speed == ()


def test_rounds_take_the_place_of_times_of_their_system_and_task_and_passes_stay(make: Make) -> None:
    base = make([1] * 20)
    kept = figures(base, "ttft", "rtf").timings
    passes = figures(base, "nfe_per_code", unit="passes").timings
    elsewhere = replace(kept[0], system="more"), replace(kept[0], task="second")
    base = replace(
        base,
        timings=(*kept, *passes, *elsewhere),
        systems={**base.systems, "more": base.systems["sys"]},
        tasks={**base.tasks, "second": base.tasks["task"]},
    )
    rounds = [Rounds("sys", "task", "ttft", "s", [1.0, 1.1], [1.0, 1.1])]
    found = gate(base, base, FAST, rounds=rounds).speed
    assert [(one.system, one.task, one.figure, one.measured) for one in found] == [
        ("sys", "task", "ttft", "interleaved"),
        ("sys", "task", "nfe_per_code", "runs"),
        ("more", "task", "ttft", "runs"),
        ("sys", "second", "ttft", "runs"),
    ]
    assert [one.limit for one in gate(base, base, replace(FAST, figures={"ttft": SpeedChange(factor=3.0)})).speed] == [
        *(3.0, 1.1, 1.1, 3.0, 3.0)
    ]


def test_a_figure_that_the_run_lacks_hides_none_behind_it(make: Make) -> None:
    base = figures(make([1] * 20), "gone", "once", "rtf")
    once = replace(base.timings[1], values={"s0": 1.0})
    now = replace(base, timings=(base.timings[2], once))
    assert [one.figure for one in gate(base, now, FAST).speed] == ["rtf"]


@pytest.mark.parametrize("known", ["baseline", "run"])
def test_other_calibrations_say_nothing_and_a_load_that_is_not_known_stays_so(make: Make, known: str) -> None:
    base, now = figures(make([1] * 20), "ttft"), figures(make([1] * 20), "ttft")
    now = replace(now, machine=replace(now.machine, calibration="numpy"))
    sides = (base, replace(now, loads={})) if known == "baseline" else (replace(base, loads={}), now)
    (one,) = gate(*sides, FAST, allow=["calibration"]).speed
    assert (one.busy, one.calibration) == ("the machine's load isn't known", 1.0)


def test_required_speed_names_every_figure_that_gates_and_is_open(make: Make) -> None:
    base = figures(make([1] * 20), "ttft", "once", "latency", "rtf")
    once = replace(base.timings[1], figure="ttfa_wave", values={"s0": 1.0})
    base = replace(base, timings=(base.timings[0], once, *base.timings[2:]))
    busy = replace(base, loads={("sys", "task"): MachineLoad(0.01, 1.0)})
    why = "during the run other processes kept 1.0 cores busy (allowed: 0.2)"
    result = gate(base, busy, REQUIRED)
    assert result.problems == (
        f"speed is required, but ttft of sys on task is open: {why}.",
        "speed is required, but ttfa_wave of sys on task is open: it has fewer than two measurements.",
        f"speed is required, but rtf of sys on task is open: {why}.",
    )
    assert (result.state, len(result.speed)) == ("invalid", 3)
    result = gate(base, base, REQUIRED)
    assert result.problems == (
        "speed is required, but ttfa_wave of sys on task is open: it has fewer than two measurements.",
    )
    assert gate(base, busy, FAST).problems == gate(figures(base, "rtf"), figures(base, "rtf"), REQUIRED).problems == ()


def test_of_a_system_that_is_left_out_no_speed_is_required(make: Make) -> None:
    base = figures(make([1] * 20), "ttft")
    gone = replace(base.timings[0], system="gone", values={"s0": 1.0})
    more = replace(base, systems={"gone": base.systems["sys"], **base.systems}, timings=(gone, *base.timings))
    assert gate(more, base, REQUIRED, allow=["systems"]).state == "pass"
    alone = replace(more, timings=(gone,))
    result = gate(alone, base, REQUIRED, allow=["systems"])
    assert result.problems == ("speed is required, but nothing was timed.",)
    # What was timed without gating is something.
    aside = figures(base, "latency")
    assert gate(aside, aside, REQUIRED).state == "pass"


def test_a_metric_or_a_figure_that_gates_is_enough(make: Make) -> None:
    off = {"": QualityChange(gates=False)}
    told = ("nothing gates: whatever comes out, this passes.",)
    timed, aside = figures(make([1] * 4), "ttft"), figures(make([1] * 4), "latency")
    assert gate(timed, timed, replace(FAST, quality=off)).warnings == ()
    assert gate(aside, aside, FAST).warnings == ()
    assert gate(aside, aside, replace(FAST, quality=off)).warnings == told


def test_a_label_is_changed_wherever_it_stands(make: Make) -> None:
    base = make(times=[1.0] * 4)
    other = replace(base.systems["sys"], name="other")
    two = replace(
        base, systems={**base.systems, "more": other}, loads={**base.loads, ("more", "task"): MachineLoad(1, 1)}
    )
    changed = renamed(two, {"sys": "more", "more": "sys"})
    assert changed == replace(
        two,
        systems={"more": base.systems["sys"], "sys": other},
        metrics=(replace(base.metrics[0], system="more"),),
        timings=(replace(base.timings[0], system="more"),),
        loads={("more", "task"): base.loads["sys", "task"], ("sys", "task"): MachineLoad(1, 1)},
        answers={("more", "task"): base.answers["sys", "task"]},
    )
    with pytest.raises(UserError) as raised:
        renamed(two, {"sis": "x"})
    assert str(raised.value) == "--match sis=x: the run has no 'sis'. Did you mean 'sys'?"
    with pytest.raises(UserError) as raised:
        renamed(two, {"sys": "more"})
    assert str(raised.value) == "--match: two systems of the run would be called 'more'; match the other one too."
