"""The same answers in several ways: values, changes, and the samples that moved, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.cli.explain_tables import show
from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo, plain_score
from tttbench.pages.explained import explained_page
from tttbench.scorers.answers import WRITTEN
from tttbench.scorers.explain_answers import explain_matches
from tttbench.scorers.explain_rates import explain_rate
from tttbench.scorers.explained import Answered, Cell, Column, Explanation, Moved, Row, Way, number, rows_of
from tttbench.scorers.presets import PRESETS

ANSWERS = (
    Answered("case", ("The cat sat.",), "the Cat sat"),
    Answered("split", ("a white paper",), "a whitepaper"),
    Answered("none", ("one two",), None, "error"),
)


def explained(*columns: Column, steps: str = "", language: str = "en", n_examples: int = 2) -> Explanation:
    return explain_rate(
        "t", "wer", columns or (Column("s", ANSWERS),), language=language, steps=steps, n_examples=n_examples
    )


def by_name(rows: tuple[Row, ...]) -> dict[str, Cell]:
    return {row.name: row.cells[0] for row in rows if row.cells}


def test_presets_are_set_against_the_texts_as_they_stand() -> None:
    found = explained()
    assert (found.task, found.what, found.columns, found.n_samples) == ("t", "Word error rate in %", ("s",), 3)
    cells = by_name(found.presets)
    # Raw: The, Cat and sat.; white and paper; both words of the answer that isn't there.
    assert cells["raw"].value == pytest.approx(7 / 8)
    assert math.isnan(cells["raw"].change)
    # "one two" is one number.
    assert cells["whisper-en"].value == pytest.approx(3 / 7)
    assert cells["open-asr-2026-07"].value == pytest.approx(1 / 7)
    assert cells["open-asr-2026-07"].change == pytest.approx(1 / 7 - 7 / 8)
    assert cells["open-asr-2026-07"].n_moved == 3
    assert set(cells) == {
        *(name for name, one in PRESETS.items() if one.language in ("", "en")),
        "seed-tts, mean of samples (wer_mean)",
        *(f"{name}, as published" for name in ("kimi-en", "ultraeval-en", "seed-tts")),
    }
    # The answer that isn't there is left out.
    assert cells["kimi-en, as published"].value == pytest.approx(2 / 6)
    assert cells["kimi-en, as published"].dropped == 1


def test_steps_are_set_against_the_one_before_and_end_at_the_preset() -> None:
    found = explained()
    assert found.steps_of == "open-asr-2026-07"
    cells = by_name(found.steps)
    assert cells["as written"].value == by_name(found.presets)["raw"].value
    assert cells["lower case"].value == pytest.approx(5 / 8)
    assert cells["lower case"].change == pytest.approx(-2 / 8)
    assert cells["lower case"].moved == (Moved("case", 3.0, 1.0, "The → the, cat → Cat, sat. → sat", "sat. → sat"),)
    assert cells["punctuation and accents out"].value == pytest.approx(4 / 8)
    assert cells["numbers in digits"].value == pytest.approx(3 / 7)
    last = cells["split and joined words forgiven"]
    assert last.value == by_name(found.presets)["open-asr-2026-07"].value
    assert last.moved == (Moved("split", 2.0, 0.0, "white → whitepaper, paper → ∅", ""),)
    mean = found.steps[-1]
    assert (mean.name, mean.info.aggregation) == ("mean of the samples' rates (wer_mean)", "value")
    assert mean.cells[0].value == pytest.approx(1 / 3)


def test_of_equal_changes_the_first_samples_are_shown() -> None:
    answers = tuple(Answered(str(at), ("A b",), "a b") for at in range(4))
    moved = by_name(explained(Column("s", answers), n_examples=2).steps)["lower case"]
    assert (moved.n_moved, [one.id for one in moved.moved]) == (4, ["0", "1"])


def test_systems_stand_side_by_side() -> None:
    right = tuple(Answered(one.id, one.references, one.references[0]) for one in ANSWERS)
    found = explained(Column("a", ANSWERS), Column("b", right))
    raw = found.presets[0]
    assert [cell.value for cell in raw.cells] == [pytest.approx(7 / 8), 0]


@pytest.mark.parametrize("preset", ["whisper-en", "kimi-en", "ultraeval-en", "seed-tts", "digits"])
def test_the_last_step_is_the_preset(preset: str) -> None:
    found = explained(steps=preset)
    last = [row for row in found.steps if "mean of" not in row.name][-1]
    assert last.cells[0].value == by_name(found.presets)[preset].value


def test_what_is_not_made_of_steps_is_not_taken_apart() -> None:
    assert explained(language="de").steps == ()
    with pytest.raises(UserError, match="--steps en: is no preset that is made of steps"):
        explained(steps="en")


def test_presets_of_other_scores_are_named_and_set_against_nothing() -> None:
    answers = (Answered("a", ("你好 world",), "你们 word"), Answered("b", ("再见",), None, "error"))
    found = explain_rate("t", "cer_zh", [Column("s", answers)], language="zh", steps="kimi-zh", n_examples=1)
    cells = by_name(found.presets)
    others = {name for name in cells if "(" in name}
    assert others == {
        *("mixed (mer)", "kimi-zh (mer)", "ultraeval-zh (mer)", "seed-tts-zh (wer)"),
        *("kimi-zh (mer), as published", "ultraeval-zh (mer), as published"),
        *("seed-tts-zh, mean of samples (wer_mean)", "seed-tts-zh (wer_mean), as published"),
    }
    assert {name for name, cell in cells.items() if math.isnan(cell.change)} == others | {"raw"}
    assert all(not cells[name].moved for name in others)
    assert found.steps_of == "kimi-zh (mer)"
    assert found.steps[-1].cells[0].value == cells["kimi-zh (mer)"].value
    unlike = "counts other units, and can\u2019t be compared"
    assert unlike in explained_page([found])
    assert unlike not in explained_page([explained()])


@pytest.mark.parametrize(
    ("scorer", "language", "steps", "why"),
    [
        ("cer_zh", "zh", "kimi-en", "It is for the language en, and the answers are in zh."),
        ("cer_zh", "en", "open-asr-2026-07", "sets compounds=merged, which cer_zh doesn't have"),
        ("cer_zh", "en", "", "sets compounds=merged, which cer_zh doesn't have"),
    ],
)
def test_a_preset_is_taken_apart_where_it_fits(scorer: str, language: str, steps: str, why: str) -> None:
    found = explain_rate("t", scorer, [Column("s", ANSWERS)], language=language, steps=steps, n_examples=1)
    assert found.presets[0].cells
    assert (found.steps, found.steps_of) == ((), steps or "open-asr-2026-07")
    assert why in found.steps_problem
    assert f"isn't taken apart here: {found.steps_problem}" in show(found)
    assert f"{found.steps_of} isn\u2019t taken apart here" in explained_page([found])


def test_rows_that_cannot_be_scored_or_count_other_units_are_not_the_ones_compared_with() -> None:
    info = MetricInfo("Rate", unit="%", scale=100)
    column = Column("s", (Answered("a", ("one",), "two"),))

    def one(name: str, value: float, *, counts_others: bool = False) -> Way:
        return Way(name, info, ((plain_score(value),),), counts_others=counts_others)

    lacking = Way("lacks", info, problem="the package isn't installed")

    def presets(*ways: Way) -> tuple[Row, ...]:
        return rows_of(ways, [column], 1, to_first=True)

    rows = presets(lacking, one("first", 0.5), one("second", 0.25))
    found = Explanation("t", "Rate in %", ("s",), 1, rows)
    assert (found.base, found.presets[2].cells[0].change) == ("first", -0.25)
    assert "vs. first" in show(found)
    page = explained_page([found])
    assert "<h3>Presets, vs. first</h3>" in page
    assert "counts other units" not in page
    found = replace(found, presets=presets(one("other", 0.75, counts_others=True), one("first", 0.5)))
    assert "vs. first" in show(found)
    assert "counts other units" in explained_page([found])
    found = replace(found, presets=presets(lacking))
    assert found.base == ""
    assert "vs." not in show(found)
    assert "<h3>Presets</h3>" in explained_page([found])


def test_answers_to_questions_are_matched_in_every_way() -> None:
    answers = (
        Answered("bare", ("Paris",), "paris."),
        Answered("sentence", ("12",), "It is twelve."),
        Answered("denied", ("Rome",), "It is not Rome"),
        Answered("failed", ("Bern",), None, "derivation_failed"),
    )
    found = explain_matches("q", WRITTEN, [Column("s", answers)], n_examples=1)
    cells = by_name(found.presets)
    assert list(cells) == [
        "contains-alias",
        "exact",
        "ours, formerly (answer_match@1)",
        "ours (answer_match@2)",
    ]
    assert [cell.value for cell in cells.values()] == [pytest.approx(share / 3) for share in (2, 1, 3, 2)]
    assert {cell.dropped for cell in cells.values()} == {1}
    assert cells["exact"].moved == (Moved("denied", 1.0, 0.0, "rome → it is not rome", "rome → it is not rome"),)
    assert found.steps == ()


def test_values_are_shown_with_three_decimals() -> None:
    info = MetricInfo("Rate", unit="%", scale=100)
    shown = [
        number(0.03654, info),
        number(-0.002, info, signed=True),
        number(1e-9, info, signed=True),
        number(math.nan, info),
    ]
    assert shown == ["3.654", "-0.200", "0", "-"]


@pytest.mark.slow
def test_what_moves_the_published_hypotheses(shared_data: Path) -> None:
    folder = shared_data / "asr_hypotheses"
    texts = {
        name: dict(line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines())
        for name in ("ref", "rnnt")
        for path in [folder / f"librispeech_test_clean.{name}.tsv"]
    }
    answers = tuple(Answered(key, (text,), texts["rnnt"][key]) for key, text in texts["ref"].items())
    found = explained(Column("rnnt", answers))
    values = {name: round(100 * cell.value, 3) for name, cell in by_name(found.steps).items()}
    assert values["as written"] == 3.654
    assert values["signs without a number out"] == 3.530
    assert values["split and joined words forgiven"] == 3.137
