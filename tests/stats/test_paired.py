"""McNemar's exact test against statsmodels, by hand, and by simulation. Its power: test_power.py."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from tttbench.stats.paired import McNemar, mcnemar_exact


def verdicts(only_a: int, only_b: int, both: int = 3, neither: int = 2) -> tuple[list[bool], list[bool]]:
    a = [True] * only_a + [False] * only_b + [True] * both + [False] * neither
    b = [False] * only_a + [True] * only_b + [True] * both + [False] * neither
    return a, b


def test_hand_worked() -> None:
    # 1 against 5: 2 * (C(6,0) + C(6,1)) / 64 = 14/64
    found = mcnemar_exact(*verdicts(1, 5))
    assert found == McNemar(1, 5, found.p_value)
    assert found.p_value == pytest.approx(14 / 64)


def test_no_difference_proves_nothing() -> None:
    assert mcnemar_exact(*verdicts(0, 0)).p_value == 1.0
    assert mcnemar_exact(*verdicts(4, 4)).p_value == 1.0


@given(st.integers(0, 60), st.integers(0, 60))
def test_agrees_with_statsmodels(only_a: int, only_b: int) -> None:
    theirs = mcnemar([[3, only_a], [only_b, 2]], exact=True).pvalue if only_a + only_b else 1.0
    assert mcnemar_exact(*verdicts(only_a, only_b)).p_value == pytest.approx(theirs)


def test_large_counts_do_not_overflow() -> None:
    theirs = mcnemar([[3, 5_100], [4_900, 2]], exact=True).pvalue
    assert mcnemar_exact(*verdicts(5_100, 4_900)).p_value == pytest.approx(theirs, rel=1e-6)


def test_verdicts_must_be_paired() -> None:
    with pytest.raises(ValueError, match="every sample"):
        mcnemar_exact([True], [True, False])


def test_equal_systems_are_told_apart_as_rarely_as_promised() -> None:
    # 5,000 evaluations of 100 samples, on a quarter of which two equally good systems differ.
    rng = np.random.default_rng(0)
    which = rng.random((5_000, 100))
    rejected = [mcnemar_exact(a, b).p_value <= 0.05 for a, b in zip(which < 0.125, which > 0.875, strict=True)]
    # Exact: heads of m fair coins, m being binomial; the test is conservative because there are few of them.
    size = sum(
        scipy.stats.binom.pmf(m, 100, 0.25) * 2 * scipy.stats.binom.cdf(_critical(m), m, 0.5) for m in range(101)
    )
    assert np.mean(rejected) == pytest.approx(size, abs=0.008)
    assert 0.02 < size < 0.05


def _critical(m: int) -> int:
    """The largest number of heads that is significantly few; -1 for none."""
    return next((k - 1 for k in range(m + 1) if 2 * scipy.stats.binom.cdf(k, m, 0.5) > 0.05), -1)
