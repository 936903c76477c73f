"""The bootstrap: exact small cases, known distributions, invariances, coverage."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tttbench.stats.bootstrap import (
    expanded_level,
    mean_interval,
    paired_ratio_difference,
    percentile_bounds,
    ratio_interval,
    resampled_sums,
)


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


def test_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).exponential(size=80)
    ours = mean_interval(values, seed=0, n_resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=expanded_level(0.95, 80),
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_ratio_interval_agrees_with_scipy() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(1, 30, size=120)
    edits = rng.binomial(words, 0.1)
    ours = ratio_interval(edits, words, seed=0, n_resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (edits, words),
        lambda e, w, axis: e.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        vectorized=True,
        confidence_level=expanded_level(0.95, 120),
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert ours.estimate == edits.sum() / words.sum()
    assert ours.low == pytest.approx(theirs.low, abs=0.002)
    assert ours.high == pytest.approx(theirs.high, abs=0.002)


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


def test_percentile_bounds_hand_worked() -> None:
    assert percentile_bounds(np.arange(101.0), level=0.9) == pytest.approx((5.0, 95.0))
    assert percentile_bounds(np.array([np.nan, 2.0])) == (2.0, 2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: resampled_sums(np.empty((0, 1)), seed=0, n_resamples=1),
        lambda: resampled_sums([[math.nan]], seed=0, n_resamples=1),
        lambda: resampled_sums([[1.0]], seed=0, n_resamples=1, clusters=["a", "b"]),
        lambda: ratio_interval([1, 2], [1], seed=0),
        lambda: percentile_bounds(np.ones(3), level=95),
    ],
)
def test_what_makes_no_sense_is_refused(call) -> None:  # type: ignore[no-untyped-def]  # five thunks
    with pytest.raises(ValueError, match=r"must|labels"):
        call()


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(0, 2**32), st.randoms())
def test_depends_on_seed_and_values_and_not_on_order(values: list[int], seed: int, rng) -> None:  # type: ignore[no-untyped-def]  # hypothesis' own Random
    shuffled = rng.sample(values, k=len(values))
    assert mean_interval(values, seed=seed, n_resamples=50) == mean_interval(shuffled, seed=seed, n_resamples=50)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20), st.floats(-3, 3), st.floats(0.5, 3))
def test_moves_and_scales_with_the_values(values: list[float], shift: float, scale: float) -> None:
    one = mean_interval(values, seed=1, n_resamples=50)
    other = mean_interval([scale * v + shift for v in values], seed=1, n_resamples=50)
    assert other.low == pytest.approx(scale * one.low + shift, abs=1e-9)
    assert other.high == pytest.approx(scale * one.high + shift, abs=1e-9)


@pytest.mark.parametrize("n", [5, 10, 30, 200, 5_000])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_expanded_level_agrees_with_students_distribution(n: int, level: float) -> None:
    t = scipy.stats.t.ppf((1 + level) / 2, n - 1)
    expected = 2 * scipy.stats.norm.cdf(math.sqrt(n / (n - 1)) * t) - 1
    assert expanded_level(level, n) == pytest.approx(expected, abs=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("n", [15, 100])
def test_intervals_of_a_mean_cover_as_often_as_students_which_are_exact(n: int) -> None:
    # Compared on the same draws, so that the luck of the draw (0.5 % for 2,000) falls out.
    rng = np.random.default_rng(0)
    t = scipy.stats.t.ppf(0.975, n - 1)
    ours = students = 0
    for trial in range(2_000):
        values = rng.normal(size=n)
        interval = mean_interval(values, seed=trial)
        ours += interval.low <= 0.0 <= interval.high
        students += abs(values.mean()) <= t * values.std(ddof=1) / math.sqrt(n)
    assert ours / 2_000 == pytest.approx(students / 2_000, abs=0.01)
    assert ours / 2_000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_95_percent_intervals_of_a_clustered_error_rate_cover_95_percent() -> None:
    # 100 speakers of 3 utterances; a speaker's error rate is drawn once, 20 % on average.
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(100), 3)
    covered = 0
    for trial in range(2_000):
        rates = rng.beta(4, 16, size=100)[speakers]
        words = rng.integers(5, 25, size=300)
        edits = rng.binomial(words, rates)
        interval = ratio_interval(edits, words, seed=trial, n_resamples=1_000, clusters=speakers.tolist())
        covered += interval.low <= 0.2 <= interval.high
    assert 0.94 <= covered / 2_000 <= 0.96
