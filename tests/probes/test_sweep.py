"""Points in turns on a clock of the test's own: who is asked when, what ends each, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from reference_model.roofline import Ceilings, Work
from tttbench.core.exchange import Conditions, Trace
from tttbench.core.system import PassRun
from tttbench.probes.latency import Timed
from tttbench.probes.stopping import Stopping
from tttbench.probes.sweep import Measured, PointResult, Subject, results_of, sweep
from tttbench.probes.turn import Turn


def turn(latency_s: float, *, memory: int = 10**6, device: int | None = None, percent: float = 0.0) -> Turn:
    """One request answered in ``latency_s`` with 10 codes; without an answer if that is nan."""
    if math.isnan(latency_s):
        return Turn((), ("r: tired",), 1.0, (), memory, device)
    passes = (PassRun(Work(flops=percent, bytes=0.0), seconds=1.0, prefill=False),) if percent else ()
    timed = Timed(Trace(end_s=latency_s), n_codes=10, sample_rate=0, answer_s=0.0, input_s=0.0)
    return Turn((timed,), (), latency_s, passes, memory, device)


class World:
    """A clock and points; each turn of a point takes the next of its seconds, the last one again and again."""

    def __init__(self, **seconds: Sequence[float]) -> None:
        self.now_s = 0.0
        self.asked: list[str] = []
        self.afresh: list[bool] = []
        self.subjects = [self._subject(name, list(values)) for name, values in seconds.items()]

    def _subject(self, name: str, seconds: list[float]) -> Subject:
        def take(afresh: bool) -> Turn:
            self.asked.append(name)
            self.afresh.append(afresh)
            taken_s = seconds.pop(0) if len(seconds) > 1 else seconds[0]
            if taken_s < 0:
                raise KeyboardInterrupt
            self.now_s += 1.0 if math.isnan(taken_s) else taken_s
            return turn(taken_s)

        return Subject({"strategy": name}, name, take)

    def sweep(self, rule: Stopping, warmup: int = 0) -> dict[str, Measured]:
        found = sweep(self.subjects, rule, warmup, lambda: self.now_s)
        return {one.subject.strategy: one for one in found}


def test_points_take_turns() -> None:
    world = World(a=[1.0], b=[1.0], c=[1.0])
    world.sweep(Stopping(repeats=2))
    assert "".join(world.asked) == "abcabc"


def test_the_warm_up_does_not_count() -> None:
    world = World(a=[9.0, 9.0, 1.0], b=[9.0, 9.0, 2.0])
    found = world.sweep(Stopping(repeats=2), warmup=2)
    assert "".join(world.asked) == "abababab"
    assert [one.latency_s for one in found["a"].turns] == [1.0, 1.0]


def test_memory_is_given_back_before_the_last_turn_of_the_warm_up_alone() -> None:
    world = World(a=[1.0])
    found = world.sweep(Stopping(repeats=2), warmup=2)
    assert world.afresh == [False, True, False, False]
    assert found["a"].warm is not None


def test_a_steady_point_ends_by_precision_after_six_repeats() -> None:
    found = World(a=[1.0]).sweep(Stopping(budget_s=1000.0))
    assert (found["a"].ended, len(found["a"].turns)) == ("precision", 6)


def test_an_unsteady_point_ends_when_its_time_is_over() -> None:
    found = World(a=[1.0, 2.0] * 50).sweep(Stopping(budget_s=9.0))
    # 1, 3, 4, 6, 7, 9 s.
    assert (found["a"].ended, len(found["a"].turns)) == ("budget", 6)


def test_every_point_gets_three_repeats_whatever_the_budget() -> None:
    found = World(a=[1.0], b=[5.0]).sweep(Stopping(budget_s=0.0))
    assert [(one.ended, len(one.turns)) for one in found.values()] == [("budget", 3), ("budget", 3)]


def test_slow_points_get_no_more_time_than_quick_ones() -> None:
    unsteady = [1.0, 1.5] * 50
    found = World(quick=unsteady, slow=[10 * value for value in unsteady]).sweep(Stopping(budget_s=100.0))
    # 50 s each: 40 turns of 1.25 s on average; and 4 of 12.5 s.
    assert {name: len(one.turns) for name, one in found.items()} == {"quick": 40, "slow": 4}


def test_what_a_steady_point_leaves_goes_to_the_others() -> None:
    found = World(steady=[1.0], unsteady=[1.0, 2.0] * 100).sweep(Stopping(budget_s=60.0))
    assert found["steady"].ended == "precision"
    # 60 s less the 6 s of the steady point, at 1.5 s on average.
    assert (found["unsteady"].ended, len(found["unsteady"].turns)) == ("budget", 36)


def test_the_warm_up_is_part_of_the_budget() -> None:
    found = World(a=[50.0, 1.0, 2.0, 1.0, 2.0]).sweep(Stopping(budget_s=50.0), warmup=1)
    assert (found["a"].ended, len(found["a"].turns)) == ("budget", 3)


def test_a_point_that_never_answers_ends_as_failed_and_the_others_go_on() -> None:
    found = World(a=[math.nan], b=[1.0]).sweep(Stopping(budget_s=1000.0))
    assert (found["a"].ended, len(found["a"].turns)) == ("failed", 3)
    assert (found["b"].ended, len(found["b"].turns)) == ("precision", 6)


def test_an_interrupt_keeps_what_was_measured() -> None:
    found = World(a=[1.0, 1.0, -1.0], b=[1.0], c=[1.0]).sweep(Stopping(budget_s=1000.0))
    assert {name: (one.ended, len(one.turns)) for name, one in found.items()} == dict.fromkeys(
        "abc", ("interrupted", 2)
    )


def test_points_that_were_not_reached_are_left_out() -> None:
    assert list(World(a=[1.0], b=[-1.0], c=[1.0]).sweep(Stopping())) == ["a"]


def test_points_are_told_as_they_end() -> None:
    world, told = World(a=[1.0], b=[2.0]), []
    sweep(world.subjects, Stopping(repeats=1), 0, lambda: world.now_s, lambda one: told.append(one.subject.strategy))
    assert told == ["a", "b"]


def measured(*turns: Turn, warm: Turn | None = None) -> Measured:
    return Measured(Subject({"batch_size": 1}, "topk", lambda _: turns[0]), turns, "budget", warm)


def result_of(one: Measured, system: str, task: str, ceilings: Ceilings | None) -> PointResult:
    (found,) = results_of([one], system, task, ceilings)
    return found


def test_a_result_has_medians_over_repeats_with_their_intervals() -> None:
    found = result_of(measured(*(turn(float(second)) for second in range(1, 10))), "s", "t", None)
    assert (found.intervals["latency"].low, found.intervals["latency"].high) == (2.0, 8.0)
    latency = found.probe("latency")
    assert latency is not None
    assert (latency.system, latency.strategy, latency.task, latency.p50, latency.n) == ("s", "topk", "t", 5.0, 9)
    assert math.isnan(latency.p90)
    # 10 codes in 5 s.
    assert found.intervals["throughput_codes_per_s"].median == pytest.approx(2.0)
    assert found.latencies_s == tuple(float(second) for second in range(1, 10))


def test_the_percent_of_the_limit_is_the_median_over_repeats() -> None:
    turns = [turn(1.0, percent=value) for value in (10.0, 30.0, 80.0)]
    found = result_of(measured(*turns), "s", "t", Ceilings(peak_flops=100.0, bandwidth=1.0))
    assert found.intervals["percent_of_limit"].median == pytest.approx(30.0)


def test_systems_that_tell_no_passes_have_no_percent_of_the_limit() -> None:
    found = result_of(measured(turn(1.0)), "s", "t", None)
    assert found.probe("percent_of_limit") is None


def test_peak_memory_is_that_of_the_warm_up_where_there_was_one() -> None:
    cold = result_of(measured(turn(1.0, memory=5 * 10**6), turn(1.0, memory=7 * 10**6)), "s", "t", None)
    warm = result_of(measured(turn(1.0, memory=5 * 10**6), warm=turn(1.0, memory=4 * 10**6)), "s", "t", None)
    peaks = [found.probe("peak_memory") for found in (cold, warm)]
    assert [peak and peak.p50 for peak in peaks] == [7.0, 4.0]


def test_the_memory_of_a_device_is_a_figure_of_its_own() -> None:
    found = result_of(measured(turn(1.0, device=3 * 10**6)), "s", "t", None).probe("peak_memory_device")
    assert found is not None
    assert found.p50 == 3.0


def test_errors_are_kept() -> None:
    assert result_of(measured(turn(math.nan), turn(1.0)), "s", "t", None).errors == ("r: tired",)


def test_every_figure_has_an_interval_of_its_median_over_repeats() -> None:
    # Each repeat's real-time factor is its seconds over 0.5 s of input; the 2nd and the 8th of nine hold the median.
    turns = [
        replace(turn(float(second)), timed=(replace(turn(float(second)).timed[0], input_s=0.5),))
        for second in range(1, 10)
    ]
    found = result_of(measured(*turns), "s", "t", None)
    one = found.intervals["rtf_input"]
    assert (one.low, one.median, one.high) == (4.0, 10.0, 16.0)
    assert found.known_within == pytest.approx(6.0 / 5.0)


def test_of_fewer_than_six_repeats_nothing_is_known() -> None:
    assert result_of(measured(*(turn(1.0) for _ in range(5))), "s", "t", None).known_within is None
    assert result_of(measured(*(turn(1.0) for _ in range(6))), "s", "t", None).known_within == 0.0


def together(seconds: float) -> Turn:
    """Two requests in one call, of which each ends with the call, its compute being half of it."""
    trace = Trace(end_s=seconds, compute_s=seconds / 2)
    one = Timed(trace, n_codes=10, sample_rate=0, answer_s=0.0, input_s=4.0, together=2)
    return Turn((one, one), (), seconds, (), 10**6, None)


def test_requests_that_are_generated_together_have_throughput_and_compute_and_no_latency() -> None:
    point = {"batch_size": 2}
    one = Measured(Subject(point, "", lambda _: together(2.0)), tuple(together(2.0) for _ in range(6)), "repeats")
    found = result_of(one, "s", "t", None)
    assert (found.together, found.latencies_s) == (2, ())
    assert found.probe("latency") is None
    assert "latency" not in found.intervals
    # Two answers in 2 s; 1 s of compute each for 4 s of audio.
    assert found.intervals["answers_per_s"].median == 1.0
    assert found.intervals["rtf_input"].median == 0.25


def test_a_point_of_several_requests_a_call_ends_when_the_seconds_of_its_calls_are_known() -> None:
    seconds = [1.0, 2.0] * 10
    subject = Subject({"batch_size": 2}, "", lambda _: together(seconds.pop()))
    (unsteady,) = sweep([subject], Stopping(budget_s=0.0), 0, lambda: 0.0)
    assert (unsteady.ended, len(unsteady.turns)) == ("budget", 3)
    (steady,) = sweep([Subject({"batch_size": 2}, "", lambda _: together(1.0))], Stopping(), 0, lambda: 0.0)
    assert (steady.ended, len(steady.turns)) == ("precision", 6)


def under(calibration_s: float, others_cores: float) -> Turn:
    return replace(turn(1.0), conditions=Conditions(calibration_s, others_cores))


def test_a_busy_machine_marks_the_figures_of_time_of_the_points_that_it_touched() -> None:
    points = [measured(under(0.01, others), under(0.01, others)) for others in (0.1, 0.3)]
    idle, busy = results_of(points, "s", "t", None)
    assert idle.busy == ""
    assert busy.busy == "other processes kept 0.3 cores busy (allowed: 0.2)"
    marked = {probe.metric for probe in busy.probes if probe.busy}
    assert marked == {"latency", "answers_per_s", "throughput_codes_per_s"}
    assert {probe.metric for probe in busy.probes} - marked == {"peak_memory"}
    assert not any(probe.busy for probe in idle.probes)


def test_a_machine_that_became_slower_between_the_points_is_busy() -> None:
    found = results_of([measured(under(0.01, 0.0)), measured(under(0.016, 0.0))], "s", "t", None)
    assert [one.busy for one in found] == [
        "",
        "the machine itself took 1.60 times as long for a fixed piece of work (allowed: 1.5)",
    ]


def test_answers_that_are_left_out_are_counted_over_all_repeats() -> None:
    found = result_of(measured(replace(turn(1.0), empty=1, cut=2), replace(turn(1.0), cut=1)), "s", "t", None)
    assert (found.empty, found.cut) == (1, 3)


def test_what_a_point_spent_is_kept() -> None:
    assert World(a=[2.0, 1.0]).sweep(Stopping(repeats=2), warmup=1)["a"].spent_s == 4.0
