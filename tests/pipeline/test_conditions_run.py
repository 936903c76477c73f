"""Questions asked in several ways, from a task's file to the run: recorded answers, made speech, resumed, rescored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from tttbench.cli.main import main
from tttbench.core.exchange import Waveform
from tttbench.data.voices import engines, named
from tttbench.store.read_model import Run

TASK = """
title = "Capitals"
family = "qa"
language = "en"
description = "Capitals."
source = "qa_folder"
options = {ask = "text"}
scores = ["spoken_accuracy", "text_accuracy"]
speak = "pico:en-US"
conditions = ["clean", "text", "noise:10"]
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A voice of tones in the place of Pico, with a cache of its own; what it says."""
    texts: list[str] = []

    def tone(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
        texts.append(text)
        return np.sin(np.arange(4000 + 100 * len(text)) / 5).astype(np.float32)

    monkeypatch.setattr(engines, "ENGINES", {"pico": tone})
    monkeypatch.setattr(named, "ENGINES", {"pico": tone})
    facts: Mapping[str, object] = {"pico": lambda speaker: ("tones 1", "ab" * 32, "en")}
    monkeypatch.setattr(named, "_FACTS", facts)
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    return texts


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A run of ten questions: recorded answers, of which 6 are right in writing, 5 in speech and 2 in noise."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "said_capitals.toml").write_text(TASK)
    rows = [f"q{n}\tCapital {n}?\tanswer{n}" for n in range(10)]
    (tmp_path / "l.tsv").write_text("\n".join(["id\tquestion\tanswer", *rows]) + "\n")
    lines = [
        {"task": task, "id": f"q{n}", "text": f"answer{n}" if n < right else "no"}
        for task, right in (("said_capitals", 5), ("said_capitals_text", 6), ("said_capitals_noise10", 2))
        for n in range(10)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return [
        *("run", "--include", str(tmp_path / "mine"), "--tasks", "said_capitals", "--transcriber", ""),
        *("--data", f"said_capitals={tmp_path / 'l.tsv'}", "--systems", f"recorded:{tmp_path / 'a.jsonl'}"),
        *("--device", "cpu", "--out", str(tmp_path / "run"), "--json"),
    ]


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_a_run_says_where_answers_are_lost(
    said: list[str], command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    printed = capsys.readouterr().out
    losses = json.loads(printed.splitlines()[-1])["losses"]
    assert "Where right answers are lost" in printed
    found = {one["condition"]: [(s["stage"], s["lost"], s["gained"]) for s in one["stages"]] for one in losses}
    assert found == {
        "clean": [("answering", 4, 0), ("transcription", 1, 0)],
        "text": [("answering", 4, 0)],
        "noise:10": [("answering", 4, 0), ("transcription", 4, 0)],
    }
    assert sorted(said) == [f"Capital {n}?" for n in range(10)]
    with Run.open(tmp_path / "run") as run:
        entry = run.manifest.tasks["said_capitals_noise10"]
        (recipe,) = entry.speech
        assert (recipe.voice, recipe.package, recipe.condition) == ("pico:en-US", "tones 1", "noise:10")
        assert (entry.condition, entry.condition_of) == ("noise:10", "said_capitals")
        assert run.manifest.tasks["said_capitals_text"].speech == ()
        sample = run.samples("said_capitals")[0]
        assert sample.sample.audio is not None
        assert sample.sample.audio.made is not None
        assert sample.input_audio is not None
    assert 'id="losses"' in (tmp_path / "run" / "report.html").read_text()
    assert main(["rescore", str(tmp_path / "run"), "--json"]) == 0
    assert document(capsys)["losses"] == losses


def test_a_resumed_run_says_nothing_twice_and_refuses_another_voice(
    said: list[str],
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert main([*command, "--limit", "3"]) == 0
    assert len(said) == 3
    for path in named_cache():
        path.unlink()
    assert main([*command, "--limit", "3", "--resume"]) == 0
    assert len(said) == 3
    capsys.readouterr()
    monkeypatch.setattr(named, "_FACTS", {"pico": lambda speaker: ("tones 2", "ab" * 32, "en")})
    assert main([*command, "--limit", "3", "--resume"]) == 2
    assert "listing_sha256 differs" in capsys.readouterr().err


def named_cache() -> list[Path]:
    from tttbench.data.cache import cache_folder

    return list((cache_folder() / "speech").rglob("*.flac"))


def test_a_text_that_cannot_be_said_is_an_error_of_its_request(
    said: list[str], command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tone(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
        return np.zeros(0 if "1" in text else 4000, np.float32) + (0.5 if "1" not in text else 0)

    monkeypatch.setattr(engines, "ENGINES", {"pico": tone})
    assert main([*command, "--limit", "2"]) == 1
    captured = capsys.readouterr()
    assert "pico:en-US makes no sound of 'Capital 1?'" in captured.err
    assert json.loads(captured.out.splitlines()[-1])["counts"]["error"] == 2


def test_a_voice_that_is_not_installed_ends_the_call(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(distribution: str) -> str:
        raise PackageNotFoundError(distribution)

    monkeypatch.setattr(named, "version", absent)
    named._pico.cache_clear()
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "task 'said_capitals': speak: the voice engine Pico (py-nanotts) is not installed" in error
    assert 'pip install "tttbench[voices]"' in error
