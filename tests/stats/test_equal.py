"""Bounds of equal values, by hand and against exact tests."""

import math

import pytest
import scipy.stats

from tttbench.stats.equal import effective_number, equal_values_interval
from tttbench.stats.wilson import wilson_interval


@pytest.mark.parametrize("n", [1, 8, 20, 400])
def test_of_verdicts_it_is_wilson_s(n: int) -> None:
    none, every = equal_values_interval(0.0, n, 0.0, 1.0), equal_values_interval(1.0, n, 0.0, 1.0)
    assert (none.low, none.high) == pytest.approx((wilson_interval(0, n).low, wilson_interval(0, n).high))
    assert (every.low, every.high) == pytest.approx((wilson_interval(n, n).low, wilson_interval(n, n).high))


@pytest.mark.parametrize("n", [7, 8, 20, 400])
def test_it_is_wider_than_an_exact_one_sided_test(n: int) -> None:
    # Clopper and Pearson: the share that n of n leave possible with 5 %.
    exact = scipy.stats.beta.ppf(0.95, 1, n)
    assert equal_values_interval(0.0, n, 0.0, 1.0).high > exact


def test_bounds_reach_towards_the_ends_of_the_range() -> None:
    # z² / (20 + z²) = 0.161125 of the way.
    found = equal_values_interval(4.0, 20, 1.0, 5.0)
    assert (found.estimate, found.low, found.high) == pytest.approx((4.0, 4 - 3 * 0.161125, 4 + 0.161125), abs=1e-5)


def test_without_an_end_there_are_no_bounds() -> None:
    for ends in ((0.0, math.inf), (-math.inf, 0.0)):
        found = equal_values_interval(0.0, 20, *ends)
        assert (found.estimate, math.isnan(found.low), math.isnan(found.high)) == (0.0, True, True)


def test_the_effective_number_is_that_of_equally_long_units() -> None:
    assert effective_number([7, 7, 7]) == pytest.approx(3)
    assert effective_number([10, 1, 1]) == pytest.approx(144 / 102)
