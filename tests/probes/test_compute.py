"""A call's seconds, divided among its requests: by hand, and what always holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import InputError
from tttbench.core.exchange import Response, Trace
from tttbench.probes.compute import parts, shared


def told(*stages_s: float, end_s: float = 0.0) -> Trace:
    return Trace({f"stage {at}": seconds for at, seconds in enumerate(stages_s)}, end_s=end_s)


def test_without_stages_every_request_has_an_equal_part() -> None:
    assert parts([Trace()] * 8, 4.0) == [0.5] * 8


def test_every_request_has_what_its_stages_claim_and_an_equal_part_of_the_rest() -> None:
    # 1, 2 and 3 s are claimed of 9: one more second for each.
    assert parts([told(1.0), told(0.5, 1.5), told(3.0)], 9.0) == [2.0, 3.0, 4.0]


def test_stages_that_were_not_shared_are_no_part_of_the_call() -> None:
    # Each claims the whole call, as a system does that takes one time for all.
    assert parts([told(4.0)] * 4, 4.0) == [1.0] * 4
    # Each claims the time since the call began, one after the other: 1 + 2 + 3 of 3 s.
    assert parts([told(1.0), told(2.0), told(3.0)], 3.0) == [1.0] * 3


def test_a_trace_that_ends_later_than_the_call_is_believed() -> None:
    assert parts([Trace(end_s=3.0), Trace(end_s=8.0)], 0.001) == [4.0, 4.0]


def test_what_a_system_says_itself_stays_and_the_others_have_the_rest() -> None:
    assert parts([Trace(compute_s=6.0), told(1.0), told(2.0)], 10.0) == [6.0, 1.5, 2.5]


def test_waiting_is_claimed_by_nobody() -> None:
    assert parts([Trace({"wait": 5.0, "decode": 1.0}), Trace({"decode": 1.0})], 6.0) == [3.0, 3.0]


def test_of_no_answers_there_are_no_parts() -> None:
    assert parts([], 1.0) == []


@given(
    st.lists(st.lists(st.floats(0, 100), max_size=3), min_size=2, max_size=8),
    st.floats(0, 1000),
)
def test_the_parts_add_up_to_the_call(stages: list[list[float]], call_s: float) -> None:
    found = parts([told(*of_one) for of_one in stages], call_s)
    assert math.fsum(found) == pytest.approx(call_s, rel=1e-6, abs=1e-9)
    assert all(part >= 0 for part in found)


def test_errors_have_no_part_and_a_lone_request_keeps_its_own_times() -> None:
    refused = InputError("no")
    one, two, three = shared([Response("a"), refused, Response("b")], 3.0)
    assert isinstance(one, Response)
    assert isinstance(three, Response)
    assert (one.trace.compute_s, two, three.trace.compute_s) == (1.5, refused, 1.5)
    alone = Response("a", trace=told(1.0, end_s=2.0))
    assert shared([alone], 5.0) == [alone]
