"""Percentiles and the counts that support them, by hand and against the standard library."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.floats(0, 100), min_size=100, max_size=150))
def test_agrees_with_the_standard_library(values: list[float]) -> None:
    theirs = statistics.quantiles(values, n=100, method="inclusive")
    found = percentiles(values)
    assert (found.p50, found.p90, found.p99) == pytest.approx((theirs[49], theirs[89], theirs[98]))
