"""Holm's correction against statsmodels, by hand, and by simulation."""

from itertools import combinations

import numpy as np
import pytest
import scipy.stats
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


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.95], ids=["independent", "correlated", "nearly the same"])
@pytest.mark.parametrize("real", [0, 2, 4])
def test_any_false_finding_among_five_metrics_is_as_rare_as_promised(shared: float, real: int) -> None:
    # ``real`` of the metrics differ so much that they are always found, which leaves the others the more to reject.
    rng = np.random.default_rng(0)
    draws = 6_000
    z = np.sqrt(shared) * rng.normal(size=(draws, 1)) + np.sqrt(1 - shared) * rng.normal(size=(draws, 5))
    z[:, :real] += 20
    adjusted = np.array([holm(row) for row in (2 * scipy.stats.norm.sf(np.abs(z))).tolist()])
    assert (adjusted[:, :real] <= 0.05).all()
    false = (adjusted[:, real:] <= 0.05).any(axis=1).mean()
    assert false < 0.056
    if shared == 0:
        # Independent metrics: 1 - (1 - 0.05 / m)^m of the m that are left.
        left = 5 - real
        assert false == pytest.approx(1 - (1 - 0.05 / left) ** left, abs=0.007)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([0.5, 1.5])
