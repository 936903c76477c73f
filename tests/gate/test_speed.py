"""The gate's verdict on speed: a test and a factor, both on a quiet machine; rounds in turns; required speed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from tttbench.gate.decide import gate
from tttbench.gate.rules import QualityChange, Rules, SpeedChange
from tttbench.gate.snapshot import MachineLoad, Snapshot
from tttbench.gate.speed import Rounds
from tttbench.store.manifest import Machine

Make = Callable[..., Snapshot]


def test_slower_by_more_than_the_factor_is_a_regression(make: Make) -> None:
    times = [1.0 + 0.01 * at for at in range(20)]
    result = gate(make([1] * 20, times=times), make([1] * 20, times=[1.2 * t for t in times]), Rules())
    (one,) = result.speed
    assert one.factor == pytest.approx(1.2)
    assert (one.verdict, result.exit_code) == ("worse", 1)


def test_surely_slower_within_the_factor_is_the_same(make: Make) -> None:
    times = [1.0 + 0.01 * at for at in range(20)]
    (one,) = gate(make([1] * 20, times=times), make([1] * 20, times=[1.05 * t for t in times]), Rules()).speed
    assert one.p_value < 0.001
    assert one.verdict == "same"


def test_few_slow_answers_cannot_be_told(make: Make) -> None:
    before, now = [1.0] * 20, [1.0] * 16 + [9.0] * 4
    result = gate(make([1] * 20, times=before), make([1] * 20, times=now), Rules())
    assert result.speed[0].factor > 1.1
    assert (result.speed[0].verdict, result.exit_code) == ("cannot tell", 0)


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (MachineLoad(0.01, 1.3), "1.3 cores busy"),
        (MachineLoad(0.02, 0.0), "2.00 times as long"),
        (MachineLoad(0.005, 0.0), "0.50 times as long"),
        (None, "the machine's load isn't known"),
    ],
)
def test_a_busy_machine_leaves_it_open(make: Make, load: MachineLoad | None, why: str) -> None:
    now = make([1] * 20, times=[2.0] * 20)
    now = replace(now, loads={} if load is None else {("sys", "task"): load})
    result = gate(make([1] * 20, times=[1.0] * 20), now, Rules())
    assert why in result.speed[0].busy
    assert (result.speed[0].verdict, result.speed[0].p_adjusted, result.exit_code) == ("cannot tell", None, 0)
    required = gate(make([1] * 20, times=[1.0] * 20), now, Rules(speed="required"))
    assert required.exit_code == 3
    assert why in required.problems[0]


@pytest.mark.parametrize(("calibration_s", "verdict"), [(0.01, "worse"), (0.0109, "cannot tell"), (0.0095, "worse")])
def test_what_the_machines_pace_explains_does_not_count(make: Make, calibration_s: float, verdict: str) -> None:
    # 1.15 times as slow, of which a machine that is 1.09 times as slow explains all but 1.055.
    now = replace(make([1] * 20, times=[1.15] * 20), loads={("sys", "task"): MachineLoad(calibration_s, 0.0)})
    assert gate(make([1] * 20, times=[1.0] * 20), now, Rules()).speed[0].verdict == verdict


@pytest.mark.parametrize(("calibration_s", "verdict"), [(0.01, "better"), (0.0092, "cannot tell"), (0.0105, "better")])
def test_what_a_faster_machine_explains_is_no_merit(make: Make, calibration_s: float, verdict: str) -> None:
    # 0.87 times as long, of which a machine that takes 0.92 times as long explains all but 0.946.
    now = replace(make([1] * 20, times=[0.87] * 20), loads={("sys", "task"): MachineLoad(calibration_s, 0.0)})
    assert gate(make([1] * 20, times=[1.0] * 20), now, Rules()).speed[0].verdict == verdict


def test_passes_of_the_network_know_no_busy_machine(make: Make) -> None:
    def passes(values: list[float]) -> Snapshot:
        one = make([1] * 20, times=values)
        timing = replace(one.timings[0], figure="nfe_per_code", unit="passes")
        return replace(one, timings=(timing,), loads={("sys", "task"): MachineLoad(0.01, 2.0)})

    rules = Rules(figures={"nfe_per_code": SpeedChange(gates=True)})
    assert gate(passes([1.0] * 20), passes([1.2] * 20), rules).exit_code == 1


def test_calibrations_of_two_kinds_say_nothing_about_the_machine_together(make: Make) -> None:
    before, now = make([1] * 20, times=[1.0] * 20), make([1] * 20, times=[1.0] * 20)
    # NumPy's piece of work takes three times as long as torch's: the machine was no slower.
    machine = replace(now.machine, calibration="numpy")
    now = replace(now, machine=machine, loads={("sys", "task"): MachineLoad(0.03, 0.0)})
    result = gate(before, now, Rules(), allow=["calibration"])
    assert [(one.calibration, one.busy, one.verdict) for one in result.speed] == [(1.0, "", "same")]


def test_answers_of_one_call_are_one_measurement(make: Make) -> None:
    def timed(times: list[float]) -> Snapshot:
        one = make([1] * 16, times=times)
        calls = {f"s{at}": at // 8 for at in range(16)}
        return replace(one, timings=(replace(one.timings[0], calls=calls),))

    result = gate(timed([1.0] * 16), timed([1.5] * 16), Rules())
    assert result.speed[0].n == 2
    assert result.speed[0].verdict == "cannot tell"


def test_rounds_in_turns_take_the_place_of_the_runs_times(make: Make) -> None:
    now = make([1] * 20, times=[9.0] * 20)
    now = replace(now, loads={("sys", "task"): MachineLoad(0.01, 2.0)}, machine=Machine("other"))
    before = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07]
    rounds = [Rounds("sys", "task", "ttft", "s", before, [1.3 * t for t in before])]
    result = gate(make([1] * 20, times=[1.0] * 20), now, Rules(), rounds=rounds)
    (one,) = result.speed
    # All of 8 above all of 8: 2 / C(16, 8).
    assert one.p_value == pytest.approx(2 / 12_870)
    assert (one.measured, one.n, one.verdict, result.exit_code) == ("interleaved", 8, "worse", 1)


def test_runs_have_to_be_slower_by_the_drift_that_is_allowed_and_rounds_in_turns_not(make: Make) -> None:
    run = make([1] * 20, times=[1.0] * 20)
    (apart,) = gate(run, run, Rules()).speed
    # No spread at all: the limit, and as much as the calibration time may have drifted.
    assert apart.detectable == pytest.approx(1.1 * 1.1)
    (narrow,) = gate(run, run, Rules(max_calibration_difference=0.05)).speed
    assert narrow.detectable == pytest.approx(1.1 * 1.05)
    rounds = [Rounds("sys", "task", "ttft", "s", [1.0] * 8, [1.0] * 8)]
    (in_turns,) = gate(run, run, Rules(), rounds=rounds).speed
    assert in_turns.detectable == pytest.approx(1.1)


def test_required_speed_without_any_times(make: Make) -> None:
    result = gate(make(), make(), Rules(speed="required"))
    assert (result.exit_code, result.problems) == (3, ("speed is required, but nothing was timed.",))


def test_required_speed_with_a_single_pair(make: Make) -> None:
    before, now = make([1] * 20, times=[1.0] * 20), make([1] * 20, times=[50.0] * 20)
    one = replace(before.timings[0], values={"s0": 1.0})
    result = gate(replace(before, timings=(one,)), now, Rules(speed="required"))
    assert result.exit_code == 3
    assert "fewer than two measurements" in result.problems[0]


def test_required_speed_a_figure_that_most_samples_have_lost(make: Make) -> None:
    before = make([1] * 20, times=[1.0] * 20)
    now = replace(before, timings=(replace(before.timings[0], values={"s0": 50.0}),))
    (one,) = gate(before, now, Rules()).differences
    assert (one.field, one.run) == ("timings", "19 of them not")


@pytest.mark.parametrize(("n_timed", "lost"), [(18, []), (17, ["3 of them not"])])
def test_a_figure_may_be_lost_on_one_of_ten_samples(make: Make, n_timed: int, lost: list[str]) -> None:
    before = make([1] * 20, times=[1.0] * 20)
    left = {f"s{at}": 1.0 for at in range(n_timed)}
    now = replace(before, timings=(replace(before.timings[0], values=left),))
    assert [one.run for one in gate(before, now, Rules()).differences] == lost


def test_what_pairs_would_show_is_told_at_the_strictest_level_of_all_that_gates(make: Make) -> None:
    # Of 7 pairs that are all slower p = 2 / 2^7 = 0.016: enough at 0.02 alone, too much at 0.01 beside a metric.
    run = make([1] * 7, times=[1.0] * 7)
    alone = Rules(quality={"": QualityChange(gates=False)})
    assert gate(run, run, alone).speed[0].detectable == pytest.approx(1.1 * 1.1)
    assert math.isnan(gate(run, run, Rules()).speed[0].detectable)


def test_too_few_rounds_find_nothing_and_say_so(make: Make) -> None:
    run = make([1] * 20, times=[1.0] * 20)

    def slower(n: int) -> tuple[str, bool]:
        rounds = [
            Rounds("sys", "task", "ttft", "s", [1.0 + at / 100 for at in range(n)], [100.0 + at for at in range(n)])
        ]
        (one,) = gate(run, run, Rules(quality={"": QualityChange(gates=False)}), rounds=rounds).speed
        return one.verdict, one.detectable == one.detectable

    # 2 / C(8, 4) = 0.029 and 2 / C(10, 5) = 0.008.
    assert slower(4) == ("cannot tell", False)
    assert slower(5) == ("worse", True)
