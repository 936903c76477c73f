"""Intervals of medians by hand; pairs in turns; a budget that is kept."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.timing import Comparison, compare, interval


def test_a_few_values_give_their_range() -> None:
    found = interval([3.0, 1.0, 2.0])
    assert (found.median, found.low, found.high, found.n) == (2.0, 1.0, 3.0, 3)
    # Three values all lie on one side of the median with probability 2 / 8.
    assert found.coverage == pytest.approx(0.75)


def test_one_value_covers_nothing() -> None:
    assert interval([5.0]).coverage == 0.0


def test_nine_values_leave_out_the_outermost_pair() -> None:
    found = interval([float(i) for i in range(1, 10)])
    assert (found.low, found.high) == (2.0, 8.0)
    # 2 (C(9,0) + C(9,1)) / 2^9 = 20 / 512 lie outside; with C(9,2) it would be 92 / 512.
    assert found.coverage == pytest.approx(1 - 20 / 512)


def _comparison(order: list[str], clock: list[float]) -> Comparison:
    def run(name: str, seconds: float) -> float:
        order.append(name)
        clock[0] += seconds
        return seconds

    return Comparison("x", "", "slow", lambda: run("slow", 6.0), "fast", lambda: run("fast", 2.0))


def test_pairs_are_measured_in_alternating_order_after_a_warm_up() -> None:
    order: list[str] = []
    found = compare(_comparison(order, [0.0]), 2, 1e9, lambda: 0.0)
    assert order == ["fast", "slow", "fast", "slow", "slow", "fast"]
    assert found.ratio.median == 3.0
    assert found.ratio.n == 2


def test_a_warm_up_of_its_own_takes_the_place_of_the_first_pair() -> None:
    order: list[str] = []
    own = dataclasses.replace(_comparison(order, [0.0]), warm_up=lambda: order.append("short"))
    assert compare(own, 1, 1e9, lambda: 0.0).ratio.n == 1
    assert order == ["short", "fast", "slow"]


def test_no_pair_begins_behind_the_budget_but_one_is_counted() -> None:
    clock = [0.0]
    # The warm-up and each pair take 8 s: pairs begin at 8 and 16, and at 24 the budget is over.
    assert compare(_comparison([], clock), 9, 20.0, lambda: clock[0]).ratio.n == 2
    assert compare(_comparison([], clock), 9, 0.0, lambda: clock[0]).ratio.n == 1
