"""Tables of runs that hold nothing yet, or more than one system."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Response
from tttbench.core.metric import TOPLINE, MetricInfo, Result
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.store.frames import LoadedRun, load
from tttbench.store.read_model import Run
from tttbench.store.rows import AnswerKey, NewAnswer, Recording
from tttbench.store.run_directory import RunStore

from .stored_runs import MANIFEST, RECIPE, RESULT, SAMPLES, SUMMARY, TRACE, make_run, score, spoken

SAMPLE_COLUMNS = ["system", "task", "sample", "repeat", "status", "cut", "text", "transcript", "reference", "error"]


def test_a_run_that_has_just_begun_has_tables_without_rows(tmp_path: Path) -> None:
    RunStore.create(tmp_path / "run", MANIFEST).close()
    found = load(tmp_path / "run")
    assert (found.folder, found.manifest, found.summary) == (tmp_path / "run", MANIFEST, None)
    names = [one.name for one in fields(Result)]
    for table, columns in (
        (found.results, [*names, "recipe_digest"]),
        (found.samples, [*SAMPLE_COLUMNS, "spoken", "wer"]),
        (found.latency, ["system", "task", "metric", "unit", "p50", "p90", "p99", "n", "busy"]),
    ):
        assert (list(table.columns), len(table)) == (columns, 0)


def test_a_folder_may_be_given_as_text(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    found = LoadedRun(str(tmp_path / "run"))
    assert found.folder == tmp_path / "run"
    assert len(found.samples) == 3


def test_results_keep_all_fields(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        store.write_summary(replace(SUMMARY, results=(replace(RESULT, ci_high=0.75),), topline=()))
    (row,) = load(tmp_path / "run").results.to_dict("records")
    expected = {one.name: getattr(RESULT, one.name) for one in fields(Result)}
    assert row == {**expected, "ci_high": 0.75, "recipe": str(RESULT.recipe), "recipe_digest": RESULT.recipe.digest}


def test_latency_of_several_systems_and_tasks(tmp_path: Path) -> None:
    with RunStore.create(
        tmp_path / "run", replace(MANIFEST, tasks={**MANIFEST.tasks, "u": MANIFEST.tasks["t"]})
    ) as one:
        for task in ("t", "u"):
            one.add_samples(task, SAMPLES)
        one.save_answers([spoken("a"), spoken("a", system="o"), spoken("b", system="o", task="u")])
    found = load(tmp_path / "run").latency
    rows = found[found.metric == "latency"]
    cells = [("s", "t"), ("o", "t"), ("o", "u")]
    assert list(zip(rows.system, rows.task, rows.n, rows.p50, strict=True)) == [(*cell, 1, 0.5) for cell in cells]


def test_latency_is_that_of_the_summary_even_where_answers_say_more(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        store.write_summary(replace(SUMMARY, probes=()))
    assert len(load(tmp_path / "run").latency) == 0


def test_whatever_language_a_transcript_was_made_for(tmp_path: Path) -> None:
    zh = replace(MANIFEST.tasks["t"], language="zh")
    samples = [spoken_sample("a", Path("a.wav"), "x", language="de"), spoken_sample("b", Path("b.wav"), "y")]
    with RunStore.create(tmp_path / "run", replace(MANIFEST, tasks={"t": zh, "u": replace(zh, language="")})) as store:
        store.add_samples("t", samples)
        others = ("nl", "ja", "it", "fr", "es")
        store.add_samples("u", [spoken_sample(one, Path("x.wav"), language=one) for one in others])
        for language in ("de", "zh"):
            need = Need("transcriber:whisper:tiny.en", language * 32, language=language)
            store.save_derived(RECIPE, {need.input_sha256: Derived("ok", language)})
    with Run.open(tmp_path / "run") as run:
        assert run.languages == ("de", "es", "fr", "it", "ja", "nl", "zh")
        for language in ("de", "zh"):
            assert run.transcript(Recording("x", language * 32, 1.0, 8_000)) == Derived("ok", language)


def test_derivers_whose_names_say_nothing_of_transcripts_make_none(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", replace(MANIFEST, derivers={})) as store:
        store.add_samples("t", SAMPLES)
    with Run.open(tmp_path / "run") as run:
        assert (run.transcribers, run.transcript(Recording("x", "ff", 1.0, 8_000))) == ((), None)


def test_primary_metrics(tmp_path: Path) -> None:
    task = MANIFEST.tasks["t"]
    with make_run(tmp_path / "run") as store:
        store.write_manifest(replace(MANIFEST, tasks={"t": task, "u": task, "none": replace(task, scores=())}))
        store.write_summary(replace(SUMMARY, results=(RESULT, replace(RESULT, task="u", metric="other"))))
    with Run.open(tmp_path / "run") as run:
        assert [run.primary(*given) for given in (("t",), ("t", "s"), ("t", "o"), ("u", "s"), ("none",))] == [
            *("spoken", "wer", "spoken", "spoken", ""),
        ]
        assert run.task("t") == task
        with pytest.raises(UserError) as caught:
            run.task("v")
        assert str(caught.value).startswith(f"{tmp_path}/run: has no task 'v'. ")
        assert run.metric("other") == MetricInfo("other", direction="none")
        assert run.topline_scores("t") == {"b": {"wer": score(0.0)}}
        assert run.topline_scores("u") == {}


def test_many_samples_are_read_once_each_in_order(tmp_path: Path) -> None:
    samples = [Sample(f"{number:04}", (Turn("user", "x"),)) for number in range(513)]
    response = Response("y", trace=TRACE)
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples("many", samples)
        store.save_answers([NewAnswer(AnswerKey("s", "many", one.id), "ok", response, "", 1, "") for one in samples])
        store.replace_scores(TOPLINE, "many", [(one.id, 0, "wer", score(0.5)) for one in samples])
        assert [one.sample.id for one in store.samples()] == [one.id for one in samples]
        assert [one.key.sample for one in store.answers()] == [one.id for one in samples]
        assert len(store.scores(TOPLINE, "many")) == 513
