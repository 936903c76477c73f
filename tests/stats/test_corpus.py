"""Which interval a corpus value takes."""

import math

import pytest

from tttbench.stats.bootstrap import ratio_interval
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.wilson import clustered_wilson_interval, wilson_interval


def test_verdicts_take_wilson_s_interval() -> None:
    assert corpus_interval([1, 0, 1, 1], [1, 1, 1, 1], seed=0) == wilson_interval(3, 4)


def test_verdicts_in_clusters_take_that_of_the_effective_number() -> None:
    right, clusters = [1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"]
    assert corpus_interval(right, [1] * 6, seed=0, clusters=clusters) == clustered_wilson_interval(right, clusters)


def test_counts_are_resampled() -> None:
    edits, words = [0, 1, 2, 0, 3, 1, 0, 1, 0], [5, 6, 7, 8, 9, 4, 3, 5, 6]
    assert corpus_interval(edits, words, seed=3) == ratio_interval(edits, words, seed=3)


def test_no_error_at_all_is_not_certainty() -> None:
    # 300 words: z^2 / (300 + z^2) = 3.841459 / 303.841459
    found = corpus_interval([0] * 30, [10] * 30, seed=0)
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.0126430, abs=1e-6)


def test_a_constant_measurement_has_no_width() -> None:
    found = corpus_interval([0.5, 0.5, 0.5], [1, 1, 1], seed=0)
    assert (found.low, found.high) == (0.5, 0.5)


def test_nothing_supports_nothing() -> None:
    assert math.isnan(corpus_interval([], [], seed=0).estimate)
