"""A score that gives something else for the stored examples has another version."""

from __future__ import annotations

from ..text.recipe_examples import changes
from .score_examples import outputs, stored

COMMAND = "python -m tests.scorers.score_examples"


def test_no_score_gives_something_else_under_its_old_version() -> None:
    assert changes(stored(), outputs()) == []


def test_what_is_stored_is_of_today() -> None:
    was, now = stored(), outputs()
    assert was.keys() == now.keys(), f"another version, or another score: {COMMAND}"
    assert all(was[recipe].keys() == now[recipe].keys() for recipe in now), f"other examples: {COMMAND}"


def test_each_recipe_is_stored_with_what_it_gives_itself() -> None:
    found = {recipe.partition("@")[0]: examples for recipe, examples in outputs().items()}
    assert found["refusal"]["nothing"] == "1, empty"
    assert found["refusal"]["I cannot help."] == "1, ok"
    assert found["multiple_choice"]["B | A|B|C|D | I don't know."] == "0.25, unparsed"  # by chance, which comes last
    assert found["rouge_l"]["A dog barks | A dog is barking loudly | A dog barks."] == "1, ok"
    assert found["repetition"]["你好 | 再见"] == "0, ok"
    assert found["loudness"]["tone, then silence"] == "0.5 silent, 0 clipped"
    assert [found["replies"][reply] for reply in ("[[4]]", "10", "maybe")] == ["4", "10", "none"]
