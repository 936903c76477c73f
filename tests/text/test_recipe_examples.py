"""A recipe that makes something else of the stored examples has another version."""

from __future__ import annotations

from .recipe_examples import changes, outputs, stored

COMMAND = "python tests/text/recipe_examples.py"


def test_no_recipe_gives_something_else_under_its_old_version() -> None:
    assert changes(stored(), outputs()) == []


def test_what_is_stored_is_of_today() -> None:
    was, now = stored(), outputs()
    assert was.keys() == now.keys(), f"another version, or another recipe: {COMMAND}"
    assert all(was[recipe].keys() == now[recipe].keys() for recipe in now), f"other examples: {COMMAND}"


def test_a_change_without_a_new_version_is_named() -> None:
    before = {"en@1": {"One": "1", "Two": "2"}, "zh@1": {"一": "1"}}
    assert changes(before, {"en@1": {"One": "1", "Two": "2", "Three": "3"}, "zh@2": {"一": "one"}}) == []
    found = changes(before, {"en@1": {"One": "one", "Two": "2"}, "zh@1": {"一": "1"}})
    assert found == ["en@1 makes 'one' of 'One', where it made '1' (1 examples differ): raise its version"]
