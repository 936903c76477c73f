"""Fills the tables of ``scoring.md`` and ``recipes.md`` from ``scoring/*.tsv``: cases, and what recipes make of them.

The expected values in those files are worked out by hand and tested (``tests/text/test_hand_worked.py``); what stands
beside them here is computed, so it can't drift from the code. Run from the repository root:
``python docs/scoring_tables.py``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tttbench.core.plugins import build_scorer, normalizers
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.edit_rates import EditRate
from tttbench.scorers.matchers import MATCHERS
from tttbench.scorers.presets import PRESETS
from tttbench.text.alignment import Alignment, align_characters, align_words
from tttbench.text.steps import steps_of, stepwise

FOLDER = Path(__file__).parent
DATA = Path(__file__).parent / "scoring"

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """Return the rows of ``scoring/NAME.tsv`` by column."""
    with (DATA / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def edits(row: Row, normalizer: str, align: Callable[[str, str], Alignment]) -> Alignment:
    """Align reference and answer of a row after a normalizer."""
    normalize = normalizers.get(normalizer).normalize
    return align(normalize(row["reference"]).strip(), normalize(row["answer"]).strip())


def holds_after_whisper(answer: str, expected: str) -> bool:
    """Whether the words of ``expected`` stand in ``answer``, both after Whisper's normalizer and nothing more."""
    normalize = normalizers.get("whisper-en").normalize
    words, wanted = normalize(answer).split(), normalize(expected).split()
    return bool(wanted) and any(words[at : at + len(wanted)] == wanted for at in range(len(words)))


def words_table() -> Iterator[str]:
    """Word errors: ours and Whisper's."""
    yield from _head("kind", "reference", "answer", "form of both, or each", "errors", "Whisper's form", "errors")
    for row in rows("words"):
        ours, whisper = edits(row, "en", align_words), edits(row, "whisper-en", align_words)
        yield _line(
            row["kind"], _code(row["reference"]), _code(row["answer"]), *_forms(row, "en", ours),
            *_forms(row, "whisper-en", whisper),
        )  # fmt: skip


def characters_table() -> Iterator[str]:
    """Character errors of Chinese: ours and those after Whisper's rules for other languages."""
    yield from _head("kind", "reference", "answer", "form of both, or each", "errors", "Whisper's form", "errors")
    for row in rows("characters"):
        ours, whisper = edits(row, "zh", align_characters), edits(row, "whisper-basic", align_characters)
        yield _line(
            row["kind"], _code(row["reference"]), _code(row["answer"]), *_forms(row, "zh", ours),
            *_forms(row, "whisper-basic", whisper),
        )  # fmt: skip


def answers_table() -> Iterator[str]:
    """Verdicts: ours, those of the rules of 0.1, and whole words after Whisper's normalizer."""
    yield from _head("kind", "expected", "answer", "right", "`answer_match@1`", "Whisper's form")
    for row in rows("answers"):
        verdicts = [
            *(matcher.gives(row["answer"], row["expected"]) for matcher in MATCHERS.values()),
            holds_after_whisper(row["answer"], row["expected"]),
        ]
        marks = ["yes" if verdict else "no" for verdict in verdicts]
        yield _line(row["kind"], _code(row["expected"]), _code(row["answer"]), *marks)


def negations_table() -> Iterator[str]:
    """How often denied answers pass, and affirmed ones don't, on both halves of the set."""
    yield from _head("rules", "sentences", "denied, and accepted all the same", "affirmed, and rejected all the same")
    for name, matcher in MATCHERS.items():
        for part in ("development", "held-out"):
            of_part = [row for row in rows("negations") if row["set"] == part]
            given = [(row["gives_it"] == "yes", matcher.gives(row["answer"], row["expected"])) for row in of_part]
            accepted = [found for gives, found in given if not gives]
            rejected = [not found for gives, found in given if gives]
            yield _line(f"`{name}`", part, _share(accepted), _share(rejected))


SHOWN = {
    "en": dict.fromkeys(("en", "whisper-en", "open-asr-2026-07", "kimi-en", "ultraeval-en", "seed-tts"), "wer"),
    "zh": {"zh": "cer_zh", "whisper-basic": "cer_zh", "cn_tn": "cer_zh", "kimi-zh": "mer", "ultraeval-zh": "mer"},
}
"""Presets whose errors are shown, and the score that they are given to, by language."""


def steps_table() -> Iterator[str]:
    """The steps of every preset that is made of some; of one whose package may be missing they stand in the text."""
    yield from _head("preset", "version", "steps, in order")
    for name, preset in PRESETS.items():
        normalizer = normalizers.get(preset.options["normalizer"])
        if normalizer.name in stepwise() and not normalizer.extra:
            steps = [step.name for step in steps_of(normalizer.name)]
            if "compounds" in preset.options:
                steps.append("**split and joined words forgiven**")
            yield _line(f"`{name}`", str(normalizer.version), "; ".join(steps))


def examples_table(language: str) -> Iterator[str]:
    """Errors of pairs of texts under several presets."""
    rates = {name: build_scorer(ScoreSpec(score, score, {"recipe": name})) for name, score in SHOWN[language].items()}
    yield from _head("kind", "reference", "answer", *(f"`{name}`" for name in rates))
    for row in rows("recipes"):
        if row["language"] == language:
            found = []
            for rate in rates.values():
                assert isinstance(rate, EditRate)
                score = rate.scored(row["reference"], row["answer"], "ok")
                found.append(f"{score.numerator:g} of {score.denominator:g}")
            yield _line(row["kind"], _code(row["reference"]), _code(row["answer"]), *found)


TABLES: dict[str, dict[str, Callable[[], Iterator[str]]]] = {
    "scoring.md": {
        "words": words_table,
        "characters": characters_table,
        "answers": answers_table,
        "negations": negations_table,
    },
    "recipes.md": {
        "steps": steps_table,
        "english": lambda: examples_table("en"),
        "chinese": lambda: examples_table("zh"),
    },
}
"""By page, and by the name in the marks."""


def filled(name_of_page: str, page: str) -> str:
    """Return the page with every table between its marks made anew."""
    for name, table in TABLES[name_of_page].items():
        begin, end = f"<!-- {name}: made by scoring_tables.py -->", f"<!-- {name}: end -->"
        content = "\n".join([begin, *table(), end])
        page, found = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _, text=content: text, page, flags=re.S)
        assert found == 1, f"{name_of_page}: the marks of the table {name!r} aren't there once"
    return page


def _forms(row: Row, normalizer: str, alignment: Alignment) -> tuple[str, str]:
    """The normal form of both texts, or both if they differ; and edits of how many units."""
    normalize = normalizers.get(normalizer).normalize
    forms = dict.fromkeys(_code(normalize(row[name]).strip()) for name in ("reference", "answer"))
    counts = alignment.counts
    return " / ".join(forms), f"{counts.errors} of {counts.reference_units}"


def _share(verdicts: Sequence[bool]) -> str:
    return f"{sum(verdicts)} of {len(verdicts)} ({100 * sum(verdicts) / len(verdicts):.0f} %)"


def _code(text: str) -> str:
    """A text as it stands: invisible characters by name, nothing read as markup."""
    shown = text.replace("\u200b", "⟨U+200B⟩").replace("\u2011", "⟨U+2011⟩").replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    return f"{fence} {shown} {fence}" if fence == "``" else f"`{shown}`" if shown else "\u2013"


def _head(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield "|" + "---|" * len(names)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for name_of_page in TABLES:
        path = FOLDER / name_of_page
        path.write_text(filled(name_of_page, path.read_text(encoding="utf-8")), encoding="utf-8")
