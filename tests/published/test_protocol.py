"""Where the protocol of published figures and that of a run differ: named part by part, and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import TOPLINE, MetricInfo, Result
from tttbench.core.recipe import Recipe
from tttbench.core.system import SystemCard
from tttbench.pages.paper_tables import render_all
from tttbench.published import SHIPPED, load_tables
from tttbench.published.known_tasks import KnownTask
from tttbench.published.measured import Cell, FilledTable, MeasuredRun, fill, found_in
from tttbench.published.protocol import (
    Protocol,
    differing_parts,
    differing_samples,
    is_judged_otherwise,
    names_same,
)
from tttbench.store.manifest import Summary, SystemEntry

JUDGED = Recipe(
    "spoken_accuracy@1",
    transcriber="whisper large-v3@2a6ed6380f1d openai-whisper 20250625",
    judge="openai_chat Qwen/Qwen3-30B-A3B",
)
SIZES = {
    "llama_questions": KnownTask(300),
    "llama_questions_hub": KnownTask(),
    "aishell1": KnownTask(),
    "fleurs_zh": KnownTask(945),
    "fleurs_en": KnownTask(647),
}


def result(task: str = "llama_questions", metric: str = "spoken_accuracy", **other: object) -> Result:
    found = Result(
        "ttt:TtT-3B",
        task,
        metric,
        *(0.4, 0.31, 0.49),
        n=300,
        ok=300,
        empty=0,
        unparsed=0,
        derivation_failed=0,
        error=0,
        recipe=JUDGED,
        value_best=0.4,
        value_worst=0.4,
    )
    return replace(found, **other)  # type: ignore[arg-type]


def run_of(*results: Result, n: int = 300, systems: Mapping[str, SystemEntry] | None = None) -> MeasuredRun:
    info = dict.fromkeys(("spoken_accuracy", "text_accuracy", "spoken_answer"), "higher")
    metrics = {
        one.metric: MetricInfo(one.metric, unit="%", scale=100, direction=info.get(one.metric, "lower"))  # type: ignore[arg-type]
        for one in results
    }
    summary = Summary("done", n, n, metrics=metrics, results=results)
    known = {"ttt:TtT-3B": SystemEntry("ttt:TtT-3B"), **(systems or {})}
    return MeasuredRun("a", summary, samples={one.task: n for one in results}, systems=known)


def filled(*runs: MeasuredRun) -> FilledTable:
    return fill(load_tables(), found_in(runs, {}), SIZES)[0]


def cell(table: FilledTable, row: str, column: str) -> Cell:
    block = table.blocks[0]
    at = [one.id for one in block.block.columns].index(column)
    return block.cells[[one.id for one in block.block.rows].index(row)][at]


@pytest.mark.parametrize(
    ("published", "here", "same"),
    [
        ("Whisper-large-v3", "whisper large-v3@2a6e openai-whisper 20250625 greedy@2 (…)", True),
        ("Whisper-large-v3", "whisper:large-v3", True),
        ("Whisper-large-v3", "whisper large-v3-turbo@2a6e", False),
        ("Whisper-large-v3", "whisper large@2a6e", False),
        ("Whisper-large-v3", "whisper large-v2@2a6e", False),
        ("Whisper-large-v3", "", False),
        ("Qwen3-30B-A3B", "openai_chat Qwen/Qwen3-30B-A3B, 3 votes", True),
        ("Qwen3-30B-A3B", "qwen3-30b-a3b", True),
        ("Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B-Instruct-2507", False),
        ("Qwen3-30B-A3B", "NotQwen3-30B-A3B", False),
    ],
)
def test_names_are_the_same_as_whole_words(published: str, here: str, same: bool) -> None:
    assert names_same(published, here) is same


def test_what_graded_decides_and_what_normalized_does_not() -> None:
    protocol = Protocol(normalizer="whisper", transcriber="Whisper-large-v3", judge="Qwen3-30B-A3B")
    assert not is_judged_otherwise(protocol, JUDGED)
    assert is_judged_otherwise(protocol, replace(JUDGED, judge=""))
    assert is_judged_otherwise(protocol, replace(JUDGED, transcriber="whisper tiny.en@1"))
    assert not is_judged_otherwise(Protocol(unpublished=("normalizer", "judge")), replace(JUDGED, judge=""))


def test_each_part_says_what_is_published_and_what_is_here() -> None:
    protocol = Protocol(transcriber="A", judge="B", unpublished=("normalizer", "the prompts", "the size"))
    assert list(differing_parts(protocol, Recipe("s@1", "zh@2", transcriber="A 1", judge=""))) == [
        "normalizer: not published, here zh@2",
        "judge: published B, here none",
        "not published: the prompts, the size",
    ]


def test_the_judged_cell_goes_before_the_matched_one_and_names_judge_and_prompt() -> None:
    judge = "openai_chat:Qwen/Qwen3-30B-A3B{}; prompt judge-binary@1; 1 vote at temperature 0; replies@1"
    matched, judged = result(), result(metric="spoken_answer", recipe=replace(JUDGED, judge=judge.format("")))
    for results in ((matched, judged), (judged, matched)):
        found = cell(filled(run_of(*results)), "ttt", "llama_questions")
        assert found.measured is not None
        assert (found.measured.result.metric, found.is_judged_otherwise) == ("spoken_answer", False)
        assert "judge's prompt: judge-binary@1, of our own wording" in found.differs
    other = result(metric="spoken_answer", recipe=replace(JUDGED, judge=judge.format("-Instruct-2507")))
    found = cell(filled(run_of(other)), "ttt", "llama_questions")
    assert (found.is_judged_otherwise, found.difference) == (True, None)
    assert found.differs[0].startswith("judge: published Qwen3-30B-A3B, here openai_chat:Qwen/Qwen3-30B-A3B-Instruct")


@pytest.mark.parametrize(
    ("published", "n", "size", "says"),
    [
        (0, 300, 300, []),
        (0, 0, 300, []),
        (0, 300, 0, []),
        (0, 4, 300, ["samples: here 4 of the set's 300"]),
        (0, 301, 300, ["samples: here 301, the set has 300"]),
        (1000, 300, 300, ["samples: published 1,000, here 300"]),
        (300, 300, 1000, []),
    ],
)
def test_other_samples_are_told(published: int, n: int, size: int, says: list[str]) -> None:
    assert list(differing_samples(Protocol(samples=published), n, size)) == says


def test_a_cell_of_the_published_protocol_says_only_what_is_not_published() -> None:
    found = cell(filled(run_of(result(metric="spoken_answer"))), "ttt", "llama_questions")
    assert found.difference == pytest.approx(40 - 34.68)
    (only,) = found.differs
    assert only.startswith("not published: the judge's prompts")


def test_a_normalizer_that_is_not_published_is_named_with_ours() -> None:
    recipe = Recipe("cer_zh@1", "zh@2", "jiwer 4.0.0")
    found = cell(filled(run_of(result("fleurs_zh", "cer_zh", recipe=recipe), n=32)), "ttt", "fleurs_zh")
    assert found.difference == pytest.approx(40 - 55.67)
    assert found.differs[0] == "normalizer: not published, here zh@2"
    assert found.differs[-1] == "samples: here 32 of the set's 945"


def test_another_metric_or_task_fills_a_cell_and_says_so() -> None:
    written = result("llama_questions_hub", "text_accuracy", recipe=Recipe("text_accuracy@1", "en@1"))
    found = cell(filled(run_of(written)), "ttt", "llama_questions")
    assert found.measured is not None
    assert found.difference is None
    assert "task: llama_questions_hub in the place of llama_questions" in found.differs
    assert "metric: text_accuracy in the place of spoken_answer" in found.differs
    assert "transcriber: published Whisper-large-v3, here none" in found.differs
    both = filled(run_of(written, result()))
    assert (
        cell(both, "ttt", "llama_questions").differs == cell(filled(run_of(result())), "ttt", "llama_questions").differs
    )


def test_a_checkpoint_of_the_papers_name_is_found_in_any_folder() -> None:
    moved = replace(result(), system="ttt:/models/TtT-3B@topk")
    entry = SystemEntry(
        "ttt:/models/TtT-3B", "topk", card=SystemCard("x", details={"prompts": "ours, paraphrases: qa"})
    )
    run = run_of(moved, systems={"ttt:/models/TtT-3B@topk": entry})
    found = cell(filled(run), "ttt", "llama_questions")
    assert found.measured is not None
    assert found.differs[:3] == (
        "system: published TtT-3B, here ttt:/models/TtT-3B",
        "strategy of decoding: topk, as the run asked",
        "prompts: ours, paraphrases of the published ones",
    )
    twice = run_of(moved, replace(moved, system="ttt:/other/TtT-3B"))
    table = filled(twice)
    assert cell(table, "ttt", "llama_questions").measured is None, "which of two is meant can't be known"
    assert cell(table, "ttt:/other/TtT-3B", "llama_questions").measured is not None


def test_a_folder_stands_for_no_system_that_is_shipped() -> None:
    own = replace(result("mini_qa"), system="ttt:/models/mini")
    tables = fill(load_tables(), found_in([run_of(own)], {}), {})
    (table,) = [one for one in tables if one.table.id == "systems"]
    assert [row.id for row in table.blocks[0].block.rows] == ["ttt", "ar", "nar"]
    assert not any(one.measured for cells in table.blocks[0].cells for one in cells)


def test_systems_that_the_paper_does_not_have_stand_below_its_own() -> None:
    other = replace(result(), system="whisper:base", recipe=Recipe("spoken_accuracy@1"))
    reference = replace(result(), system=TOPLINE)
    table = filled(run_of(other, reference))
    assert [row.id for row in table.blocks[0].block.rows] == ["ar", "nar", "ttt", "pretrain", "whisper:base"]
    found = cell(table, "whisper:base", "llama_questions")
    assert (found.published, found.difference) == (None, None)
    assert "judge: published Qwen3-30B-A3B, here none" in found.differs
    assert not any(line.startswith("system:") for line in found.differs)


def test_every_format_says_where_they_differ() -> None:
    files = render_all((filled(run_of(result(), n=4)),))
    for name in ("tables.html", "architectures.md", "architectures.tex", "architectures.csv"):
        assert "here 4 of the set" in files[name]
        assert "not published: the judge" in files[name]


def test_a_protocol_that_there_is_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tables.toml"
    path.write_text(SHIPPED.read_text().replace('protocol = "asr"', 'protocol = "ars"', 1))
    with pytest.raises(UserError, match=r"columns\[4\]\.protocol: 'ars' is not in \[protocols\]\. Did you mean 'asr'"):
        load_tables(path)


def test_every_published_column_has_a_protocol() -> None:
    blocks = [block for table in load_tables() for block in table.blocks if block.source is not None]
    bare = {column.id for block in blocks for column in block.columns if column.id not in block.protocols}
    assert bare == {"nmos", "utmos"}
