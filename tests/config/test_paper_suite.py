"""The suite ``paper``: its tasks and systems are those of the paper's tables, and what isn't here is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.config.choose import choose
from tttbench.config.suite import load_suite
from tttbench.core.plugins import build_task, tasks
from tttbench.pipeline.dry_run import Preview, preview
from tttbench.published import load_tables

SUITE = load_suite("paper")


@pytest.fixture
def dry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preview:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CACHE_HOME", "TTTBENCH_CACHE"):
        monkeypatch.setenv(name, str(tmp_path))
    return preview(SUITE, "cpu")


def test_it_runs_every_task_and_system_of_the_published_tables_that_there_is() -> None:
    blocks = [block for table in load_tables() for block in table.blocks if block.source is not None]
    wanted = {column.task for block in blocks for column in block.columns}
    assert wanted & {*tasks.names()} <= {plan.name for plan in SUITE.tasks}
    assert {row.system for block in blocks for row in block.rows} == {plan.label for plan in SUITE.systems}


def test_every_table_of_a_task_has_the_score_of_its_column(dry: Preview) -> None:
    scores = {task.name: {score.id for score in task.scores} for task in dry.tasks}
    columns = [column for table in load_tables() for block in table.blocks for column in block.columns if column.needs]
    asr = [column for column in columns if column.better == "lower"]
    assert len(asr) >= 8
    assert all(column.metric in scores[column.task] for column in asr)


def test_it_holds_the_basic_track_of_uro_bench_in_both_languages() -> None:
    basic = {name for name in tasks.names() if name.startswith("uro_") and "basic" in build_task(name).description}
    assert len(basic) == 20
    assert basic == {plan.name for plan in SUITE.tasks if plan.name.startswith("uro_")}


def test_without_data_and_weights_everything_is_named_as_missing_with_a_way_to_get_it(dry: Preview) -> None:
    assert not dry.is_complete
    for parts in (dry.systems, dry.tasks, dry.derivers):
        assert all(one.get or "pip install" in one.what for part in parts for one in part.missing)
        assert all(part.missing for part in parts)
    judge = "judge:openai_chat:Qwen/Qwen3-30B-A3B?prompt=judge-"
    judges = [one for one in dry.derivers if not one.name.startswith("transcriber:")]
    assert (len(judges), len(dry.derivers)) == (5, 7)
    assert all(one.name.startswith(judge) for one in judges)
    assert all("address of a server that serves Qwen/Qwen3-30B-A3B" in one.missing[-1].what for one in judges)


def test_its_audio_qa_is_judged_unless_there_is_to_be_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    names = ["alpaca_eval", "llama_questions"]
    judged = preview(choose(SUITE, tasks=names), "cpu")
    scores = {task.name: [score.id for score in task.scores] for task in judged.tasks}
    assert scores["llama_questions"][:3] == ["spoken_answer", "answer", "spoken_accuracy"]
    assert scores["alpaca_eval"][0] == "spoken_answer_openaudiobench-open"
    # Nobody has asked the server, so nobody knows.
    assert [(one.missing, one.is_checked) for one in judged.derivers[1:]] == [((), False)] * 2
    without = preview(choose(SUITE, tasks=names, judge=""), "cpu")
    assert {score.id for task in without.tasks for score in task.scores if "answer" in score.id} == {"answered"}
    assert [one.name for one in without.derivers] == ["transcriber:whisper:large-v3"]


def test_what_the_protocol_has_and_nothing_here_does_is_named(dry: Preview) -> None:
    missing = " ".join(f"{note.part} {note.published}" for note in dry.protocol if note.missing)
    assert "UTMOS" in missing
    unpublished = {note.part for note in dry.protocol if not note.published}
    assert {"normalizer of ASR", "prompts of ASR and Audio-QA", "size of AlpacaEval"} <= unpublished


def test_spoken_chinese_answers_are_transcribed_by_paraformer_and_english_ones_by_whisper(dry: Preview) -> None:
    tasks = {one.name: one.tasks for one in dry.derivers if one.name.startswith("transcriber:")}
    assert tasks.keys() == {"transcriber:paraformer:zh", "transcriber:whisper:large-v3"}
    assert all(name.endswith("_zh") for name in tasks["transcriber:paraformer:zh"])
    assert not any(name.endswith("_zh") for name in tasks["transcriber:whisper:large-v3"])


def test_every_note_on_tasks_concerns_one() -> None:
    names = [plan.name for plan in SUITE.tasks]
    assert all(note.concerns(names) for note in SUITE.protocol)


def test_a_run_of_its_asr_alone_misses_no_judge() -> None:
    some = choose(SUITE, tasks=["fleurs_zh", "aishell1"])
    notes = [note for note in some.protocol if note.concerns(["fleurs_zh", "aishell1"])]
    assert "normalizer of ASR" in [note.part for note in notes]
    assert not any(note.missing for note in notes)


def test_the_dry_run_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "paper", "--dry-run", "--json", "--device", "cpu"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    document = json.loads(last)
    assert (len(document["systems"]), len(document["tasks"])) == (7, 31)
    assert document["n_tasks_of_unknown_size"] == 4
    assert any(line.startswith("Missing: 7 of 7 systems") for line in lines)
    assert not list(tmp_path.iterdir())
