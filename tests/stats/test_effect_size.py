"""Effect sizes: published worked examples and by hand."""

from __future__ import annotations

import math

import pytest
from statsmodels.stats.proportion import proportion_effectsize

from tttbench.stats.effect_size import cliffs_delta, cohens_h, shift_factor


def test_cliffs_delta_counts_pairs() -> None:
    # Of 6 pairs a is larger in 4, smaller in 1, equal in 1.
    assert cliffs_delta([3, 5], [1, 2, 5]) == pytest.approx((4 - 1) / 6)
    assert cliffs_delta([1], [2]) == -1.0


@pytest.mark.parametrize(("p", "q"), [(0.8, 0.5), (0.5, 0.8), (0.0, 1.0), (0.3, 0.3)])
def test_cohens_h_agrees_with_statsmodels(p: float, q: float) -> None:
    assert cohens_h(p, q) == pytest.approx(proportion_effectsize(p, q))


def test_a_shift_is_found_as_its_factor_despite_outliers() -> None:
    b = [1.0, 1.1, 0.9, 1.05, 0.95]
    assert shift_factor([1.2 * x for x in b], b) == pytest.approx(1.2)
    assert shift_factor([*(1.2 * x for x in b), 50.0], b) == pytest.approx(1.2, rel=0.15)
    assert shift_factor([2.0], [1.0]) == 2.0


def test_what_has_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        cohens_h(1.2, 0.5)
    with pytest.raises(ValueError, match="above 0"):
        shift_factor([0.0], [1.0])
    assert math.isfinite(shift_factor([1e-9], [1e9]))
