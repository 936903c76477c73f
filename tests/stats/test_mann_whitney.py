"""Mann-Whitney against scipy, exact and approximate, a published example, by hand, and by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from statsmodels.stats.power import TTestIndPower

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


def test_permeability_of_placental_membranes() -> None:
    # Hollander & Wolfe 1973, pages 69 and following: W = 35, one-sided p = 0.1272.
    at_term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    earlier = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = mann_whitney(at_term, earlier)
    assert found.u == 35
    assert found.p_value / 2 == pytest.approx(0.1272, abs=5e-5)


@pytest.mark.parametrize(
    ("n", "m", "decimals"),
    [(15, 15, None), (8, 12, None), (40, 60, None), (25, 25, 1)],
    ids=["exact", "exact, few", "normal", "normal, with ties"],
)
def test_it_rejects_as_often_as_it_says(n: int, m: int, decimals: int | None) -> None:
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(2_000):
        values = rng.lognormal(size=n + m)
        values = values if decimals is None else values.round(decimals)
        rejected += mann_whitney(values[:n], values[n:]).p_value <= 0.05
    assert 0.035 < rejected / 2_000 < 0.06


def test_it_finds_a_fifth_more_time_nearly_as_often_as_a_t_test_of_logarithms() -> None:
    # Asymptotically it needs pi / 3 times the normally distributed measurements of the t-test.
    rng = np.random.default_rng(0)
    found = sum(
        mann_whitney(1.2 * rng.lognormal(0, 0.2, 20), rng.lognormal(0, 0.2, 20)).p_value <= 0.05 for _ in range(2_000)
    )
    power = TTestIndPower().power(np.log(1.2) / 0.2, 20 * 3 / np.pi, 0.05)
    assert found / 2_000 == pytest.approx(power, abs=0.03)


@pytest.mark.parametrize(("a", "b"), [([], [1]), ([1], []), ([[1]], [1]), ([float("nan")], [1]), ([1], [float("inf")])])
def test_what_cannot_be_compared_is_refused(a: list[Any], b: list[Any]) -> None:
    with pytest.raises(ValueError, match="measurement"):
        mann_whitney(a, b)
