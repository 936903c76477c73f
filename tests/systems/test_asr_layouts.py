"""Whisper on the same recordings in every layout: the same answers and the same error rates, by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tttbench
from tttbench.cli.main import main
from tttbench.systems.whisper.weights import is_available_offline

from .asr_layouts import LAYOUTS, read_recorded

NAMES = ("LJ001-0013", "LJ001-0051")


def figures(folder: Path) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """Values by metric; what was written of each recording, beside its reference without case."""
    summary = json.loads((folder / "summary.json").read_text())
    with tttbench.load(folder) as run:
        answers = [(str(row.text), str(row.reference).lower()) for row in run.samples.itertuples()]
    return {row["metric"]: row["value"] for row in summary["results"]}, sorted(answers)


@pytest.mark.slow
def test_answers_and_rates_are_the_same_in_every_layout(shared_data: Path, tmp_path: Path) -> None:
    if not is_available_offline("tiny.en"):
        pytest.skip("needs pip install 'tttbench[offline]'")
    recorded = read_recorded(shared_data / "ljspeech", NAMES)
    found = {}
    for layout, (task, write) in LAYOUTS.items():
        folder = tmp_path / layout
        folder.mkdir()
        data = write(folder, recorded)
        words = [
            "--device",
            "cpu",
            "--systems",
            "whisper:tiny.en",
            "--tasks",
            task,
            "--data",
            f"{task}={data}",
            "--batch-size",
            "2",
        ]
        assert main(["run", *words, "--out", str(tmp_path / "runs" / layout)]) == 0, layout
        found[layout] = figures(tmp_path / "runs" / layout)
    rates, answers = found["ljspeech"]
    assert rates.keys() == {"wer", "wer_whisper-en", "cer"}
    assert [reference for _, reference in answers] == sorted(one.text.lower() for one in recorded)
    assert all(len(text.split()) > 3 for text, _ in answers)
    assert {layout for layout, one in found.items() if one != (rates, answers)} == set()
