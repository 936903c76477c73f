"""Percentiles and the counts that support them."""

import math

from tttbench.stats.percentiles import Percentiles, percentiles


def test_hand_worked() -> None:
    assert percentiles(range(101)) == Percentiles(p50=50.0, p90=90.0, p99=99.0, n=101)


def test_ten_values_support_p90_and_not_p99() -> None:
    result = percentiles(range(10))
    assert (result.p50, round(result.p90, 9), result.n) == (4.5, 8.1, 10)
    assert math.isnan(result.p99)


def test_nine_values_support_the_median_alone() -> None:
    result = percentiles(range(9))
    assert result.p50 == 4.0
    assert math.isnan(result.p90)


def test_a_hundred_values_support_p99() -> None:
    assert round(percentiles(range(100)).p99, 9) == 98.01


def test_nothing_and_nan_support_nothing() -> None:
    result = percentiles([math.nan])
    assert result.n == 0
    assert math.isnan(result.p50)
