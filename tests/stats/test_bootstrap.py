"""The bootstrap: exact small cases, known distributions, scipy's resampling, invariances. See test_coverage.py, too."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tttbench.stats.bootstrap import (
    mean_interval,
    paired_ratio_difference,
    ratio_interval,
    resampled_sums,
)

Array = npt.NDArray[Any]
"""Of counts or of floats."""

Statistic = Callable[..., tuple[Array, Array]]
"""Of columns: an estimate and its standard error."""


def test_two_samples_have_three_outcomes_in_known_proportions() -> None:
    # Drawing 2 of {0, 1}: sums 0, 1, 2 with probabilities 1/4, 1/2, 1/4.
    sums = resampled_sums(np.array([[0.0], [1.0]]), seed=0, n_resamples=40_000)[:, 0]
    assert [round(float((sums == s).mean()), 2) for s in (0, 1, 2)] == [0.25, 0.5, 0.25]


@pytest.mark.parametrize("distinct", [3, 5_000])
def test_both_ways_of_drawing_have_the_moments_of_the_bootstrap(distinct: int) -> None:
    # 5,000 rows: with 3 distinct ones by multinomial, with 5,000 by pairs. Var of the mean = var / n for both.
    values = (np.arange(5_000) % distinct) / distinct
    means = resampled_sums(values[:, None], seed=3, n_resamples=4_000)[:, 0] / 5_000
    assert means.mean() == pytest.approx(values.mean(), abs=4 * values.std() / math.sqrt(5_000 * 4_000))
    assert means.std() == pytest.approx(values.std() / math.sqrt(5_000), rel=0.05)


def studentised_by_scipy(columns: tuple[Array, ...], statistic: Statistic, level: list[float] | float) -> Array:
    """Quantiles of t by scipy's resampling: ``statistic`` gives an estimate and its standard error."""
    estimate, _ = statistic(*columns)

    def t(*resampled: Array, axis: int) -> Array:
        value, error = statistic(*resampled)
        return (value - estimate) / error

    found = scipy.stats.bootstrap(
        columns, t, paired=True, vectorized=True, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    )
    return np.asarray(np.quantile(found.bootstrap_distribution, level))


def ratio_on_roots(edits: Array, words: Array) -> tuple[Array, Array]:
    """Square root of the ratio, with its standard error by the delta method; resamples along the last axis."""
    n = words.shape[-1]
    ratio = edits.sum(axis=-1) / words.sum(axis=-1)
    residuals = edits - ratio[..., None] * words
    error = residuals.std(axis=-1, ddof=1) / (words.mean(axis=-1) * math.sqrt(n))
    return np.sqrt(ratio), error / (2 * np.sqrt(ratio))


def test_ratio_interval_agrees_with_scipy_s_resampling() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(1, 30, size=60)
    edits = rng.binomial(words, 0.1) + (np.arange(60) == 7) * 40
    low_t, high_t = studentised_by_scipy((edits, words), ratio_on_roots, [0.025, 0.975])
    root, error = ratio_on_roots(edits, words)
    ours = ratio_interval(edits, words, seed=0, n_resamples=20_000)
    assert ours.estimate == edits.sum() / words.sum()
    assert ours.low == pytest.approx((root - high_t * error) ** 2, abs=0.002)
    assert ours.high == pytest.approx((root - low_t * error) ** 2, abs=0.006)


def test_counts_out_of_counts_agree_with_scipy_s_resampling_on_angles() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(20, 60, size=40)
    agreeing = rng.binomial(codes, rng.beta(9, 1, size=40))

    def on_angles(agreeing: Array, codes: Array) -> tuple[Array, Array]:
        root, error = ratio_on_roots(agreeing, codes)
        return np.arcsin(root), error / np.sqrt(1 - root**2)

    low_t, high_t = studentised_by_scipy((agreeing, codes), on_angles, [0.025, 0.975])
    angle, error = on_angles(agreeing, codes)
    ours = ratio_interval(agreeing, codes, seed=0, n_resamples=20_000)
    assert ours.low == pytest.approx(math.sin(angle - high_t * error) ** 2, abs=0.003)
    assert ours.high == pytest.approx(math.sin(angle - low_t * error) ** 2, abs=0.003)


def test_mean_interval_agrees_with_scipy_s_resampling() -> None:
    values = np.random.default_rng(0).exponential(size=30)

    def mean(values: Array) -> tuple[Array, Array]:
        return values.mean(axis=-1), values.std(axis=-1, ddof=1) / math.sqrt(30)

    low_t, high_t = studentised_by_scipy(
        (values,), lambda v: (np.abs(mean(v)[0] - values.mean()), mean(v)[1]), [0, 0.95]
    )
    ours = mean_interval(values, seed=0, n_resamples=20_000)
    assert low_t >= 0
    assert (ours.high + ours.low) / 2 == pytest.approx(values.mean())
    assert (ours.high - ours.low) / 2 == pytest.approx(high_t * mean(values)[1], rel=0.02)


def test_paired_difference_agrees_with_scipy_s_resampling() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(5, 30, size=(2, 50))
    columns = (rng.binomial(a, 0.2), a, rng.binomial(b, 0.1), b)
    estimate = columns[0].sum() / a.sum() - columns[2].sum() / b.sum()

    def distance(edits_a: Array, a: Array, edits_b: Array, b: Array) -> tuple[Array, Array]:
        ratio_a, ratio_b = edits_a.sum(axis=-1) / a.sum(axis=-1), edits_b.sum(axis=-1) / b.sum(axis=-1)
        influence = (edits_a - ratio_a[..., None] * a) / a.mean(axis=-1)[..., None]
        influence = influence - (edits_b - ratio_b[..., None] * b) / b.mean(axis=-1)[..., None]
        return np.abs(ratio_a - ratio_b - estimate), influence.std(axis=-1, ddof=1) / math.sqrt(50)

    half = studentised_by_scipy(columns, distance, 0.95) * distance(*columns)[1]
    ours = paired_ratio_difference(*columns, seed=0, n_resamples=20_000)
    assert (ours.estimate, (ours.low + ours.high) / 2) == pytest.approx((estimate, estimate))
    assert (ours.high - ours.low) / 2 == pytest.approx(half, rel=0.02)


def test_the_same_words_below_both_give_what_other_words_would() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(5, 30, size=200)
    a, b = rng.binomial(words, [[0.2], [0.1]])
    same = paired_ratio_difference(a, words, b, words, seed=0, n_resamples=20_000)
    other = paired_ratio_difference(a, words, b, words + 1e-9 * np.arange(200), seed=0, n_resamples=20_000)
    assert (same.estimate, same.low, same.high) == pytest.approx((other.estimate, other.low, other.high), abs=5e-4)


@pytest.mark.parametrize("n", [2, 5, 7])
def test_few_rows_take_student_s_interval(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    theirs = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    ours = mean_interval(values, seed=0)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-3)


def test_few_clusters_take_student_s_interval_of_their_sums() -> None:
    # Four speakers of equal length: the mean over all is that of the speakers' means.
    values = np.random.default_rng(1).normal(size=(4, 10))
    theirs = scipy.stats.ttest_1samp(values.mean(axis=1), 0.0).confidence_interval(0.95)
    ours = mean_interval(values.ravel(), seed=0, clusters=np.repeat(np.arange(4), 10).tolist())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=2e-3)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), min_size=2, max_size=30))
def test_ratios_that_cannot_be_negative_have_bounds_that_are_not(rows: list[tuple[int, int]]) -> None:
    edits, words = np.array(rows).T
    interval = ratio_interval(edits, words, seed=0, n_resamples=100)
    assert 0 <= interval.low <= interval.estimate <= interval.high
    assert interval.high <= 1 or (edits > words).any()


def test_equal_rows_have_an_interval_without_width() -> None:
    interval = ratio_interval([1, 2, 3], [2, 4, 6], seed=0)
    assert (interval.estimate, interval.low, interval.high) == (0.5, 0.5, 0.5)


def test_a_column_that_does_not_vary_is_summed_exactly() -> None:
    columns = np.stack([np.random.default_rng(0).normal(size=300), np.full(300, 0.1)], axis=1)
    sums = resampled_sums(columns, seed=0, n_resamples=3_000)
    assert set(sums[:, 1]) == {300 * 0.1}
    assert len(set(sums[:, 0])) > 2_900


def test_nothing_one_row_or_one_cluster_supports_no_interval() -> None:
    assert math.isnan(mean_interval([], seed=0).estimate)
    assert math.isnan(mean_interval([1.0], seed=0).low)
    assert math.isnan(mean_interval([1.0, 0.0], seed=0, clusters=["a", "a"]).low)


def test_clusters_are_drawn_whole() -> None:
    sums = resampled_sums([[1.0], [1.0], [10.0]], seed=0, n_resamples=500, clusters=["a", "a", "b"])[:, 0]
    assert set(sums) == {4.0, 12.0, 20.0}


def test_difference_of_a_system_to_itself_is_zero() -> None:
    edits, words = [3, 0, 1, 4], [9, 5, 7, 8]
    interval = paired_ratio_difference(edits, words, edits, words, seed=0)
    assert (interval.estimate, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_paired_difference_hand_worked() -> None:
    # a: 4/20, b: 2/20; every sample differs by the same 1/10 of its words, so every resample does.
    interval = paired_ratio_difference([3, 1], [10, 10], [2, 0], [10, 10], seed=0)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.parametrize(
    "call",
    [
        lambda: resampled_sums(np.empty((0, 1)), seed=0, n_resamples=1),
        lambda: resampled_sums([[math.nan]], seed=0, n_resamples=1),
        lambda: resampled_sums([[1.0]], seed=0, n_resamples=1, clusters=["a", "b"]),
        lambda: ratio_interval([1, 2], [1], seed=0),
        lambda: mean_interval(np.arange(3), seed=0, level=95),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"must|labels"):
        call()


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(0, 2**32), st.randoms())
def test_depends_on_seed_and_values_and_not_on_order(values: list[int], seed: int, rng: Random) -> None:
    shuffled = rng.sample(values, k=len(values))
    assert mean_interval(values, seed=seed, n_resamples=50) == mean_interval(shuffled, seed=seed, n_resamples=50)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20), st.floats(-3, 3), st.floats(0.5, 3))
def test_moves_and_scales_with_the_values(values: list[float], shift: float, scale: float) -> None:
    one = mean_interval(values, seed=1, n_resamples=50)
    other = mean_interval([scale * v + shift for v in values], seed=1, n_resamples=50)
    assert other.low == pytest.approx(scale * one.low + shift, abs=1e-9)
    assert other.high == pytest.approx(scale * one.high + shift, abs=1e-9)
