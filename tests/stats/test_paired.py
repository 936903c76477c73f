"""McNemar's exact test against statsmodels and by hand."""

import pytest
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
    assert mcnemar_exact(*verdicts(1, 5)) == McNemar(1, 5, pytest.approx(14 / 64))


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
