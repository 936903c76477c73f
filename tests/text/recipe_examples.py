"""What every normalizer, matcher and edit rate makes of the example texts, kept with its version.

``python tests/text/recipe_examples.py`` stores it anew, and refuses to where a recipe gives something else under the
version that it had. The texts are those of ``docs/scoring/*.tsv``; normal forms that are made of steps have a file of
their own, and no answers to questions.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tttbench.core.extras import NEEDED, is_installed
from tttbench.core.normalizer import Normalizer
from tttbench.core.plugins import build_scorer, normalizers
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.edit_rates import EditRate
from tttbench.scorers.matchers import ALL
from tttbench.text.steps import stepwise

ROOT = Path(__file__).resolve().parent.parent.parent
STORED = Path(__file__).with_name("recipe_examples.json")
STORED_OF_STEPS = Path(__file__).with_name("recipe_examples_of_steps.json")

Outputs = Mapping[str, Mapping[str, str]]
"""By recipe and example."""


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of ``docs/scoring/NAME.tsv``."""
    with (ROOT / "docs" / "scoring" / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def outputs() -> dict[str, dict[str, str]]:
    """Return what each recipe makes of its examples now."""
    return dict([*_normalizers(), *_matchers(), *_edit_rates()])


def _texts(*tables: str) -> list[str]:
    """The texts of the tables, each once."""
    rows = [row for name in tables for row in table(name)]
    columns = ("reference", "answer", "expected")
    return list(dict.fromkeys(row[column] for row in rows for column in columns if column in row))


def _normalizers() -> Iterator[tuple[str, dict[str, str]]]:
    for one in filter(_is_installed, map(normalizers.get, normalizers.names())):
        texts = (
            _texts("words", "characters", "recipes")
            if _is_of_steps(one.recipe)
            else _texts("words", "characters", "answers")
        )
        yield one.recipe, {text: one.normalize(text) for text in texts}


def _is_installed(normalizer: Normalizer) -> bool:
    return not normalizer.extra or all(map(is_installed, NEEDED[normalizer.extra]))


def without_extras_that_are_missing(found: Outputs) -> Outputs:
    """Return ``found`` without normalizers that can't be used here."""
    missing = {name for name in normalizers.names() if not _is_installed(normalizers.get(name))}
    return {recipe: examples for recipe, examples in found.items() if recipe.partition("@")[0] not in missing}


def _is_of_steps(recipe: str) -> bool:
    """Whether it is that of a publication."""
    return recipe.partition("@")[0] in {*stepwise(), "contains_alias", "exact_match"} - {"whisper-en"}


def _matchers() -> Iterator[tuple[str, dict[str, str]]]:
    pairs = [(row["answer"], row["expected"]) for name in ("answers", "negations") for row in table(name)]
    for matcher in ALL.values():
        recipe = f"{matcher.name} on {normalizers.get(matcher.normalizer).recipe}"
        yield (
            f"{recipe}: tokens",
            {text: " ".join(matcher.tokens(text)) for text in _texts("words", "characters", "answers")},
        )
        yield recipe, {f"{answer} | {wanted}": str(matcher.gives(answer, wanted)) for answer, wanted in pairs}


def _edit_rates() -> Iterator[tuple[str, dict[str, str]]]:
    """Edits after no normalization."""
    options_of_wer: tuple[dict[str, str], ...] = ({}, {"compounds": "merged"}, {"units": "characters"})
    of_words = tuple(("wer", options) for options in options_of_wer)
    for name, options in (*of_words, ("cer", {}), ("cer_zh", {}), ("mer", {})):
        scorer = build_scorer(ScoreSpec(name, name, {"normalizer": "raw", **options}))
        assert isinstance(scorer, EditRate)
        recipe = scorer.recipe({})
        scores = (
            (f"{row['reference']} | {row['answer']}", scorer.edits.score(row["reference"], row["answer"], "ok"))
            for row in (*table("words"), *table("recipes"))
        )
        examples = {pair: f"{one.numerator:g} of {one.denominator:g}, {one.status}" for pair, one in scores}
        yield f"{recipe.scorer} by {recipe.matcher}", examples


def changes(before: Outputs, now: Outputs) -> list[str]:
    """Return which recipes give something else than before under the same version, with an example each."""
    found = []
    for recipe in sorted(before.keys() & now.keys()):
        was, gives = before[recipe], now[recipe]
        differing = [example for example in was if example in gives and gives[example] != was[example]]
        if differing:
            one = differing[0]
            found.append(
                f"{recipe} makes {gives[one]!r} of {one!r}, where it made {was[one]!r} "
                f"({len(differing)} examples differ): raise its version"
            )
    return found


def stored() -> dict[str, dict[str, str]]:
    """Read what is stored."""
    found: dict[str, dict[str, str]] = {}
    for path in (STORED, STORED_OF_STEPS):
        found |= json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def store() -> int:
    """Write what recipes give now; 1 if one gives something else under its old version."""
    before = stored()
    now = {
        **{recipe: before[recipe] for recipe in before.keys() - without_extras_that_are_missing(before)},
        **outputs(),
    }
    if wrong := changes(before, now):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    for path, of_steps in ((STORED, False), (STORED_OF_STEPS, True)):
        part = {recipe: examples for recipe, examples in now.items() if _is_of_steps(recipe) == of_steps}
        path.write_text(json.dumps(part, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(store())
