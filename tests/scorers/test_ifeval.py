"""``ifeval``: by prompt and by instruction, strictly and loosely; what can't be checked is left out by name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Sample
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.denominators import leaves_out

from .views import Seen, sample

COMMA, WORDS = "punctuation:no_comma", "length_constraints:number_words"
LONG = {"num_words": 3, "relation": "at least"}


def prompt(*asked: tuple[str, dict[str, Any]]) -> Sample:
    metadata = {
        "instruction_id_list": json.dumps([name for name, _ in asked]),
        "kwargs": json.dumps([{"num_words": None, "relation": None, **told} for _, told in asked]),
    }
    return replace(sample(""), metadata=metadata)


def score(of: Sample, seen: Seen, **options: str) -> Score | None:
    return build_scorer(ScoreSpec("ifeval", "ifeval", options)).score(of, seen)


BOTH = prompt((COMMA, {}), (WORDS, LONG))


@pytest.mark.parametrize(
    ("text", "by_prompt", "by_instruction"),
    [("one two three", 1, (2, 2)), ("one two", 0, (1, 2)), ("one, two", 0, (0, 2)), ("", 0, (0, 2))],
)
def test_a_prompt_needs_all_and_an_instruction_counts_alone(
    text: str, by_prompt: int, by_instruction: tuple[int, int]
) -> None:
    whole, each = score(BOTH, Seen(text)), score(BOTH, Seen(text), level="instruction")
    assert whole is not None
    assert each is not None
    assert (whole.value, whole.denominator) == (by_prompt, 1)
    assert (each.numerator, each.denominator) == by_instruction
    assert whole.status == each.status == ("ok" if text else "empty")


def test_the_detail_names_each_instruction() -> None:
    found = score(BOTH, Seen("one two"))
    assert found is not None
    assert found.detail["followed"] == {f"1 {COMMA}": True, f"2 {WORDS}": False}


def test_loosely_a_first_line_does_not_count() -> None:
    strict, loose = (score(BOTH, Seen("Sure, here:\none two three"), mode=mode) for mode in ("strict", "loose"))
    assert strict is not None
    assert loose is not None
    assert (strict.value, loose.value) == (0, 1)


def test_a_request_without_an_answer_follows_nothing() -> None:
    found = score(BOTH, Seen("", status="error"), level="instruction")
    assert found is not None
    assert (found.status, found.numerator, found.denominator) == ("error", 0, 2)


@pytest.mark.parametrize("text", ["one, two", "one two three", ""])
def test_a_prompt_with_an_unchecked_instruction_is_left_out_whatever_the_answer(text: str) -> None:
    unchecked = prompt(
        (COMMA, {}), ("length_constraints:number_sentences", {"num_sentences": 1, "relation": "at least"})
    )
    found = score(unchecked, Seen(text))
    assert found is not None
    assert "length_constraints:number_sentences (NLTK's sentence splitter)" in found.dropped
    recipe = build_scorer(ScoreSpec("ifeval", "ifeval", {})).recipe({})
    assert leaves_out(recipe)
    assert "length_constraints:number_sentences" in recipe.denominator


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (prompt(("new:kind", {})), "new:kind: there is no such instruction"),
        (prompt((WORDS, {})), "num_words must be a whole number|relation must be"),
        (replace(sample(""), metadata={"instruction_id_list": "x", "kwargs": "[]"}), "isn't JSON"),
        (replace(sample(""), metadata={"instruction_id_list": "[]", "kwargs": "[]"}), "must be a list of ids"),
        (replace(sample(""), metadata={"instruction_id_list": f'["{COMMA}"]', "kwargs": "[]"}), "list of 1 tables"),
    ],
)
def test_what_cannot_be_read_has_no_value_and_is_named(of: Sample, says: str) -> None:
    found = score(of, Seen("one two three"))
    assert found is not None
    assert found.status == "derivation_failed"
    assert re.search(says, str(found.detail["error"]))


def test_a_sample_without_instructions_has_no_score() -> None:
    assert score(sample("x"), Seen("x")) is None


@pytest.mark.parametrize("options", [{"level": "word"}, {"mode": "soft"}])
def test_other_options_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UserError, match="must be '"):
        build_scorer(ScoreSpec("ifeval", "ifeval", options))
