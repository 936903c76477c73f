"""A recipe that makes something else of the stored examples has another version."""

from __future__ import annotations

from .recipe_examples import changes, outputs, stored, without_extras_that_are_missing

COMMAND = "python tests/text/recipe_examples.py"


def test_no_recipe_gives_something_else_under_its_old_version() -> None:
    assert changes(stored(), outputs()) == []


def test_what_is_stored_is_of_today() -> None:
    was, now = without_extras_that_are_missing(stored()), outputs()
    assert was.keys() == now.keys(), f"another version, or another recipe: {COMMAND}"
    assert all(was[recipe].keys() == now[recipe].keys() for recipe in now), f"other examples: {COMMAND}"


def test_a_change_without_a_new_version_is_named() -> None:
    before = {"en@1": {"One": "1", "Two": "2"}, "zh@1": {"一": "1"}}
    assert changes(before, {"en@1": {"One": "1", "Two": "2", "Three": "3"}, "zh@2": {"一": "one"}}) == []
    found = changes(before, {"en@1": {"One": "one", "Two": "2"}, "zh@1": {"一": "1"}})
    assert found == ["en@1 makes 'one' of 'One', where it made '1' (1 examples differ): raise its version"]


def test_each_recipe_is_stored_with_what_it_makes_itself() -> None:
    found = outputs()
    forms = {recipe.partition("@")[0]: examples for recipe, examples in found.items() if " by " not in recipe}
    assert forms["raw"]["It is $42$."] == "It is $42$."
    assert forms["whisper-en"]["1%"] == "one "
    assert forms["whisper-basic"]["1%"] == "1 "
    assert (forms["en"]["two dollars"], forms["zh"]["two dollars"]) == ("$2", "twodollars")
    assert forms["digits"]["twenty-one"] == "2 1"
    tokens = {recipe: examples for recipe, examples in found.items() if recipe.endswith("tokens")}
    assert {examples["1%"] for examples in tokens.values()} == {"1", "1%", "1 %"}
    edits = {recipe: examples["twenty-one | 21"] for recipe, examples in found.items() if " by " in recipe}
    assert sorted(edits.values()) == [*["1 of 1, ok"] * 4, "10 of 10, ok", "10 of 10, ok"]
