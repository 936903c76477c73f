"""A run as DataFrames."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.derivation import Derived
from tttbench.core.metric import TOPLINE
from tttbench.store.frames import load
from tttbench.store.run_directory import RunStore

from .stored_runs import RECIPE, RESULT, SUMMARY, copy_of_format_2, make_run, score


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_run(tmp_path / "run").close()
    return tmp_path / "run"


def test_results_hold_systems_and_reference_audio(folder: Path) -> None:
    found = load(folder).results
    assert list(found.system) == ["s", TOPLINE]
    first = found.iloc[0]
    assert (first.task, first.metric, first.value, first.ci_low, first.n, first.error) == ("t", "wer", 0.5, 0.25, 3, 1)
    assert math.isnan(first.ci_high)
    assert (first.recipe, first.recipe_digest) == ("wer@1; zh@1; jiwer 4.0.0", RESULT.recipe.digest)


def test_samples_have_one_row_per_answer_and_one_column_per_score(folder: Path) -> None:
    found = load(folder).samples
    first = ["system", "task", "sample", "repeat", "status", "cut", "text", "transcript", "reference", "error"]
    assert list(found.columns) == [*first, "spoken", "wer"]
    assert list(found.itertuples(index=False, name=None))[1] == (
        "s",
        "t",
        "a",
        0,
        "ok",
        False,
        "Rome",
        "Rome is",
        "Rome",
        "",
        1.0,
        0.5,
    )
    assert list(found["sample"]) == ["b", "a", "a"]
    assert list(found["repeat"]) == [0, 0, 1]
    assert list(found.status) == ["error", "ok", "ok"]
    assert found.wer.isna().tolist() == [True, False, True]


def test_a_score_that_no_task_asked_for_has_its_column(folder: Path) -> None:
    with RunStore.open(folder, write=True) as store:
        store.replace_scores("s", "t", [("a", 0, "added", score(0.5))])
    assert load(folder).samples.added.tolist()[1] == 0.5


def test_a_status_is_the_worst_of_answer_and_scores(folder: Path) -> None:
    with RunStore.open(folder, write=True) as store:
        unknown = replace(score(math.nan), status="derivation_failed")
        store.replace_scores("s", "t", [("a", 0, "spoken", unknown)])
    assert list(load(folder).samples.status) == ["error", "derivation_failed", "ok"]


def test_a_transcript_that_failed_is_none(folder: Path) -> None:
    with RunStore.open(folder, write=True) as store:
        audio = next(one.audio for one in store.answers() if one.audio is not None)
        store.save_derived(RECIPE, {audio.sha256: Derived("failed", error="no power")})
    assert load(folder).samples.transcript.tolist() == [None] * 3


def test_latency_is_that_of_the_summary(folder: Path) -> None:
    found = load(folder).latency
    assert list(found.columns) == ["system", "task", "metric", "unit", "p50", "p90", "p99", "n", "busy"]
    assert found.iloc[0].tolist()[:5] == ["s", "t", "ttft", "s", 0.25]
    assert len(found) == len(SUMMARY.probes)


def test_latency_of_a_run_without_summary_comes_from_its_answers(folder: Path) -> None:
    (folder / "summary.json").unlink()
    run = load(folder)
    found = run.latency.set_index("metric")
    # Two answers of 0.1 s of speech, each 0.5 s after its request; the first text token after 0.2 s.
    assert (found.p50["latency"], found.p50["ttft"], found.p50["rtf"]) == (0.5, 0.2, pytest.approx(5.0))
    assert set(found.n) == {2}
    assert len(run.results) == 0


def test_a_run_of_format_2_gives_the_same_tables(tmp_path: Path) -> None:
    run = load(copy_of_format_2(tmp_path / "old"))
    assert len(run.samples) == 10
    assert set(run.samples.columns) >= {"wer", "cer", "spoken_accuracy", "text_accuracy", "self_wer"}
    assert (run.results.system == TOPLINE).sum() == 2
    assert run.latency.n.max() == 2
