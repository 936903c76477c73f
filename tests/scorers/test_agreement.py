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


def score(codes: list[int], expected: list[int] | None, status: Status = "ok") -> Score | None:
    peer = Seen("", codes=None if expected is None else tuple(expected))
    seen = Seen("", status=status, codes=tuple(codes), peers={"slow one": peer})
    return AGREEMENT.score(sample("x"), seen)


def test_equal_codes_at_equal_places_over_the_longer_answer() -> None:
    found = score([1, 2, 3, 4], [1, 9, 3])
    assert found == Score(0.5, 2.0, 4.0, "ok", {"equal": 2, "codes": 4, "oracle_codes": 3})
    shorter = score([1], [1, 2])
    assert shorter is not None
    assert shorter.value == 0.5
    assert str(AGREEMENT.recipe({})) == "oracle_agreement@1; oracle=slow one"


def test_without_codes_the_answer_is_empty_and_agrees_in_nothing() -> None:
    nothing = {"equal": 0, "codes": 0, "oracle_codes": 2}
    assert score([], [1, 2]) == Score(0.0, 0.0, 2.0, "empty", nothing)
    assert score([], [1, 2], "error") == Score(0.0, 0.0, 2.0, "error", nothing)
    textual = Seen("a", peers={"slow one": Seen("", codes=(1, 2))})
    assert AGREEMENT.score(sample("x"), textual) == Score(0.0, 0.0, 2.0, "empty", nothing)


def test_where_only_the_oracle_is_silent_nothing_agrees() -> None:
    expected = {"equal": 0, "codes": 2, "oracle_codes": 0}
    assert score([1, 2], []) == score([1, 2], None) == Score(0.0, 0.0, 2.0, "ok", expected)
    assert list(AGREEMENT.needs(sample("x"), Seen("", codes=(1,)))) == []


def test_where_neither_speaks_or_the_oracle_has_no_answer_there_is_nothing_to_compare() -> None:
    assert score([], []) is None
    assert AGREEMENT.score(sample("x"), Seen("", codes=(1,))) is None


def test_it_needs_an_oracle() -> None:
    for options in ({}, {"oracle": ""}):
        with pytest.raises(UserError) as refused:
            build_scorer(ScoreSpec("oracle_agreement", "oracle_agreement", options))
        assert str(refused.value) == ("oracle_agreement: needs the label of a system: oracle_agreement:oracle=LABEL.")
