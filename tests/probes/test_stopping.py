"""When a point has been measured enough, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.probes.stopping import Stopping, budget_for, ended, narrow, share_s, width

RULE = Stopping(precision=0.05, budget_s=60.0)


def test_an_interval_at_the_precision_is_narrow() -> None:
    # Of six values the interval is their range: 5 of a median of 100.
    assert narrow([98, 99, 100, 100, 102, 103], 0.05)
    assert not narrow([97, 99, 100, 100, 102, 103], 0.05)


def test_fewer_than_six_values_are_never_narrow() -> None:
    assert not narrow([100] * 5, 0.05)
    assert narrow([100] * 6, 0.05)
    assert not narrow([], 0.05)


def test_nine_values_leave_out_the_outermost_pair() -> None:
    assert narrow([1, 98, 99, 100, 100, 100, 101, 102, 999], 0.05)


def test_how_well_a_median_is_known() -> None:
    assert width([98, 99, 100, 100, 102, 103]) == 0.05
    assert width([1.0] * 5) is None
    # Systems that report no times leave 0.
    assert width([0.0] * 6) == 0.0
    assert width([0.0] * 5 + [1.0]) == float("inf")


@pytest.mark.parametrize(
    ("repeats", "spent_s", "known_within", "seconds"),
    [(9, 60.0, 0.1, 240.0), (3, 30.0, None, 60.0), (9, 60.0, 0.05, 60.0), (9, 60.0, 0.01, 60.0)],
)
def test_the_budget_that_would_do(repeats: int, spent_s: float, known_within: float | None, seconds: float) -> None:
    assert budget_for(RULE, repeats, spent_s, known_within) == pytest.approx(seconds)


def test_no_budget_makes_a_median_known_exactly() -> None:
    assert budget_for(Stopping(precision=0.0), 9, 60.0, 0.1) == float("inf")


def test_finished_points_leave_the_rest_of_their_share_to_the_others() -> None:
    assert share_s(60.0, [], 3) == 20.0
    # One of three needed 4 s: the other two have 28 s each.
    assert share_s(60.0, [4.0], 2) == 28.0


@given(st.floats(0, 1000), st.lists(st.floats(0, 100)), st.integers(1, 50))
def test_shares_and_what_was_spent_are_the_budget(budget_s: float, finished_s: list[float], running: int) -> None:
    assert running * share_s(budget_s, finished_s, running) + sum(finished_s) == pytest.approx(budget_s, abs=1e-6)


@pytest.mark.parametrize(
    ("latencies_s", "repeats", "spent_s", "why"),
    [
        ([1.0] * 6, 6, 6.0, "precision"),
        ([1.0] * 5, 5, 6.0, None),
        ([1.0, 2.0], 2, 99.0, None),
        ([1.0, 2.0, 3.0], 3, 99.0, "budget"),
        ([1.0, 2.0, 3.0], 3, 19.9, None),
        ([1.0, 2.0, 3.0], 3, 20.0, "budget"),
        ([], 2, 1.0, None),
        ([], 3, 1.0, "failed"),
        ([1.0], 3, 1.0, None),
    ],
)
def test_what_ends_a_point(latencies_s: list[float], repeats: int, spent_s: float, why: str | None) -> None:
    assert ended(RULE, latencies_s, repeats, spent_s, may_spend_s=20.0) == why


@pytest.mark.parametrize(("repeats", "why"), [(6, None), (7, "repeats")])
def test_a_number_of_repeats_takes_the_place_of_precision_and_budget(repeats: int, why: str | None) -> None:
    assert ended(Stopping(repeats=7), [1.0] * repeats, repeats, 999.0, 0.0) == why
