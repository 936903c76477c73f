"""Mann-Whitney against scipy, exact and approximate, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from tttbench.stats.mann_whitney import mann_whitney


def test_hand_worked() -> None:
    # Every a is below every b: 1 of C(6, 3) = 20 arrangements, on each side.
    found = mann_whitney([1, 2, 3], [4, 5, 6])
    assert (found.u, found.superiority) == (0, 0)
    assert found.p_value == pytest.approx(2 / 20)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10_000))
def test_without_ties_it_is_exact_as_scipys(n: int, m: int, seed: int) -> None:
    values = np.random.default_rng(seed).permutation(n + m).astype(float)
    theirs = mannwhitneyu(values[:n], values[n:], method="exact")
    ours = mann_whitney(values[:n], values[n:])
    assert ours.u == theirs.statistic
    assert ours.p_value == pytest.approx(theirs.pvalue)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=60), st.lists(st.integers(0, 8), min_size=2, max_size=60))
def test_with_ties_it_is_scipys_normal_approximation(a: list[int], b: list[int]) -> None:
    if len(set(a + b)) == len(a + b):
        return
    theirs = mannwhitneyu(a, b, method="asymptotic")
    ours = mann_whitney(a, b)
    assert ours.u == theirs.statistic
    assert ours.p_value == pytest.approx(1.0 if np.isnan(theirs.pvalue) else theirs.pvalue)


def test_many_measurements_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 300), rng.normal(0.2, 1, 250)
    assert mann_whitney(a, b).p_value == pytest.approx(mannwhitneyu(a, b, method="asymptotic").pvalue)


def test_it_rejects_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    p_values = [mann_whitney(rng.lognormal(size=15), rng.lognormal(size=15)).p_value for _ in range(1000)]
    assert 0.03 < np.mean(np.array(p_values) <= 0.05) < 0.065


@pytest.mark.parametrize(("a", "b"), [([], [1]), ([1], []), ([[1]], [1]), ([float("nan")], [1]), ([1], [float("inf")])])
def test_what_cannot_be_compared_is_refused(a: list, b: list) -> None:
    with pytest.raises(ValueError, match="measurement"):
        mann_whitney(a, b)
