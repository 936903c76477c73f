"""Published tables: the shipped figures, cells filled from runs, and every format a reader may want."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import Comparison, MetricInfo, Result, plain_score
from tttbench.core.plugins import build_task, tasks
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.pages.paper_tables import html, render_all
from tttbench.published import SHIPPED, load_tables
from tttbench.published.known_tasks import KnownTask
from tttbench.published.measured import Cell, FilledTable, Measured, MeasuredRun, fill, found_in
from tttbench.store.manifest import Summary
from tttbench.store.rows import AnswerKey
from tttbench.store.standings import Standings

RESULT = Result(
    "ttt:/models/ttt",
    "llama_questions",
    "spoken_accuracy",
    *(0.4, 0.31, 0.49),
    n=120,
    ok=118,
    empty=0,
    unparsed=0,
    derivation_failed=0,
    error=2,
    recipe=Recipe("spoken_accuracy@1", transcriber="openai-whisper large-v3", judge="Qwen3-30B-A3B"),
    value_best=0.41,
    value_worst=0.4,
)
SIZES = {name: KnownTask(task.size, task.missing) for name in tasks.names() for task in [build_task(name)]}
METRICS = {
    "spoken_accuracy": MetricInfo("Spoken answers right", unit="%", scale=100, aggregation="binary"),
    "utmos": MetricInfo("Predicted naturalness", "UTMOS"),
}


def run_of(result: Result = RESULT) -> MeasuredRun:
    return MeasuredRun("a", Summary("done", 120, 120, metrics=METRICS, results=(result,)))


def filled(names: dict[str, str]) -> tuple[FilledTable, ...]:
    return fill(load_tables(), found_in([run_of()], names), SIZES)


def cell(tables: Sequence[FilledTable], table: str, row: str, column: str) -> Cell:
    block = next(one for one in tables if one.table.id == table).blocks[0]
    at_row = [one.id for one in block.block.rows].index(row)
    return block.cells[at_row][[one.id for one in block.block.columns].index(column)]


def test_the_shipped_figures_are_those_of_the_paper() -> None:
    tables = filled({})
    assert cell(tables, "architectures", "ttt", "llama_questions").published == 34.68
    assert cell(tables, "architectures", "nar", "aishell_2").published == 212.27
    assert cell(tables, "ablation", "no_sst", "aishell_1").published == 31.03
    assert cell(tables, "uro_bench", "ar", "reasoning").published is None
    assert all(
        block.source for table in load_tables() for block in table.blocks if any(r.published for r in block.rows)
    )


def test_a_measured_cell_has_figure_interval_counts_and_the_difference() -> None:
    found = cell(filled({"ttt:/models/ttt": "ttt:TtT-3B"}), "ablation", "ttt", "llama_questions")
    assert found.measured is not None
    assert (found.measured.value, found.measured.result.n, found.measured.not_ok) == (40.0, 120, 2)
    assert found.difference == pytest.approx(40.0 - 34.68)


def test_a_cell_that_was_not_measured_says_what_it_needs_and_the_command() -> None:
    found = cell(filled({}), "ablation", "ttt", "llama_questions")
    assert found.measured is None
    assert "Stephen-Lee/TtT-3B" in found.needs
    assert "Qwen3-30B-A3B" in found.needs
    assert found.command == (
        "tttbench run --systems ttt:TtT-3B --tasks llama_questions --judge openai_chat:MODEL "
        "--data llama_questions=PATH"
    )


def test_published_test_sets_are_measured_by_their_own_tasks() -> None:
    columns = [column for table in load_tables() for block in table.blocks for column in block.columns]
    asr = {column.task for column in columns if column.better == "lower" and column.needs}
    assert (
        asr
        == {
            *("aishell1", "aishell2", "fleurs_en", "fleurs_zh", "wenetspeech_meeting", "wenetspeech_net"),
        }
        <= {*tasks.names()}
    )
    found = cell(filled({}), "ablation", "ttt", "aishell_1")
    assert found.command == "tttbench run --systems ttt:TtT-3B --tasks aishell1 --data aishell1=PATH"


def test_the_command_of_a_cell_on_own_recordings_names_what_they_are_in_the_table(tmp_path: Path) -> None:
    own = SHIPPED.read_text().replace('task = "aishell1",', 'task = "own", via = "asr_folder_zh",')
    (tmp_path / "tables.toml").write_text(own)
    found = cell(fill(load_tables(tmp_path / "tables.toml"), {}, SIZES), "ablation", "ttt", "aishell_1")
    assert found.command == (
        "tttbench run --systems ttt:TtT-3B --tasks asr_folder_zh --data asr_folder_zh=PATH --out RUN"
        " && tttbench tables RUN --name asr_folder_zh=own"
    )


def test_every_command_runs_a_task_that_there_is_and_else_the_task_is_what_is_needed() -> None:
    for table in filled({}):
        for block in table.blocks:
            for one in (one for row in block.cells for one in row):
                words = one.command.split()
                if words:
                    assert {*words[words.index("--tasks") + 1].split(",")} <= {*tasks.names()}
                else:
                    assert "which there is not yet (docs/add_a_task.md)" in one.needs


def test_what_was_judged_otherwise_has_no_difference() -> None:
    other = run_of(replace(RESULT, recipe=Recipe("spoken_accuracy@1", transcriber="openai-whisper tiny.en")))
    found = found_in([other], {"ttt:/models/ttt": "ttt:TtT-3B"})
    tables = fill(load_tables(), found, SIZES)
    one = cell(tables, "ablation", "ttt", "llama_questions")
    assert (one.is_judged_otherwise, one.difference) == (True, None)
    files = render_all(tables)
    assert "34.68 / 40.0 [31.0, 49.0] n=120, 2 not ok (judged otherwise)" in files["ablation.md"]
    assert "judged otherwise" in files["tables.html"]
    assert "judged otherwise" in files["ablation.tex"]


def test_every_format_has_the_figures_side_by_side() -> None:
    files = render_all(filled({"ttt:/models/ttt": "ttt:TtT-3B"}))
    assert "34.68 / 40.0 [31.0, 49.0] n=120, 2 not ok (+5.3)" in files["ablation.md"]
    assert r"34.68 / 40.0 {\scriptsize [31.0, 49.0], $n=120$, 2 not ok; +5.3}" in files["ablation.tex"]
    assert "% - Mini TtT, mini_qa spoken: `tttbench run" in files["ablation.tex"]
    assert r"mini\_qa\_noisy" in files["ablation.tex"]
    assert "40.0" in files["tables.html"]
    assert "http-equiv" not in files["tables.html"]
    assert "<script" not in files["tables.html"]
    rows = list(csv.DictReader(io.StringIO(files["ablation.csv"])))
    first = rows[0]
    assert (first["published"], first["measured"], first["n"], first["run"]) == ("34.68", "40.0", "120", "a")
    assert all(set(row) == set(first) and None not in row.values() for row in rows)
    assert len(rows) == 4 * 3 + 4 * 4


def test_names_are_those_of_the_suites_recipes() -> None:
    from tttbench.config.training import shipped_training_configs

    known = {f"ttt:{name.replace('/', '-')}" for name in shipped_training_configs() if name.startswith("ablation/")}
    mini = [
        row.system
        for table in load_tables()
        for block in table.blocks
        if block.title.startswith("Mini")
        for row in block.rows
    ]
    assert set(mini) <= known


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('better = "lower"', 'better = "down"', "better: must be 'higher' or 'lower', not 'down'"),
        (
            'source = "ttt"',
            'source = "nobody"',
            r"blocks\[0\]\.source: 'nobody' is not in \[sources\]\. Known: ttt",
        ),
        ("published = [34.68, 12.53, 13.65]", "published = [34.68]", "row 'ttt' has 1 figures for 3 columns"),
        ("[[tables]]", "[[tables", "not valid TOML"),
        ('title = "LlamaQ"', 'titel = "LlamaQ"', r"columns\[1\]\.titel: unknown key\. Did you mean 'title'"),
        ("published = [34.68, 12.53, 13.65]", "published = [34.68, 12.53, nan]", r"published\[2\]: must be a finite"),
        ('url = "https:', 'url = "javascript:', "sources.ttt: url must begin with https:// or http://"),
        ('id = "ablation"', 'id = "../ablation"', r"tables\[1\]: id may hold up to 60 letters, digits, '_' and '-'"),
        ('id = "ablation"', 'id = "architectures"', r"tables\[1\]: has the id 'architectures' of \[0\]"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = SHIPPED.read_text()
    assert old in text
    path = tmp_path / "tables.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=rf"(?s)tables\.toml.*{message}"):
        load_tables(path)


def test_figures_without_a_source_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tables.toml"
    path.write_text(SHIPPED.read_text().replace('source = "ttt"\n', ""))
    with pytest.raises(UserError, match="has published figures, but the block names no source"):
        load_tables(path)


def test_the_verb_writes_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tttbench.cli import main as cli

    assert cli.main(["tables", "--out", str(tmp_path / "t")]) == 0
    assert "ablation: 0 of 28 cells measured" in capsys.readouterr().out
    assert {path.suffix for path in (tmp_path / "t").iterdir()} == {".html", ".md", ".tex", ".csv"}
    assert cli.main(["tables", "--name", "x"]) == 2
    assert "must be IN-RUN=IN-TABLE" in capsys.readouterr().err


def test_a_cell_without_an_interval_is_a_cell() -> None:
    alone = replace(RESULT, ci_low=math.nan, ci_high=math.nan, n=1, ok=1, error=0, n_units=1)
    found = found_in([run_of(alone)], {"ttt:/models/ttt": "ttt:TtT-3B"})
    tables = fill(load_tables(), found, {})
    measured = cell(tables, "ablation", "ttt", "llama_questions").measured
    assert measured is not None
    assert measured.result.n == 1
    assert "34.68 / 40.0 [n too small] n=1 (+5.3)" in render_all(tables)["ablation.md"]


def test_a_figure_that_is_no_share_is_printed_as_it_is() -> None:
    utmos = replace(RESULT, task="speech_quality", metric="utmos", value=4.1)
    found = found_in([run_of(utmos)], {"ttt:/models/ttt": "ttt:TtT-3B"})
    tables = fill(load_tables(), found, {})
    measured = cell(tables, "quality", "ttt", "utmos").measured
    assert measured is not None
    assert measured.value == 4.1


def several(info: MetricInfo = METRICS["spoken_accuracy"], **other: Any) -> FilledTable:
    """The architectures with two systems that one run measured, and, with ``other``, a third of another run.

    Of 60 questions they have 60, 40 and 20 right.
    """
    names = {"good": "ttt:TtT-3B", "bad": "ttt:qwen2.5-3b-ar", "third": "ttt:qwen2.5-3b-nar"}
    runs = [measured("a", {"bad": 40, "good": 60}, info)]
    runs += [measured("b", {"third": 20}, info, **other)] if other else []
    tables = fill(load_tables(), found_in(runs, names), SIZES)
    return next(one for one in tables if one.table.id == "architectures")


def measured(
    name: str,
    right: dict[str, int],
    info: MetricInfo,
    recipe: Recipe = RESULT.recipe,
    data: str = "d",
    metric: str = "spoken_accuracy",
) -> MeasuredRun:
    standings = Standings()
    for label, number in right.items():
        for at in range(60):
            score = plain_score(info.most if at < number else info.least)
            key = AnswerKey(label, "llama_questions", f"s{at}", 0)
            standings.add(key, Sample(f"s{at}", ()), {metric: score})
    results = tuple(
        replace(
            RESULT,
            metric=metric,
            system=label,
            value=info.least + (info.most - info.least) * number / 60,
            n=60,
            ok=60,
            recipe=recipe,
        )
        for label, number in right.items()
    )
    found = Summary("done", 60, 60, metrics={metric: info}, results=results)
    return MeasuredRun(name, found, standings, {"llama_questions": data})


def standings_of(table: FilledTable) -> dict[str, tuple[str, str]]:
    return {
        row.id: (one.comparison.standing, one.comparison.note)
        for row, cells in zip(table.blocks[0].block.rows, table.blocks[0].cells, strict=True)
        for one in cells
        if one.comparison is not None
    }


def test_systems_of_a_column_are_set_against_the_best_that_was_measured() -> None:
    table = several()
    assert standings_of(table) == {"ttt": ("best", ""), "ar": ("worse", "")}
    files = render_all([table])
    # 20 of 60 lost: (1 - 21) / 62 = -0.3226, half width 1.96 times sqrt((22 / 62 - 0.3226²) / 62) = 0.1246.
    away = "-33.3 [-44.7, -19.8], worse (p = 2e-06)"
    assert f"10.00 / 66.7 [31.0, 49.0] n=60 (+56.7); {away}" in files["architectures.md"]
    assert f"; {away}}}" in files["architectures.tex"]
    on_the_page = "\u221233.3\u00a0points [\u221244.7, \u221219.8], worse (p = 2e-06)"
    assert f'<span class="away">{on_the_page}</span>' in files["tables.html"]
    row = next(one for one in csv.DictReader(io.StringIO(files["architectures.csv"])) if one["standing"] == "worse")
    assert (row["best"], row["unit"], row["note"]) == ("TtT-3B", "%", "")
    assert float(row["to_best"]) == pytest.approx(-100 / 3)
    assert float(row["p_adjusted"]) == pytest.approx(2 / 2**20)


@pytest.mark.parametrize(
    ("other", "note"),
    [
        ({"recipe": Recipe("spoken_accuracy@2")}, "scored otherwise than TtT-3B"),
        ({"data": "e"}, "other data than TtT-3B"),
        ({"recipe": Recipe("x@1"), "data": "e"}, "scored otherwise and other data than TtT-3B"),
    ],
)
def test_what_was_scored_otherwise_or_on_other_data_is_not_compared(other: dict[str, Any], note: str) -> None:
    table = several(**other)
    assert standings_of(table)["nar"] == ("not compared", note)
    assert f"; not compared: {note}" in render_all([table])["architectures.md"]
    assert standings_of(several(data="d"))["nar"] == ("worse", "")


def test_what_stands_in_the_place_of_a_metric_is_not_compared_with_it() -> None:
    tables = load_tables()
    table = next(one for one in tables if one.id == "architectures")
    (column,) = [one for one in table.blocks[0].columns if one.id == "llama_questions"]
    column = replace(column, metric="spoken_accuracy", instead=("text_accuracy",))
    block = replace(table.blocks[0], columns=(column,), others=True)
    names = {"good": "ttt:TtT-3B", "bad": "ttt:qwen2.5-3b-ar"}
    info = METRICS["spoken_accuracy"]
    spoken = measured("a", {"bad": 30, "good": 40}, info)
    written = measured("b", {"third": 59, "fourth": 50}, info, metric="text_accuracy")
    (filled_table,) = fill([replace(table, blocks=(block,))], found_in([spoken, written], names), SIZES)
    best = {
        row.id: cells[0].comparison and cells[0].comparison.best
        for row, cells in zip(filled_table.blocks[0].block.rows, filled_table.blocks[0].cells, strict=True)
        if cells[0].measured is not None
    }
    assert best == {"ttt": "TtT-3B", "ar": "TtT-3B", "third": "third", "fourth": "third"}


def test_cells_are_in_their_metric_s_own_unit() -> None:
    mos = MetricInfo("Opinion", unit="MOS", lowest=1, highest=5)
    text = render_all([several(mos)])["architectures.md"]
    # 40 of 60 at 5, the rest at 1; the result's interval is as it was given.
    assert "10.00 / 3.667 [0.31, 0.49] n=60 (-6.333); -1.333 [" in text
    assert "points" not in render_all([several(mos)])["tables.html"]


def test_a_column_that_points_the_other_way_than_its_metric_is_refused() -> None:
    lower = replace(METRICS["spoken_accuracy"], direction="lower")
    with pytest.raises(UserError, match="column 'llama_questions': better is 'higher', but of the metric 'spoken_ans"):
        several(lower)


def test_the_page_has_units_and_minus_signs() -> None:
    info = METRICS["spoken_accuracy"]
    lower = Cell(42.4, Measured(RESULT, info, run_of(), (RESULT.task, RESULT.metric)), "", "")
    worse = Comparison("a", "qa", "right", "b", -0.125, -0.434, 0.234, 8, 8, 0.5, 0.5, "no difference found")
    page = html([_table_of(lower), _table_of(replace(lower, comparison=worse))])
    assert '<span class="measured">40.0\u00a0%<span class="range">31.0 to 49.0, 120 ' in page
    assert "\u22122.4\u00a0points to the published value" in page
    assert "\u221212.5\u00a0points [\u221243.4, +23.4], no difference found (p = 0.500)" in page


def _table_of(one: Cell) -> FilledTable:
    table = next(table for table in filled({}) if table.table.id == "ablation")
    return replace(
        table, blocks=(replace(table.blocks[0], cells=tuple((one,) * len(row) for row in table.blocks[0].cells)),)
    )
