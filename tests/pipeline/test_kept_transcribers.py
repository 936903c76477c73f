"""A resumed run is transcribed by what it was begun with, unless the call names another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.scores import parse_score
from tttbench.pipeline.kept_transcribers import KeptTranscribers
from tttbench.store.run_directory import RunStore

Tones = Callable[..., Any]

RUN = tuple(map(parse_score, ("wer", "self_wer:transcriber=whisper:tiny.en", "spoken_accuracy=b:transcriber=mine")))


@pytest.mark.parametrize(
    ("given", "own", "others"),
    [
        (None, "whisper:tiny.en", "whisper:tiny.en"),
        ("auto", "whisper:tiny.en", "whisper:tiny.en"),
        ("whisper", "whisper:tiny.en", "whisper:tiny.en"),
        ("whisper:base", None, "now"),
        ("paraformer:zh", None, "now"),
        ("", None, "now"),
    ],
)
def test_it_stays_unless_the_call_names_another(given: str | None, own: str | None, others: str) -> None:
    kept = KeptTranscribers({"t": RUN}, given)
    known = parse_score(f"self_wer={RUN[1].id}")
    (found,) = kept.in_scores("t", [known])
    assert found.options.get("transcriber") == own
    assert kept.in_place_of("t", "now") == others
    # Of other tasks, and of scores that the run doesn't have, nothing is known.
    assert kept.in_scores("u", [known]) == (known,)
    assert kept.in_scores("t", [parse_score("self_wer=new")]) == (parse_score("self_wer=new"),)
    assert kept.in_place_of("u", "now") == "now"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("auto", "mine"), ("whisper", "whisper"), ("other", "other"), ("", "mine")],
)
def test_a_score_that_names_one_itself_has_that(asked: str, expected: str) -> None:
    score = parse_score("spoken_accuracy=b" + (f":transcriber={asked}" if asked else ""))
    (found,) = KeptTranscribers({"t": RUN}).in_scores("t", [score])
    assert found.options["transcriber"] == expected


def test_whisper_without_a_model_is_not_what_is_no_whisper() -> None:
    run = {"t": (parse_score("self_wer:transcriber=paraformer:zh"),)}
    assert KeptTranscribers(run, "whisper").in_place_of("t", "whisper") == "whisper"
    assert KeptTranscribers(run, "auto").in_place_of("t", "now") == "paraformer:zh"
    # A run without any is given what the call has.
    assert KeptTranscribers({"t": (parse_score("self_wer"),)}).in_place_of("t", "now") == "now"


def transcribers(folder: Path) -> set[str]:
    with RunStore.open(folder) as store:
        (task,) = store.manifest.tasks.values()
        return {one.options["transcriber"] for one in task.scores if "transcriber" in one.options}


def kept_ones(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one for one in caplog.messages if one.startswith("--resume")]


@pytest.mark.parametrize("again", [("--transcriber", "auto"), ()])
def test_what_would_be_chosen_by_now_changes_nothing(
    tones: Tones,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    again: tuple[str, ...],
) -> None:
    options = ("--tasks", "tone_qa", "--out", tmp_path / "run")
    monkeypatch.setattr("tttbench.pipeline.transcribers.automatic", lambda language, device: "tones:mumbling")
    tones(*options, "--transcriber", "auto")
    monkeypatch.setattr("tttbench.pipeline.transcribers.automatic", lambda language, device: "tones:scribe")
    ended = tones(*options, *again, "--resume", "--add", "self_wer")
    assert ended.status == 0, ended.err
    new = "tones:scribe" if again else "tones:right"  # the suite's
    assert kept_ones(caplog) == [
        "--resume: task tone_qa: tones:mumbling goes on transcribing, as in the run so far; a new run would take "
        f"{new} (--transcriber {new} transcribes everything again by that)."
    ]
    assert transcribers(tmp_path / "run") == {"tones:mumbling"}
    assert "transcriber:tones" not in ended.err  # nothing was transcribed again

    caplog.clear()
    ended = tones(*options, "--transcriber", "tones:scribe", "--resume", "--add", "self_wer")
    assert (ended.status, kept_ones(caplog)) == (0, [])
    assert transcribers(tmp_path / "run") == {"tones:scribe"}


def test_a_resumed_run_that_is_as_it_was_says_nothing(
    tones: Tones, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tones("--tasks", "tone_qa", "--out", tmp_path / "run")
    ended = tones("--tasks", "tone_qa", "--out", tmp_path / "run", "--resume")
    assert (ended.status, kept_ones(caplog)) == (0, [])
    assert transcribers(tmp_path / "run") == {"tones:right"}
