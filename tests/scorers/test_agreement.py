"""Codes that agree with an oracle's, by hand."""

from __future__ import annotations

import math

from tttbench.scorers.agreement import oracle_agreement


def test_equal_codes_at_equal_places_over_the_longer_answer() -> None:
    score = oracle_agreement([1, 2, 3, 4], [1, 9, 3], "ok", "slow one")
    assert (score.numerator, score.denominator, score.value) == (2, 4, 0.5)
    assert score.recipe == "oracle_agreement-1; oracle: slow one"
    assert oracle_agreement([1], [1, 2], "ok", "o").value == 0.5


def test_without_codes_the_answer_is_empty_and_agrees_in_nothing() -> None:
    score = oracle_agreement([], [1, 2], "ok", "o")
    assert (score.status, score.value) == ("empty", 0.0)
    assert oracle_agreement([], [1, 2], "error", "o").status == "error"
    assert math.isnan(oracle_agreement([], [], "ok", "o").value)
