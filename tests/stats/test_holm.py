"""Holm's correction against statsmodels and by hand."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tttbench.stats.holm import holm


def test_hand_worked() -> None:
    # Sorted: 0.01 * 4 = 0.04, 0.02 * 3 = 0.06, 0.03 * 2 = 0.06, 0.04 * 1 -> not below 0.06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_nothing_to_correct() -> None:
    assert holm([]) == []
    assert holm([0.3]) == [0.3]


def test_agrees_with_statsmodels() -> None:
    p_values = [0.001, 0.2, 0.013, 0.04, 0.013, 0.9]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    # A hypothesis falls when every set of hypotheses that holds it falls by Bonferroni's test of that set.
    indices = range(len(p_values))
    subsets = [subset for size in indices for subset in combinations(indices, size + 1)]
    closed = [max(min(1.0, len(s) * min(p_values[j] for j in s)) for s in subsets if i in s) for i in indices]
    assert holm(p_values) == pytest.approx(closed)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([0.5, 1.5])
