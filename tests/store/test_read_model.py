"""What pages, gate and tables ask of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo
from tttbench.core.serialize import to_plain
from tttbench.store.read_model import Run
from tttbench.store.rows import Recording, StoredAnswer
from tttbench.store.run_directory import RunStore

from .stored_runs import MANIFEST, RECIPE, SUMMARY, TONE, copy_of_format_2, make_run, score


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_run(tmp_path / "run").close()
    return tmp_path / "run"


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    with Run.open(folder) as opened:
        yield opened


def spoken_answer(run: Run) -> StoredAnswer:
    return next(one for one in run.answers() if one.audio is not None)


def test_it_holds_manifest_summary_and_format(run: Run) -> None:
    assert run.manifest == MANIFEST
    assert to_plain(run.summary) == to_plain(SUMMARY)
    assert run.format_on_disk == 3


def test_a_run_of_format_2_says_so(tmp_path: Path) -> None:
    with Run.open(copy_of_format_2(tmp_path / "old")) as old:
        assert old.format_on_disk == 2


def test_answers_are_those_of_one_system_and_task_if_given(run: Run) -> None:
    assert len(list(run.answers())) == len(list(run.answers("s", "t"))) == 3
    assert list(run.answers("o")) == list(run.answers("s", "u")) == []


def test_the_audio_of_an_answer_can_be_read(run: Run) -> None:
    recording = spoken_answer(run).audio
    assert recording is not None
    assert run.audio(recording)[0] == pytest.approx(TONE, abs=1 / 32_768)


def test_an_outcome_is_the_worst_status_of_its_scores(run: Run) -> None:
    answer = spoken_answer(run)
    scores = {"x": replace(score(0.0), status="unparsed"), "y": replace(score(0.0), status="empty")}
    assert answer.outcome == "ok"
    # Nothing was to be written, and nothing was: the counts of the run say ok, too.
    assert replace(answer, status="empty", scores={"x": score(0.0)}).outcome == "ok"
    assert replace(answer, status="empty", scores={}).outcome == "empty"
    assert replace(answer, scores=scores).outcome == "unparsed"
    assert replace(answer, scores=scores, status="error").outcome == "error"


def test_a_metric_is_what_the_summary_says(run: Run) -> None:
    assert run.metric("wer") == SUMMARY.metrics["wer"]


def test_an_unknown_metric_has_its_id_as_title_and_no_direction(run: Run) -> None:
    assert run.metric("mine") == MetricInfo("mine", direction="none")


def test_the_primary_metric_is_the_first_of_the_task(run: Run) -> None:
    assert run.primary("t") == "spoken"


def test_the_primary_metric_of_a_system_is_the_first_that_it_has(run: Run) -> None:
    assert run.primary("t", "s") == "wer"
    assert run.primary("t", "o") == "spoken"


def test_a_task_that_is_not_there_is_named_with_the_nearest(run: Run) -> None:
    with pytest.raises(UserError, match=r"has no task 'tt'\. Did you mean 't'\?"):
        run.primary("tt")


def test_a_transcript_is_that_of_the_first_transcriber(run: Run) -> None:
    assert run.transcribers == ("transcriber:whisper:tiny.en",)
    assert run.transcript(spoken_answer(run).audio) == Derived("ok", "Rome is", cost={"seconds": 0.25})


def test_a_transcript_of_another_deriver_is_had_by_its_name(folder: Path) -> None:
    with RunStore.open(folder, write=True) as store:
        derivers = {**MANIFEST.derivers, "transcriber:other": replace(MANIFEST.derivers["judge:llm"], recipe="other-1")}
        store.write_manifest(replace(MANIFEST, derivers=derivers))
        audio = next(one.audio for one in store.answers() if one.audio is not None)
        store.save_derived("other-1", {audio.sha256: Derived("ok", "home is")})
    with Run.open(folder) as run:
        assert run.transcript(audio, "transcriber:other") == Derived("ok", "home is")
        assert run.transcript(audio) == Derived("ok", "Rome is", cost={"seconds": 0.25})


def test_a_transcript_made_for_a_language_of_the_run_is_found(folder: Path) -> None:
    with RunStore.open(folder, write=True) as store:
        chinese = replace(MANIFEST.tasks["t"], language="zh")
        store.write_manifest(replace(MANIFEST, tasks={"t": chinese}))
        need = Need("transcriber:whisper:tiny.en", "f" * 64, language="zh")
        store.save_derived(RECIPE, {need.input_sha256: Derived("ok", "巴黎")})
    with Run.open(folder) as run:
        assert run.languages == ("zh",)
        assert run.transcript(Recording("audio/x.flac", "f" * 64, 1.0, 16_000)) == Derived("ok", "巴黎")


def test_what_nobody_transcribed_has_no_transcript(run: Run) -> None:
    audio = spoken_answer(run).audio
    assert audio is not None
    assert run.transcript(None) is None
    assert run.transcript(audio, "transcriber:nobody") is None
    assert run.transcript(audio, "judge:llm") is None
    assert run.transcript(replace(audio, sha256="0" * 64)) is None
    assert run.transcript(replace(audio, sha256="")) is None


def test_scores_of_the_reference_audio_come_by_sample(run: Run) -> None:
    assert run.topline_scores("t") == {"b": {"wer": score(0.0)}}


def test_a_run_without_summary_is_read_as_far_as_it_goes(folder: Path) -> None:
    (folder / "summary.json").unlink()
    with Run.open(folder) as run:
        assert run.summary is None
        assert run.primary("t", "s") == "spoken"
        assert run.metric("wer").title == "wer"


def test_a_run_that_cannot_be_read_is_closed_again(folder: Path) -> None:
    (folder / "summary.json").write_text("{")
    with pytest.raises(UserError, match=r"summary\.json: not valid JSON"):
        Run.open(folder)
    RunStore.open(folder, write=True).close()
