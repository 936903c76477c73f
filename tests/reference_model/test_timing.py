"""Repeats are counted without the warm-up."""

from __future__ import annotations

from reference_model.timing import seconds_of


def test_the_warm_up_is_run_and_not_counted() -> None:
    calls: list[int] = []
    assert len(seconds_of(lambda: calls.append(0), "cpu", repeats=4, warmup=2)) == 4
    assert len(calls) == 6
