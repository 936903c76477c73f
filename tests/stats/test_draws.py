"""Both ways of drawing rows with replacement: the distribution of every outcome, and that n rows are drawn."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import scipy.stats

from tttbench.stats import draws
from tttbench.stats.draws import sums_by_counts, sums_by_pairs


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def probability(counts: tuple[int, ...]) -> float:
    """Of drawing each of n rows so often, in n draws that take every row alike: n! / (n^n Π c!)."""
    n = sum(counts)
    return float(math.factorial(n) / n**n / math.prod(map(math.factorial, counts)))


@pytest.mark.parametrize("group", [256, 2, 1])
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_outcome_is_as_frequent_as_it_is_probable(n: int, group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Columns that mark one row each: their sums say how often each row was drawn. In groups of one and two, rows meet
    # rows of other groups, and the last group is smaller.
    monkeypatch.setattr(draws, "GROUP", group)
    seen = Counter(tuple(row) for row in sums_by_pairs(generator(n), np.eye(n), 20_000).astype(int).tolist())
    outcomes = [counts for counts in product(range(n + 1), repeat=n) if sum(counts) == n]
    assert set(seen) <= set(outcomes)
    expected = [20_000 * probability(counts) for counts in outcomes]
    assert scipy.stats.chisquare([seen[counts] for counts in outcomes], expected).pvalue > 0.001


@pytest.mark.parametrize("n", [255, 256, 257, 600])
def test_rows_of_full_and_of_smaller_groups_are_drawn_alike(n: int) -> None:
    marked = np.zeros((n, 3))
    marked[[0, 200, n - 1], [0, 1, 2]] = 1
    sums = sums_by_pairs(generator(), marked, 20_000)
    expected = 20_000 * scipy.stats.binom.pmf(np.arange(4), n, 1 / n)
    for column in sums.T:
        seen = [(column == times).sum() for times in range(4)]
        rest = [20_000 - sum(seen), 20_000 - sum(expected)]
        assert scipy.stats.chisquare([*seen, rest[0]], [*expected, rest[1]]).pvalue > 0.001


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 600])
def test_as_many_rows_are_drawn_as_there_are(n: int) -> None:
    assert set(sums_by_pairs(generator(), np.ones((n, 1)), 50)[:, 0]) == {n}


def test_all_columns_are_of_the_same_draws() -> None:
    values = np.random.default_rng(0).normal(size=700)
    sums = sums_by_pairs(generator(), np.stack([values, 2 * values + 1], axis=1), 100)
    np.testing.assert_allclose(sums[:, 1], 2 * sums[:, 0] + 700)


def test_counts_of_distinct_rows_are_multinomial() -> None:
    # Rows 0, 0, 1: the sum of three draws is binomial with 3 and 1/3.
    sums = sums_by_counts(generator(), np.array([[0.0], [1.0]]), np.array([2, 1]), 20_000)[:, 0]
    expected = 20_000 * scipy.stats.binom.pmf(np.arange(4), 3, 1 / 3)
    assert scipy.stats.chisquare([(sums == s).sum() for s in range(4)], expected).pvalue > 0.001
