"""The paired permutation test: hand-worked cases, scipy's permutation test, McNemar, size under the null hypothesis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import norm

from tttbench.stats.paired import mcnemar_exact
from tttbench.stats.permutation import permutation_test


def test_three_units_by_hand() -> None:
    # Edits 1, 2, 3 more of 10 words each: only all three together, either way, reach a sum of 6: 2 of 8.
    found = permutation_test([0, 0, 0], [10, 10, 10], [1, 2, 3], [10, 10, 10], seed=0)
    assert found.difference == pytest.approx(6 / 30)
    assert found.p_value == pytest.approx(2 / 8)
    assert (found.n_units, found.n_differ) == (3, 3)


def test_equal_answers_have_p_one() -> None:
    found = permutation_test([1, 2], [5, 5], [1, 2], [5, 5], seed=0)
    assert (found.difference, found.p_value, found.n_differ) == (0.0, 1.0, 0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_verdicts_give_mcnemars_p(pairs: list[tuple[bool, bool]]) -> None:
    a, b = np.array(pairs).T
    ones = np.ones(len(a))
    assert permutation_test(a, ones, b, ones, seed=0).p_value == pytest.approx(mcnemar_exact(a, b).p_value)


def test_exact_p_is_scipys() -> None:
    rng = np.random.default_rng(3)
    words = rng.integers(4, 12, 11).astype(float)
    a, b = rng.integers(0, 4, 11).astype(float), rng.integers(0, 6, 11).astype(float)
    theirs = stats.permutation_test(
        (a, b), lambda x, y: (y.sum() - x.sum()) / words.sum(), permutation_type="samples", n_resamples=np.inf
    )
    assert permutation_test(a, words, b, words, seed=0).p_value == pytest.approx(theirs.pvalue)


def test_drawn_p_is_near_scipys() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=60)
    b = a + rng.normal(0.25, 1.0, size=60)
    ones = np.ones(60)
    theirs = stats.permutation_test(
        (a, b), lambda x, y: y.mean() - x.mean(), permutation_type="samples", n_resamples=50_000, rng=rng
    )
    assert permutation_test(a, ones, b, ones, seed=0).p_value == pytest.approx(theirs.pvalue, abs=0.008)


def test_normal_p_meets_the_drawn_one() -> None:
    rng = np.random.default_rng(5)
    words = rng.integers(3, 30, 2_001).astype(float)
    a = rng.poisson(2.0, 2_001).astype(float)
    b = a + rng.choice([-1.0, 1.0, 2.0], p=[0.55, 0.25, 0.2], size=2_001)
    by_normal = permutation_test(a, words, b, words, seed=0).p_value
    by_draws = permutation_test(a[:2_000], words[:2_000], b[:2_000], words[:2_000], seed=0).p_value
    assert by_normal == pytest.approx(by_draws, abs=0.02)


def test_denominators_are_swapped_with_their_numerators() -> None:
    # Two units, a: 0/1 and 0/9, b: 1/9 and 0/1. Ratios 0/10 and 1/10; all four assignments have one edit on one side:
    # 1/10 against 0/10, 1/18 against 0/2, and both the other way round: two reach 0.1.
    found = permutation_test([0, 0], [1, 9], [1, 0], [9, 1], seed=0)
    assert found.difference == pytest.approx(0.1)
    assert found.p_value == pytest.approx(0.5)


def test_a_swap_that_leaves_one_side_without_units_counts_as_reached() -> None:
    # a: 1/5 and 0/0, b: 0/0 and 2/5: swapping either unit alone leaves one side with all ten units.
    assert permutation_test([1, 0], [5, 0], [0, 2], [0, 5], seed=0).p_value == 1.0


def test_where_no_draw_comes_as_far_the_normal_tail_says_how_far() -> None:
    edits = np.array([2.0, 3.0, 4.0] * 20)
    zeros, words = np.zeros(60), np.full(60, 10.0)
    found = permutation_test(zeros, words, edits, words, seed=0, n_draws=200)
    # 180 over the root of 20 (4 + 9 + 16) is 7.5 standard errors.
    assert found.p_value == pytest.approx(2 * norm.sf(180 / math.sqrt(580)), rel=1e-6)
    few = permutation_test(zeros[:15], words[:15], edits[:15], words[:15], seed=0, n_draws=200)
    assert few.p_value >= 2 / 2**15


def test_rows_of_a_cluster_are_swapped_together() -> None:
    a, b, ones = np.zeros(6), np.ones(6), np.ones(6)
    assert permutation_test(a, ones, b, ones, seed=0).p_value == pytest.approx(2 / 64)
    found = permutation_test(a, ones, b, ones, seed=0, clusters=["x", "x", "x", "y", "y", "y"])
    assert found.p_value == pytest.approx(2 / 4)
    assert found.n_units == 2


def test_one_seed_gives_one_p_value() -> None:
    rng = np.random.default_rng(6)
    a, b, ones = rng.normal(size=40), rng.normal(size=40), np.ones(40)
    found = {permutation_test(a, ones, b, ones, seed=9).p_value for _ in range(3)}
    assert len(found) == 1


@pytest.mark.slow
def test_size_with_clusters_under_the_null_hypothesis() -> None:
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(20), 5)
    words = np.full(100, 10.0)
    rejected = 0
    for trial in range(2_000):
        of_cluster = rng.gamma(1.0, 1.0, 20)[labels]
        a, b = rng.exponential(of_cluster), rng.exponential(of_cluster)
        rejected += (
            permutation_test(a, words, b, words, seed=trial, n_draws=999, clusters=labels.tolist()).p_value <= 0.05
        )
    # Two standard errors of 2,000 draws are 1 %.
    assert 0.04 <= rejected / 2_000 <= 0.06


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([], [], [], []), "n >= 1"),
        (([1, 2], [1, 1], [1], [1]), "one shape"),
        (([float("nan")], [1], [1], [1]), "finite"),
        (([0], [0], [0], [0]), "add up to 0"),
    ],
)
def test_what_cannot_be_tested_is_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        permutation_test(*columns, seed=0)
