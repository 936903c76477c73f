"""The tables of hand-worked cases: each row as it was worked out, and the page as the code fills it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.edit_rates import EditRate
from tttbench.scorers.matchers import MATCHERS

from .recipe_examples import ROOT, table

WORDS, CHARACTERS, ANSWERS, NEGATIONS = (table(name) for name in ("words", "characters", "answers", "negations"))


def edits(scorer: str, reference: str, answer: str, **options: str) -> tuple[int, int]:
    made = build_scorer(ScoreSpec(scorer, scorer, options))
    assert isinstance(made, EditRate)
    score = made.edits.score(reference, answer, "ok")
    return int(score.numerator), int(score.denominator)


def gives(expected: str, answer: str) -> bool:
    return MATCHERS["answer_match@2"].gives(answer, expected)


def test_the_tables_are_whole() -> None:
    assert (len(WORDS) >= 150, len(CHARACTERS) >= 20, len(ANSWERS) >= 130, len(NEGATIONS)) == (True, True, True, 200)
    halves = [(row["set"], row["gives_it"]) for row in NEGATIONS]
    assert all(
        halves.count((half, gives_it)) == 50 for half in ("development", "held-out") for gives_it in ("yes", "no")
    )


@pytest.mark.parametrize("row", WORDS, ids=lambda row: f"{row['reference']}-{row['answer']}")
def test_word_errors(row: dict[str, str]) -> None:
    assert edits("wer", row["reference"], row["answer"]) == (int(row["errors"]), int(row["words"]))


@pytest.mark.parametrize("row", WORDS, ids=lambda row: f"{row['reference']}-{row['answer']}")
def test_equal_texts_are_equal_both_ways(row: dict[str, str]) -> None:
    errors, _ = edits("wer", row["answer"], row["reference"])
    assert (errors == 0) == (row["errors"] == "0")


@pytest.mark.parametrize("row", CHARACTERS, ids=lambda row: f"{row['reference']}-{row['answer']}")
def test_character_errors(row: dict[str, str]) -> None:
    assert edits("cer_zh", row["reference"], row["answer"]) == (int(row["errors"]), int(row["characters"]))


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['expected']}-{row['answer']}")
def test_answers(row: dict[str, str]) -> None:
    assert gives(row["expected"], row["answer"]) == (row["right"] == "yes")


def test_script_variants_are_equal_where_it_is_asked_for() -> None:
    assert edits("cer_zh", "台灣", "台湾", recipe="zh-hans") == (0, 2)
    assert edits("cer_zh", "後來他們來了", "后来他们来了", normalizer="zh-hans") == (0, 6)


def test_most_denied_answers_are_rejected_and_hardly_any_other() -> None:
    """What the page prints, with room for a rule that is made simpler."""
    for half, most_accepted, most_rejected in (("development", 4, 1), ("held-out", 6, 3)):
        rows = [row for row in NEGATIONS if row["set"] == half]
        given = [(row["gives_it"], gives(row["expected"], row["answer"])) for row in rows]
        assert given.count(("no", True)) <= most_accepted
        assert given.count(("yes", False)) <= most_rejected


def tables_of_the_page() -> ModuleType:
    path = ROOT / "docs" / "scoring_tables.py"
    spec = importlib.util.spec_from_file_location("scoring_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["scoring.md", "recipes.md"])
def test_the_page_shows_what_the_code_makes_of_the_cases(name: str) -> None:
    page = Path(ROOT / "docs" / name).read_text(encoding="utf-8")
    assert tables_of_the_page().filled(name, page) == page, "run: python docs/scoring_tables.py"
