"""Intervals of medians by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.stats.median import median_interval


def test_a_few_values_give_their_range() -> None:
    found = median_interval([3.0, 1.0, 2.0])
    assert (found.median, found.low, found.high, found.n) == (2.0, 1.0, 3.0, 3)
    # Three values all lie on one side of the median with probability 2 / 8.
    assert found.coverage == pytest.approx(0.75)


def test_one_value_covers_nothing() -> None:
    assert median_interval([5.0]).coverage == 0.0


def test_nine_values_leave_out_the_outermost_pair() -> None:
    found = median_interval([float(i) for i in range(1, 10)])
    assert (found.low, found.high) == (2.0, 8.0)
    # 2 (C(9,0) + C(9,1)) / 2^9 = 20 / 512 lie outside; with C(9,2) it would be 92 / 512.
    assert found.coverage == pytest.approx(1 - 20 / 512)


@given(st.lists(st.floats(0, 100), min_size=6, max_size=200))
def test_six_values_or_more_cover_95_per_cent(values: list[float]) -> None:
    found = median_interval(values)
    assert found.coverage >= 0.95
    assert min(values) <= found.low <= found.median <= found.high <= max(values)
