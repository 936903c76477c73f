"""Codes that agree with an oracle's, by hand."""

from __future__ import annotations

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec

from .views import Seen, sample

AGREEMENT = build_scorer(ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": "slow one"}))


def score(codes: list[int], expected: list[int], status: Status = "ok") -> Score | None:
    seen = Seen("", status=status, codes=tuple(codes), peers={"slow one": Seen("", codes=tuple(expected))})
    return AGREEMENT.score(sample("x"), seen)


def test_equal_codes_at_equal_places_over_the_longer_answer() -> None:
    found = score([1, 2, 3, 4], [1, 9, 3])
    assert found is not None
    assert (found.numerator, found.denominator, found.value) == (2, 4, 0.5)
    shorter = score([1], [1, 2])
    assert shorter is not None
    assert shorter.value == 0.5
    assert str(AGREEMENT.recipe({})) == "oracle_agreement@1; oracle=slow one"


def test_without_codes_the_answer_is_empty_and_agrees_in_nothing() -> None:
    found, failed = score([], [1, 2]), score([], [1, 2], "error")
    assert found is not None
    assert (found.status, found.value) == ("empty", 0.0)
    assert failed is not None
    assert failed.status == "error"


def test_where_neither_speaks_or_the_oracle_has_no_answer_there_is_nothing_to_compare() -> None:
    assert score([], []) is None
    assert AGREEMENT.score(sample("x"), Seen("", codes=(1,))) is None


def test_it_needs_an_oracle() -> None:
    with pytest.raises(UserError, match="needs the label of a system"):
        build_scorer(ScoreSpec("oracle_agreement", "oracle_agreement"))
