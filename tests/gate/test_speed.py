"""The gate's verdict on speed: a test and a factor, both on a quiet machine; rounds in turns; required speed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tttbench.gate.decide import gate
from tttbench.gate.rules import QualityChange, Rules, SpeedChange, SpeedRule
from tttbench.gate.snapshot import Snapshot, Timing
from tttbench.gate.speed import (
    Rounds,
    Timed,
    calibration_ratio,
    compare_rounds,
    compare_runs,
    decide,
    disturbance,
    fewest_pairs,
    fewest_rounds,
)
from tttbench.gate.verdict import SpeedVerdict
from tttbench.probes.machine_load import MachineLoad
from tttbench.stats.bootstrap import mean_interval
from tttbench.stats.permutation import permutation_test
from tttbench.store.manifest import Machine

about: Any = pytest.approx
"""Stands where a number is wanted."""

Make = Callable[..., Snapshot]


def test_slower_by_more_than_the_factor_is_a_regression(make: Make) -> None:
    times = [1.0 + 0.01 * at for at in range(20)]
    result = gate(make([1] * 20, times=times), make([1] * 20, times=[1.2 * t for t in times]), Rules())
    (one,) = result.speed
    assert one.factor == about(1.2)
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
        (MachineLoad(0.02, 0.0), "during the run the machine itself took 2.00 times as long"),
        (MachineLoad(0.005, 0.0), "during the baseline the machine itself took 2.00 times as long"),
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


def test_rounds_in_turns_take_the_place_of_the_runs_times(make: Make) -> None:
    now = make([1] * 20, times=[9.0] * 20)
    now = replace(now, loads={("sys", "task"): MachineLoad(0.01, 2.0)}, machine=Machine("other"))
    before = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07]
    rounds = [Rounds("sys", "task", "ttft", "s", before, [1.3 * t for t in before])]
    result = gate(make([1] * 20, times=[1.0] * 20), now, Rules(), rounds=rounds)
    (one,) = result.speed
    # All of 8 above all of 8: 2 / C(16, 8).
    assert one.p_value == about(2 / 12_870)
    assert (one.measured, one.n, one.verdict, result.exit_code) == ("interleaved", 8, "worse", 1)


def test_runs_have_to_be_slower_by_the_drift_that_is_allowed_and_rounds_in_turns_not(make: Make) -> None:
    run = make([1] * 20, times=[1.0] * 20)
    (apart,) = gate(run, run, Rules()).speed
    # No spread at all: the limit, and as much as the calibration time may have drifted.
    assert apart.detectable == about(1.1 * 1.1)
    (narrow,) = gate(run, run, Rules(max_calibration_difference=0.05)).speed
    assert narrow.detectable == about(1.1 * 1.05)
    rounds = [Rounds("sys", "task", "ttft", "s", [1.0] * 8, [1.0] * 8)]
    (in_turns,) = gate(run, run, Rules(), rounds=rounds).speed
    assert in_turns.detectable == about(1.1)


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
    assert gate(run, run, alone).speed[0].detectable == about(1.1 * 1.1)
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


RULE = SpeedRule(gates=True, factor=1.25)
FEW = Rules(seed=5, resamples=300)


def timing(values: dict[str, float], unit: str = "s") -> Timing:
    return Timing("sys", "task", "ttft", unit, values)


def test_the_whole_comparison_of_two_runs() -> None:
    before = timing({"alone": 9.0, "a": 1.0, "b": 2.0, "c": 4.0})
    now = timing({"a": 2.0, "b": 2.0, "c": 8.0, "new": 9.0})
    found = compare_runs(before, now, RULE, FEW, busy="much to do", calibration=1.05)
    assert found is not None
    # Twice as slow, as slow, twice as slow: 2^(2/3) in all, and its logarithm's error by hand.
    logs = [math.log(2), 0.0, math.log(2)]
    spread = math.sqrt(sum((one - 2 / 3 * math.log(2)) ** 2 for one in logs) / 2)
    assert found.error == about(spread / math.sqrt(3))
    interval = mean_interval(logs, seed=5, n_resamples=300)
    one = found.verdict
    assert (one.low, one.high) == (about(math.exp(interval.low)), about(math.exp(interval.high)))
    assert one == SpeedVerdict(
        "sys", "task", "ttft", "s",
        baseline=about(2.0), run=about(2.0), factor=about(2 ** (2 / 3)),
        low=one.low, high=one.high, n=3, measured="runs", p_value=about(0.5), p_adjusted=None,
        limit=1.25, detectable=one.detectable, calibration=1.05, busy="much to do", gates=True, verdict="cannot tell",
    )  # fmt: skip
    assert math.isnan(one.detectable)


@pytest.mark.parametrize(("n", "there"), [(0, False), (1, False), (2, True)])
def test_two_pairs_can_be_compared(n: int, there: bool) -> None:
    values = {f"s{at}": 1.0 + at for at in range(n)}
    assert (compare_runs(timing(values), timing(values), RULE, FEW) is not None) is there


def test_intervals_and_tests_are_of_the_rules_seed_and_resamples() -> None:
    before = {f"s{at}": 1.0 + at % 3 for at in range(24)}
    now = {f"s{at}": (1.0 + at % 3) * (0.8 + at % 7 / 11) for at in range(24)}
    found = compare_runs(timing(before), timing(now), RULE, FEW)
    assert found is not None
    a, b, ones = [math.log(one) for one in before.values()], [math.log(one) for one in now.values()], [1.0] * 24
    interval = mean_interval([y - x for x, y in zip(a, b, strict=True)], seed=5, n_resamples=300)
    assert (math.log(found.verdict.low), math.log(found.verdict.high)) == about((interval.low, interval.high))
    assert found.verdict.p_value == permutation_test(a, ones, b, ones, seed=5, n_draws=600).p_value
    rounds = Rounds("sys", "task", "ttft", "s", list(before.values()), list(now.values()))
    interleaved = compare_rounds(rounds, RULE, FEW).verdict
    assert (interleaved.low, interleaved.high) == about((found.verdict.low, found.verdict.high))


def test_passes_are_of_no_machine() -> None:
    values = {"a": 1.0, "b": 2.0}
    found = compare_runs(
        timing(values, unit="passes"), timing(values, unit="passes"), RULE, FEW, busy="x", calibration=2
    )
    assert found is not None
    assert (found.verdict.busy, found.verdict.calibration) == ("", 1.0)


def test_the_whole_comparison_of_rounds() -> None:
    found = compare_rounds(Rounds("sys", "task", "rtf", "ratio", [1.0, 2.0, 4.0], [2.0, 8.0]), RULE, FEW)
    one = found.verdict
    # Ratios of all pairs: 2, 1, 1/2 and 8, 4, 2; variances of the logarithms are ln 2 squared times 1 and 2.
    assert found.error == about(math.log(2) * math.sqrt((1 + 2) / 2))
    interval = mean_interval([math.log(2), math.log(4)], seed=5, n_resamples=300)
    assert (one.low, one.high) == (about(math.exp(interval.low)), about(math.exp(interval.high)))
    assert one == SpeedVerdict(
        "sys", "task", "rtf", "ratio",
        baseline=2.0, run=5.0, factor=about(2.0), low=one.low, high=one.high, n=2, measured="interleaved",
        p_value=one.p_value, p_adjusted=None, limit=1.25, detectable=one.detectable, calibration=1.0, busy="",
        gates=True, verdict="cannot tell",
    )  # fmt: skip
    with warnings.catch_warnings(action="error"):
        alone = compare_rounds(Rounds("sys", "task", "rtf", "ratio", [1.0], [2.0]), RULE, FEW)
    assert (alone.verdict.n, math.isnan(alone.error)) == (1, True)


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (None, MachineLoad(1.0, 0.0), "the machine's load isn't known"),
        (MachineLoad(1.0, 0.0), None, "the machine's load isn't known"),
        (MachineLoad(1.0, 0.5), MachineLoad(1.0, None), ""),
        (
            MachineLoad(1.0, 0.51),
            MachineLoad(1.0, 3.0),
            "during the baseline other processes kept 0.5 cores busy (allowed: 0.5)",
        ),
        (
            MachineLoad(1.0, None),
            MachineLoad(3.0, 0.75),
            "during the run other processes kept 0.8 cores busy (allowed: 0.5)",
        ),
        (MachineLoad(1.0, 0.0), MachineLoad(2.0, 0.0), ""),
        (MachineLoad(2.0, 0.0), MachineLoad(1.0, 0.0), ""),
        (
            MachineLoad(1.0, 0.0),
            MachineLoad(2.01, 0.0),
            "during the run the machine itself took 2.01 times as long for a fixed piece of work (allowed: 2)",
        ),
        (
            MachineLoad(2.0, 0.0),
            MachineLoad(0.98, 0.0),
            "during the baseline the machine itself took 2.04 times as long for a fixed piece of work (allowed: 2)",
        ),
    ],
)
def test_what_disturbs_a_comparison(before: MachineLoad | None, now: MachineLoad | None, why: str) -> None:
    assert disturbance(before, now, Rules(max_others_cores=0.5, max_calibration_difference=1.0)) == why


def test_how_much_slower_the_machine_itself_was() -> None:
    slow, fast = MachineLoad(3.0, None), MachineLoad(2.0, None)
    assert (calibration_ratio(fast, slow), calibration_ratio(slow, fast)) == (1.5, about(2 / 3))
    assert [calibration_ratio(*sides) for sides in ((None, slow), (slow, None), (None, None))] == [1.0] * 3


def undecided(**given: object) -> SpeedVerdict:
    plain = SpeedVerdict(
        "sys", "task", "ttft", "s",
        baseline=1.0, run=1.0, factor=1.0, low=0.25, high=4.0, n=20, measured="runs", p_value=0.01, p_adjusted=None,
        limit=2.0, detectable=math.nan, calibration=1.0, busy="", gates=True, verdict="cannot tell",
    )  # fmt: skip
    return replace(plain, **given)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("given", "p_adjusted", "verdict"),
    [
        ({"low": 0.5, "high": 2.0, "factor": 9.0}, 0.01, "same"),
        ({"low": 0.49, "high": 2.0, "factor": 1.0}, 0.01, "cannot tell"),
        ({"low": 0.5, "high": 2.1, "factor": 1.0}, 0.01, "cannot tell"),
        ({"low": 0.5, "high": 2.0, "busy": "x"}, 0.01, "cannot tell"),
        ({"factor": 2.0}, 0.01, "cannot tell"),
        ({"factor": 2.1}, 0.02, "worse"),
        ({"factor": 2.1}, 0.021, "cannot tell"),
        ({"factor": 2.1}, None, "worse"),
        ({"factor": 2.1, "p_value": 0.03}, None, "cannot tell"),
        ({"factor": 0.5}, 0.01, "cannot tell"),
        ({"factor": 0.49}, 0.02, "better"),
        ({"factor": 0.49}, 0.021, "cannot tell"),
        # A machine of 1.5 times the time explains 3 of a limit of 2, and nothing of what became faster.
        ({"factor": 3.0, "calibration": 1.5}, 0.01, "cannot tell"),
        ({"factor": 3.1, "calibration": 1.5}, 0.01, "worse"),
        ({"factor": 0.49, "calibration": 1.5}, 0.01, "better"),
        ({"factor": 0.25, "calibration": 0.5}, 0.01, "cannot tell"),
        ({"factor": 0.24, "calibration": 0.5}, 0.01, "better"),
        ({"factor": 2.1, "calibration": 0.5}, 0.01, "worse"),
    ],
)
def test_verdicts_at_their_edges(given: dict[str, object], p_adjusted: float | None, verdict: str) -> None:
    found = decide(Timed(undecided(**given), 0.1), p_adjusted, level=0.98, rules=Rules())
    assert (found.verdict, found.p_adjusted) == (verdict, p_adjusted)


@pytest.mark.parametrize(
    ("given", "error", "expected"),
    [
        # Quantiles of the normal distribution: 2.3263 for 98 % two-sided, 1.2816 for a power of 90 %.
        ({}, 0.1, math.log(1.5) + math.log(2) + 0.12816),
        ({}, 1.0, math.log(1.5) + 2.32635 + 1.28155),
        ({"measured": "interleaved"}, 0.1, math.log(2) + 0.12816),
        ({"unit": "passes"}, 0.1, math.log(2) + 0.12816),
        ({"n": 7}, 0.1, math.log(1.5) + math.log(2) + 0.12816),
        ({"n": 6}, 0.1, None),
        ({"n": 5, "measured": "interleaved"}, 0.1, math.log(2) + 0.12816),
        ({"n": 4, "measured": "interleaved"}, 0.1, None),
        ({"busy": "x"}, 0.1, None),
        ({}, math.nan, None),
    ],
)
def test_the_smallest_factor_that_would_show(given: dict[str, object], error: float, expected: float | None) -> None:
    rules = Rules(power=0.9, max_calibration_difference=0.5)
    found = decide(Timed(undecided(**given), error), None, level=0.98, rules=rules).detectable
    assert found == about(math.nan if expected is None else math.exp(expected), rel=1e-4, nan_ok=True)


def test_as_many_measurements_as_a_test_needs() -> None:
    # 2 / 2^7 = 1/64, and 2 / C(8, 4) = 1/35.
    assert [fewest_pairs(one) for one in (2.0, 1.0, 1 / 64, 0.02, 0.0156)] == [0, 1, 7, 7, 8]
    assert [fewest_rounds(one) for one in (1.0, 1 / 35, 0.0285, 0.02)] == [1, 4, 5, 5]
