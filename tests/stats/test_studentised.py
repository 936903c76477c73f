"""Bounds from studentised replicates, worked out by hand."""

import numpy as np
import pytest

from tttbench.stats.studentised import ANGLE, ROOT, Scale, equal_tailed, student_bounds, symmetric

SAME = Scale(lambda values: values, lambda values: values, np.ones_like)
EVEN = np.arange(-19.0, 20.0)
"""39 values: the lowest and the highest leave a fortieth each outside."""


def test_far_replicates_above_move_the_lower_bound() -> None:
    # t from -1.9 to 7.6, so from 10 - 7.6 * 2 to 10 + 1.9 * 2.
    t = np.where(EVEN > 0, 4.0, 1.0) * EVEN / 10
    bounds = equal_tailed(10.0, 2.0, 10.0 + t * 0.5, np.full(39, 0.5), level=0.95, scale=SAME)
    assert bounds == pytest.approx((10 - 7.6 * 2, 10 + 1.9 * 2))


def test_symmetric_bounds_take_the_distance_alone() -> None:
    # Distances 0 to 1.9 twice, but one 0: 95 % of 39 values and the next one are 38, the second largest pair's end.
    low, high = symmetric(10.0, 2.0, 10.0 + EVEN / 10 * 0.5, np.full(39, 0.5), level=0.95)
    assert (low, high) == pytest.approx((10 - 1.9 * 2, 10 + 1.9 * 2))


def test_a_resample_without_spread_takes_that_of_the_data() -> None:
    errors = np.where(EVEN == -19, 0.0, 0.5)
    bounds = equal_tailed(10.0, 2.0, 10.0 + EVEN / 10 * 0.5, errors, level=0.95, scale=SAME)
    # t of the lowest is -0.95 / 2, so the second lowest, -1.8, is the lowest now.
    assert bounds == pytest.approx((10 - 1.9 * 2, 10 + 1.8 * 2))


def test_replicates_that_are_nan_are_left_out() -> None:
    replicates, errors = np.append(10.0 + EVEN, np.nan), np.ones(40)
    assert equal_tailed(10.0, 1.0, replicates, errors, level=0.95, scale=SAME) == pytest.approx((-9.0, 29.0))
    assert symmetric(10.0, 1.0, replicates, errors, level=0.95) == pytest.approx((-9.0, 29.0))


@pytest.mark.parametrize(("scale", "value"), [(ROOT, 0.25), (ROOT, 4.0), (ANGLE, 0.25), (ANGLE, 0.9)])
def test_scales_go_and_come_back_with_the_slope_they_say(scale: Scale, value: float) -> None:
    at, near = np.array([value]), np.array([value + 1e-6])
    assert scale.back(scale.to(at))[0] == pytest.approx(value)
    assert (scale.to(near) - scale.to(at))[0] / 1e-6 == pytest.approx(scale.slope(at)[0], rel=1e-4)


def test_a_share_s_error_is_the_same_everywhere_on_the_scale_of_angles() -> None:
    shares = np.array([0.1, 0.5, 0.9])
    assert np.sqrt(shares * (1 - shares)) * ANGLE.slope(shares) == pytest.approx([0.5, 0.5, 0.5])


def test_bounds_beyond_the_ends_of_a_scale_are_its_ends() -> None:
    assert student_bounds(0.5, 0.4, degrees=2, level=0.95, scale=ANGLE) == (0.0, 1.0)
    assert student_bounds(0.1, 0.2, degrees=2, level=0.95, scale=ROOT)[0] == 0.0


def test_student_s_bounds_hand_worked() -> None:
    # t of two degrees: 4.302653
    assert student_bounds(3.0, 0.5, degrees=2, level=0.95) == pytest.approx((3 - 2.1513265, 3 + 2.1513265))
