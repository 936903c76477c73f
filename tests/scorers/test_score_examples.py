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
    assert found["nearest_rendition"]["(1, 2, 9, 4)"] == "0.25, ok, 1 of 4"
    assert found["oracle_agreement"]["(1, 2, 9, 4) (1, 2, 3, 4)"] == "0.75, ok, 3 of 4"
    assert found["inserted_words"][" | Thank you for watching."] == "8, ok, 4 of 0.5"
    assert found["inserted_words"]["a word | you"] == "no score"
    assert found["utmos"]["predicted"] == "1.0625, ok, 1.0625 of 1"
    assert found["speaker_similarity"]["(1, 2) (2, 1)"] == "0.8, ok, 0.8 of 1"
    assert found["clair_a"]['{"verdicts": [40, 61], "model": "m"}'] == "50.5, ok, 50.5 of 1"


def test_votes_of_a_judge_are_stored_by_the_way_in_which_they_are_counted() -> None:
    by_recipe = {recipe: examples for recipe, examples in outputs().items() if recipe.startswith("answer@")}
    tie = '{"verdicts": [1, 0], "model": "m"}'
    assert sorted(one[tie] for one in by_recipe.values() if tie in one) == [
        *["0, ok, 0 of 1"] * 2,  # no majority
        *["0.5, ok, 0.5 of 1"] * 2,  # the share of votes
    ]
    without = [one["refused"] for one in by_recipe.values()]
    assert without.count("0, unparsed, 0 of 1") == 1  # as published
    assert set(without) == {"0, unparsed, 0 of 1", "nan, derivation_failed"}
