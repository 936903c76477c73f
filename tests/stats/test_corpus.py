"""Which interval a corpus value and a paired difference take, and that they stay where the metric can be."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.metric import MetricInfo
from tttbench.stats.bootstrap import mean_interval, paired_ratio_difference, ratio_interval
from tttbench.stats.corpus import FEWEST_UNITS, corpus_difference, corpus_interval
from tttbench.stats.interval import Interval
from tttbench.stats.paired_shares import paired_shares_interval
from tttbench.stats.wilson import clustered_wilson_interval, wilson_interval

from .metrics import AGREEMENT, ERRORS, GAP, LEVEL, OPINION, VERDICTS

Z2 = 3.841458820694124
"""The square of the normal quantile of 97.5 %."""


def values(info: MetricInfo, numbers: Sequence[float], clusters: Sequence[str] | None = None) -> Interval:
    return corpus_interval(info, numbers, [1.0] * len(numbers), seed=0, n_resamples=200, clusters=clusters)


def bounds(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_verdicts_take_wilson_s_interval() -> None:
    assert values(VERDICTS, [1, 0, 1, 1, 0, 1, 1, 1]) == wilson_interval(6, 8)


def test_verdicts_in_clusters_take_that_of_the_effective_number() -> None:
    right, clusters = [1, 1, 0, 0] * 4, [str(at // 2) for at in range(16)]
    assert values(VERDICTS, right, clusters) == clustered_wilson_interval(right, clusters)


def test_counts_are_resampled() -> None:
    edits, words = [0, 1, 2, 0, 3, 1, 0, 1, 0], [5, 6, 7, 8, 9, 4, 3, 5, 6]
    assert corpus_interval(ERRORS, edits, words, seed=3) == ratio_interval(edits, words, seed=3)


def test_values_that_happen_to_be_verdicts_are_no_proportion() -> None:
    numbers = [1.0, 0.0] * 10
    interval = mean_interval(numbers, seed=0, n_resamples=200)
    assert values(LEVEL, [-1.0, -2.0] * 10) == mean_interval([-1.0, -2.0] * 10, seed=0, n_resamples=200)
    assert values(MetricInfo("v"), numbers) == interval
    assert bounds(values(VERDICTS, numbers)) != bounds(interval)


def test_differences_of_verdicts_take_the_interval_of_paired_shares() -> None:
    numbers = [1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert values(GAP, numbers) == paired_shares_interval(numbers)


@pytest.mark.parametrize("info", [VERDICTS, ERRORS, GAP, OPINION, MetricInfo("v")])
def test_of_fewer_than_eight_there_is_no_interval(info: MetricInfo) -> None:
    numbers = [1.0] + [0.0 if info is not OPINION else 3.0] * (FEWEST_UNITS - 1)
    seven, eight = values(info, numbers[:-1]), values(info, numbers)
    assert seven.estimate == pytest.approx(np.mean(numbers[:-1]))
    assert math.isnan(seven.low)
    assert math.isnan(seven.high)
    assert eight.low < eight.estimate < eight.high
    # As many clusters as are needed, not as many samples.
    assert math.isnan(values(info, numbers * 3, [str(at % 7) for at in range(24)]).low)


@pytest.mark.parametrize("n", [8, 20, 300])
@pytest.mark.parametrize(("info", "value", "lowest", "highest"), [(OPINION, 4.5, 1, 5), (GAP, 0.5, -1, 1)])
def test_equal_values_are_not_certainty(info: MetricInfo, value: float, lowest: float, highest: float, n: int) -> None:
    # A share of z² / (n + z²) may differ unseen, and lie at an end of the range.
    unseen = Z2 / (n + Z2)
    found = values(info, [value] * n)
    assert found.estimate == value
    assert bounds(found) == pytest.approx((value - unseen * (value - lowest), value + unseen * (highest - value)))


def test_equal_values_without_a_range_have_no_interval() -> None:
    for info in (LEVEL, MetricInfo("v"), MetricInfo("v", lowest=0)):
        found = values(info, [-3.0] * 40)
        assert found.estimate == -3.0
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_no_error_and_nothing_but_errors_count_utterances_and_not_words() -> None:
    # 20 utterances of ten words: z² / (20 + z²) = 16.1 % may go wrong, however many words they have.
    none, every = (corpus_interval(ERRORS, [10 * wrong] * 20, [10] * 20, seed=0) for wrong in (0, 1))
    assert bounds(none) == pytest.approx((0.0, 0.161125), abs=1e-6)
    assert bounds(every) == pytest.approx((0.838875, 1.0), abs=1e-6)
    assert bounds(none) == pytest.approx(bounds(wilson_interval(0, 20)))


def test_repeats_of_an_utterance_count_once_where_all_are_wrong() -> None:
    clusters = [str(at // 5) for at in range(100)]
    found = corpus_interval(ERRORS, [7] * 100, [7] * 100, seed=0, clusters=clusters)
    assert bounds(found) == pytest.approx(bounds(wilson_interval(20, 20)))


def test_where_one_utterance_has_most_of_the_words_the_others_say_little() -> None:
    # Lengths 91 and nine of 1: as many as 100² / (91² + 9) = 1.2063 equal ones.
    found = corpus_interval(ERRORS, [0] * 10, [91] + [1] * 9, seed=0)
    assert found.high == pytest.approx(Z2 / (10_000 / 8_290 + Z2))


def test_more_than_everything_wrong_in_all_has_no_interval() -> None:
    # Four words for one, every time: what else there could be has no end.
    found = corpus_interval(ERRORS, [4] * 10, [1] * 10, seed=0)
    assert found.estimate == 4.0
    assert math.isnan(found.low)


def test_bounds_stay_within_the_range() -> None:
    high = values(OPINION, [5.0] * 9 + [1.0])
    assert (high.high, high.low > 1.0) == (5.0, True)
    low = values(MetricInfo("v", lowest=0), [0.0] * 9 + [3.0])
    assert low.low == 0.0


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=8, max_size=30), st.booleans())
def test_rates_are_never_negative_and_shares_never_above_one(rows: list[tuple[int, int]], alike: bool) -> None:
    edits, words = np.array(rows).T
    clusters = (np.arange(len(rows)) // 2).tolist() if alike and len(rows) > 16 else None
    found = corpus_interval(ERRORS, edits, words, seed=0, n_resamples=50, clusters=clusters)
    assert math.isnan(found.low) or 0 <= found.low <= found.estimate <= found.high
    agreeing = corpus_interval(AGREEMENT, np.minimum(edits, words), words, seed=0, n_resamples=50, clusters=clusters)
    assert math.isnan(agreeing.low) or 0 <= agreeing.low <= agreeing.estimate <= agreeing.high <= 1


@given(
    st.sampled_from([VERDICTS, AGREEMENT, GAP, OPINION]),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=8, max_size=30),
)
def test_differences_stay_within_what_the_range_allows(info: MetricInfo, pairs: list[tuple[int, int]]) -> None:
    reach = info.most - info.least
    parts = info.least + reach * np.array(pairs, dtype=float)
    rows = np.stack([parts[:, 0], np.ones(len(pairs)), parts[:, 1], np.ones(len(pairs))], axis=1)
    found = corpus_difference(info, rows, seed=0, n_resamples=50)
    assert -reach <= found.low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.high <= reach


def difference(info: MetricInfo, rows: list[list[float]], clusters: Sequence[str] | None = None) -> Interval:
    return corpus_difference(info, np.array(rows), seed=0, n_resamples=200, clusters=clusters)


def test_a_difference_of_verdicts_takes_the_interval_of_paired_shares() -> None:
    rows = [[1.0, 1.0, 0.0, 1.0]] * 3 + [[1.0, 1.0, 1.0, 1.0]] * 7
    assert difference(VERDICTS, rows) == paired_shares_interval([-1] * 3 + [0] * 7)


def test_a_difference_of_rates_is_resampled_in_pairs() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(5, 30, size=40)
    a, b = rng.binomial(words, [[0.2], [0.1]])
    rows = np.stack([a, words, b, words], axis=1).astype(float)
    theirs = paired_ratio_difference(b, words, a, words, seed=0, n_resamples=200)
    assert corpus_difference(ERRORS, rows, seed=0, n_resamples=200) == theirs


def test_a_difference_of_few_or_of_nothing_has_no_interval() -> None:
    assert math.isnan(difference(ERRORS, [[1.0, 4.0, 2.0, 4.0]] * 7).low)
    assert difference(ERRORS, [[1.0, 4.0, 2.0, 4.0]] * 7).estimate == 0.25
    assert math.isnan(difference(ERRORS, [[0.0, 0.0, 0.0, 0.0]] * 9).estimate)
    assert math.isnan(difference(VERDICTS, [[1.0, 1.0, 0.0, 1.0]] * 20, ["a", "b"] * 10).low)


def test_equal_differences_are_not_certainty() -> None:
    # Every answer turned from right to wrong: -1, and up to 2 of the way back unseen.
    unseen = Z2 / (20 + Z2)
    rates = difference(ERRORS, [[0.0, 10.0, 10.0, 10.0]] * 20)
    assert bounds(rates) == pytest.approx((1 - 2 * unseen, 1.0))
    same = difference(OPINION, [[3.0, 1.0, 3.0, 1.0]] * 20)
    assert bounds(same) == pytest.approx((-4 * unseen, 4 * unseen))
    assert math.isnan(difference(LEVEL, [[-3.0, 1.0, -3.0, 1.0]] * 20).low)


def test_nothing_supports_nothing() -> None:
    assert math.isnan(corpus_interval(VERDICTS, [], [], seed=0).estimate)
    assert math.isnan(corpus_interval(ERRORS, [0] * 9, [0] * 9, seed=0).estimate)
