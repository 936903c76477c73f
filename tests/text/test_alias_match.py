"""Answers as other evaluations match them; every verdict is that of the published code."""

from __future__ import annotations

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.answers import WrittenAnswer
from tttbench.text.alias_match import alias_tokens, contains_alias, exact_tokens, is_exact


@pytest.mark.parametrize(
    ("answer", "expected", "contains", "exact"),
    [
        ("It is Paris.", "paris", True, False),
        ("The Paris!", "Paris", True, True),
        ("It is not Paris.", "Paris", True, False),
        ("Parisian", "Paris", False, False),
        ("It is twelve.", "12", False, False),
        ("U.S.", "U.S.", True, True),
        ("US", "U.S.", False, True),
        ("the Elys\u00e9e", "Elyse\u0301e", True, False),
        ("答案是北京", "北京", False, False),
        ("北京", "北京", True, True),
        ("-5 degrees", "5", True, False),
        ("New\u00a0York", "new york", True, True),
        ("a cat", "cat", True, True),
    ],
)
def test_answers(answer: str, expected: str, contains: bool, exact: bool) -> None:
    assert (contains_alias(answer, expected), is_exact(answer, expected)) == (contains, exact)


def test_nothing_gives_what_has_no_token() -> None:
    assert not contains_alias("Paris", "\u200b")
    assert not is_exact("", "the")


def test_tokens() -> None:
    assert alias_tokens("It's $5, d\u00e9j\u00e0 vu") == ("it", "'", "s", "$", "5", ",", "de\u0301ja\u0300", "vu")
    assert exact_tokens("The cat's  hat, a Hat!") == ("cats", "hat", "hat")


def test_both_are_presets_of_scores() -> None:
    made = build_scorer(ScoreSpec("text_accuracy", "x", {"recipe": "contains-alias"}))
    assert isinstance(made, WrittenAnswer)
    assert (made.recipe({}).matcher, made.recipe({}).normalizer) == ("contains_alias@1", "raw@1")
    exact = build_scorer(ScoreSpec("spoken_accuracy", "x", {"recipe": "exact", "transcriber": "ears"}))
    assert exact.recipe({}).matcher == "exact_match@1"
    with pytest.raises(UserError, match=r"there is no recipe 'contains'\. Did you mean 'contains-alias'"):
        build_scorer(ScoreSpec("text_accuracy", "x", {"recipe": "contains"}))
