"""A system whose requests all ended as errors has no score, but a reason, wherever a run is shown or judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.gate.from_run import snapshot_of
from tttbench.gate.rules import Rules
from tttbench.gate.valid import problems
from tttbench.pages import render_index
from tttbench.pages.load import load as load_view
from tttbench.pages.page import page
from tttbench.pages.runs import read_runs
from tttbench.pages.verdict import verdict
from tttbench.store.frames import load

from .conftest import Ended

Tones = Callable[..., Ended]
REASON = "weights/tones.safetensors: damaged; copy it again"
SENTENCE = f"all 6 requests ended as errors (most often {REASON})."


@pytest.fixture
def run(tones: Tones, tmp_path: Path) -> Path:
    """A run of a system that can't be built beside one that is right, on one task."""
    ended = tones("--out", tmp_path / "run", "--systems", "tones:damaged,tones:right", "--tasks", "tone_asr", "--json")
    assert ended.status == 1
    assert f"tones:damaged has no score on tone_asr: {SENTENCE}" in ended.out
    assert ended.document["unanswered"] == [
        {"system": "tones:damaged", "task": "tone_asr", "n": 6, "reason": f"{REASON}."}
    ]
    assert {row["system"] for row in ended.document["results"]} == {"tones:right"}
    return tmp_path / "run"


def test_it_is_in_no_table_and_no_headline(run: Path) -> None:
    assert set(load(run).results.system) == {"tones:right"}
    view = load_view(run)
    said = " ".join(verdict(view))
    assert f"tones:damaged has no score on {view.tasks[0].title}: {SENTENCE}" in said
    assert "tones:damaged 100" not in said
    html = page(view)
    assert html.count(SENTENCE) == 2  # in short, and below the results
    assert 'data-sort="tones:damaged"' not in html.partition('<section id="latency"')[0]


def test_the_index_says_why(run: Path) -> None:
    (line,) = read_runs(run.parent)
    assert line.note == f"tones:damaged has no score on dictation in tones: {SENTENCE}"
    assert line.systems[0].reason("tone_asr", line.tasks["tone_asr"]) == line.note
    text = render_index(run.parent).read_text()
    assert text.count(SENTENCE) >= 2


def test_the_gate_refuses_it_as_baseline_and_as_run(run: Path, tmp_path: Path, tones: Tones) -> None:
    says = "tones:damaged never answered tone_asr: every request ended as an error, such as "
    assert any(says in one for one in problems(snapshot_of(run), Rules()))
    assert main(["baseline", "save", str(run), "--folder", str(tmp_path / "baselines")]) == 2
    assert not (tmp_path / "baselines" / "main.json").exists()
    good = tones("--out", tmp_path / "good", "--systems", "tones:right", "--tasks", "tone_asr")
    assert good.status == 0
    assert main(["gate", str(run), str(tmp_path / "good"), "--json", "--speed", "off"]) == 3


def test_the_commonest_error_is_the_reason_whatever_names_stand_in_it(tones: Tones, tmp_path: Path) -> None:
    folder = tmp_path / "texts.jsonl"
    folder.write_text("".join(json.dumps({"id": f"q{at}", "error": f"q{at}: too long"}) + "\n" for at in range(6)))
    document = tones(
        *("--out", tmp_path / "run", "--systems", f"recorded:{folder}", "--tasks", "tone_asr", "--json")
    ).document
    assert [(one["n"], one["reason"]) for one in document["unanswered"]] == [(6, "too long")]
    assert document["results"] == []
    assert "has no score on" in verdict(load_view(tmp_path / "run"))[0]


@pytest.mark.parametrize("text", ["", " "])
def test_nor_is_a_run_in_which_a_system_only_gave_empty_answers_fit_for_a_baseline(
    tones: Tones, tmp_path: Path, text: str
) -> None:
    folder = tmp_path / "texts.jsonl"
    folder.write_text("".join(json.dumps({"id": f"q{at}", "text": text}) + "\n" for at in range(6)))
    ended = tones("--out", tmp_path / "run", "--systems", f"recorded:{folder}", "--tasks", "tone_asr")
    assert ended.status == 0
    found: list[Any] = [one for one in problems(snapshot_of(tmp_path / "run"), Rules()) if "never answered" in one]
    assert len(found) == 1
    assert found[0].endswith("never answered tone_asr: every answer is empty; fix it, or leave it out.")
