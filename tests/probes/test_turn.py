"""One repeat: what is counted, what fails, and how far from the limit the passes were, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from reference_model.roofline import Ceilings, Work
from tttbench.core.errors import InputError
from tttbench.core.exchange import Message, Request, Response, Trace
from tttbench.core.system import PassRun
from tttbench.probes.conditions import Watch
from tttbench.probes.turn import Call, Turn, calls_of, noise_requests, take_turn

CEILINGS = Ceilings(peak_flops=100.0, bandwidth=10.0)


def ticking(step_s: float) -> Callable[[], float]:
    """A clock that goes on by ``step_s`` with every look."""
    now = [0.0]

    def clock() -> float:
        now[0] += step_s
        return now[0]

    return clock


def answered(end_s: float, n_codes: int = 0) -> Response:
    return Response("x", audio_codes=(1,) * n_codes, trace=Trace(end_s=end_s))


def turn_of(*answers: Response | Exception, passes: Sequence[PassRun] = ()) -> Turn:
    """A turn of one call with these answers, which takes two seconds."""
    told: list[PassRun] = []

    def ask() -> Sequence[Response | Exception]:
        told.extend(passes)
        return answers

    names = tuple(f"r{at}" for at in range(len(answers)))
    return take_turn([Call(names, (0.0,) * len(answers), ask)], told, "cpu", ticking(2.0))


def test_throughput_is_over_the_seconds_of_the_calls() -> None:
    turn = turn_of(answered(1.0, 6), answered(1.5, 4), answered(2.0, 10))
    assert turn.seconds == 2.0
    assert turn.answers_per_s == 1.5
    assert turn.codes_per_s == 10.0


def test_the_latency_of_a_turn_is_the_median_over_its_requests() -> None:
    answers = iter([answered(1.0), answered(5.0), answered(1.2)])
    calls = calls_of(lambda batch: [next(answers)], noise_requests("asr", 3, 0.1, 0), 1)
    assert take_turn(calls, [], "cpu", ticking(1.0)).latency_s == 1.2


def test_a_failed_request_is_named_and_not_timed() -> None:
    turn = turn_of(answered(1.0), RuntimeError("tired"), InputError("r2: too long"))
    assert turn.errors == ("r1: RuntimeError: tired", "r2: too long")
    assert len(turn.timed) == 1
    assert turn.answers_per_s == 0.5


def test_a_turn_without_answers_has_no_latency() -> None:
    turn = turn_of(RuntimeError("tired"))
    assert math.isnan(turn.latency_s)
    assert math.isnan(turn.codes_per_s)


def test_a_call_that_raises_fails_all_its_requests() -> None:
    def ask() -> Sequence[Response | Exception]:
        raise ValueError("broken")

    turn = take_turn([Call(("a", "b"), (0.0, 0.0), ask)], [], "cpu", ticking(1.0))
    assert turn.errors == ("a: ValueError: broken", "b: ValueError: broken")


def test_a_wrong_number_of_answers_is_an_error() -> None:
    turn = take_turn([Call(("a", "b"), (0.0, 0.0), lambda: [answered(1.0)])], [], "cpu", ticking(1.0))
    assert turn.errors[0] == "a: RuntimeError: the system gave 1 answers to 2 requests"


def test_the_percent_of_the_limit_by_hand() -> None:
    passes = (
        PassRun(Work(flops=1e6, bytes=1e6), seconds=9.0, prefill=True),
        # 0.2 s by operations, 0.1 s by bytes; then 0.1 s and 0.4 s: 0.6 s of 1.5 s.
        PassRun(Work(flops=20.0, bytes=1.0), seconds=0.5, prefill=False),
        PassRun(Work(flops=10.0, bytes=4.0), seconds=1.0, prefill=False),
    )
    assert turn_of(answered(1.0), passes=passes).percent_of_limit(CEILINGS) == pytest.approx(40.0)


def test_without_passes_or_ceilings_there_is_no_percent_of_the_limit() -> None:
    told = (PassRun(Work(20.0, 1.0), 0.5, prefill=False),)
    assert math.isnan(turn_of(answered(1.0)).percent_of_limit(CEILINGS))
    assert math.isnan(turn_of(answered(1.0), passes=told).percent_of_limit(None))
    only_prefill = (PassRun(Work(20.0, 1.0), 0.5, prefill=True),)
    assert math.isnan(turn_of(answered(1.0), passes=only_prefill).percent_of_limit(CEILINGS))


def test_passes_of_an_earlier_turn_do_not_count() -> None:
    told = [PassRun(Work(20.0, 1.0), 0.5, prefill=False)]
    assert take_turn([Call(("a",), (0.0,), lambda: [answered(1.0)])], told, "cpu", ticking(1.0)).passes == ()


def test_requests_are_given_in_calls_of_the_batch_size() -> None:
    asked: list[list[str]] = []

    def answer(batch: Sequence[Request]) -> Sequence[Response | Exception]:
        asked.append([request.id for request in batch])
        return [answered(1.0) for _ in batch]

    calls = calls_of(answer, noise_requests("asr", 5, 0.1, 0), 2)
    turn = take_turn(calls, [], "cpu", ticking(1.0))
    assert asked == [["noise-0", "noise-1"], ["noise-2", "noise-3"], ["noise-4"]]
    assert [one.input_s for one in turn.timed] == [0.1] * 5


def test_memory_is_watched() -> None:
    assert turn_of(answered(1.0)).peak_bytes > 1e6
    assert turn_of(answered(1.0)).device_peak_bytes is None


def test_noise_is_the_same_for_the_same_seed() -> None:
    one, two = (noise_requests("qa", 2, 0.5, 3) for _ in range(2))
    assert [len(request.audio) for request in one if request.audio is not None] == [8000, 8000]
    assert all((a.audio == b.audio).all() for a, b in zip(one, two, strict=True) if a.audio is not None)
    assert one[0].audio is not None
    assert one[1].audio is not None
    assert (one[0].audio != one[1].audio).any()


TASK = tuple(Request(f"r{at}", (Message("user", "x"),), task="t") for at in range(4))


def test_a_call_of_several_requests_shares_its_seconds_and_gives_no_latency() -> None:
    # A clock that goes on by 4 s with every look: the call takes 4 s, though no trace says so.
    turn = take_turn(calls_of(lambda batch: [answered(1.0) for _ in batch], TASK, 4), [], "cpu", ticking(4.0))
    assert [one.compute_s for one in turn.timed] == [1.0] * 4
    assert (turn.together, turn.measured_s) == (4, 4.0)
    assert math.isnan(turn.latency_s)


def test_what_is_measured_of_requests_alone_is_their_latency() -> None:
    turn = take_turn(calls_of(lambda batch: [answered(1.5) for _ in batch], TASK, 1), [], "cpu", ticking(4.0))
    assert (turn.together, turn.measured_s, turn.latency_s) == (1, 1.5, 1.5)


def test_only_complete_answers_to_a_task_are_timed() -> None:
    answers = iter(
        [answered(1.0), Response("", trace=Trace(end_s=0.001)), replace(answered(9.0), finish_reason="length")]
    )
    turn = take_turn(calls_of(lambda batch: [next(answers)], TASK[:3], 1), [], "cpu", ticking(1.0))
    assert ([one.trace.end_s for one in turn.timed], turn.empty, turn.cut) == ([1.0], 1, 1)
    assert turn.answers_per_s == pytest.approx(1 / 3)


def test_of_noise_and_forced_answers_any_is_timed() -> None:
    silent = Response("", trace=Trace(end_s=0.5), finish_reason="length")
    calls = calls_of(lambda batch: [silent for _ in batch], noise_requests("asr", 2, 0.1, 0), 1)
    turn = take_turn(calls, [], "cpu", ticking(1.0))
    assert (len(turn.timed), turn.empty, turn.cut) == (2, 0, 0)


def test_the_machine_is_watched_where_somebody_watches() -> None:
    calls = calls_of(lambda batch: [answered(1.0) for _ in batch], TASK[:1], 1)
    assert take_turn(calls, [], "cpu", ticking(1.0)).conditions is None
    found = take_turn(calls, [], "cpu", ticking(1.0), watch=Watch("cpu")).conditions
    assert found is not None
    assert found.calibration_s > 0
