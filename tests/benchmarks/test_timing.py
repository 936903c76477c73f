"""Pairs in turns; a budget that is kept."""

from __future__ import annotations

import dataclasses

from benchmarks.timing import Comparison, compare


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
