"""AUP and the plain area, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.stats.aup import area


def test_the_hand_worked_curve_of_the_docs() -> None:
    # 1 code a pass: 80 %; 4: 78 %; 8: 60 %, which is more than 5 below the first. The best of all ways has 80 %.
    found = area([1, 4, 8], [80, 78, 60], best=80)
    weight = math.exp(-3 * (1 - 78 / 80))
    assert found.aup == pytest.approx(1 * 80 + (4 - 1) * (80 + 78 * weight) / 2)
    assert found.aup == pytest.approx(308.55, abs=0.01)
    assert found.plain == pytest.approx(80 + 3 * 79 + 4 * 69)
    assert found.n_left_out == 1


def test_below_the_best_way_all_but_the_first_part_weighs_less() -> None:
    found = area([1, 2], [50, 50], best=100)
    assert found.aup == pytest.approx(50 + 50 * math.exp(-1.5))
    assert found.plain == 100


def test_one_point_is_its_rectangle() -> None:
    assert area([1.5], [80], best=90).aup == area([1.5], [80], best=90).plain == 120


def test_points_between_those_left_out_are_kept_and_the_curve_goes_straight_to_them() -> None:
    found = area([1, 2, 3], [80, 70, 80], best=80)
    assert (found.aup, found.n_left_out) == (80 + 2 * 80, 1)
    assert found.plain == 80 + 75 + 75


def test_nothing_right_has_no_area() -> None:
    assert area([1, 4], [0, 0], best=0).aup == 0


@pytest.mark.parametrize(("rho", "quality"), [([], []), ([1], []), ([0], [1]), ([math.nan], [1])])
def test_what_is_no_curve_is_refused(rho: list[float], quality: list[float]) -> None:
    with pytest.raises(ValueError, match="needs as many qualities as numbers above 0"):
        area(rho, quality, best=80)


points = st.lists(st.tuples(st.floats(0.5, 30), st.floats(0, 100)), min_size=1, max_size=6)


@given(points)
def test_the_order_of_points_is_nothing_and_no_loss_makes_both_areas_equal(drawn: list[tuple[float, float]]) -> None:
    rho, quality = [one for one, _ in drawn], [one for _, one in drawn]
    best = max(quality)
    found = area(rho, quality, best)
    again = area(rho[::-1], quality[::-1], best)
    assert (again.aup, again.plain, again.n_left_out) == (found.aup, found.plain, found.n_left_out)
    flat = area(rho, [best] * len(rho), best)
    assert flat.aup == pytest.approx(flat.plain)
    assert flat.plain == pytest.approx(max(rho) * best)
