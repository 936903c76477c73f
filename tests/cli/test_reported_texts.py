"""Inputs after public bug reports, of how texts are compared: right through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.store.read_model import Run

QA, ASR = (
    ("01-bracketed-answer", "02-number-one", "05-typographic-apostrophe-qa", "08-initials", "10-spoken-dates"),
    (
        "04-typographic-apostrophe",
        "09-initials-wer",
    ),
)

QUESTIONS = """
import json
from tttbench.api import Needs, Sample, ScoreSpec, Task, Turn, register_task

def samples(folder):
    rows = map(json.loads, (folder / "qa.jsonl").read_text().splitlines())
    return [Sample(row["id"], (Turn("user", "?"),), (row["answer"],)) for row in rows]

@register_task("qafile")
def qafile():
    scores = (ScoreSpec("text_accuracy", "text_accuracy"),)
    return Task(name="qafile", title="QA file", family="qa", description="", scores=scores, samples=samples,
                needs=Needs(accepts=frozenset({"text"})), language="en")
"""


@pytest.fixture
def reported(shared_data: Path) -> Path:
    return shared_data / "reported"


def scores(folder: Path, task: str, listing: Path, tmp_path: Path) -> dict[str, dict[str, float | str]]:
    """Run ``task`` on the answers of ``folder`` and return the first metric's scores by sample, with their statuses."""
    answers = json.loads((folder / "answers.json").read_text())
    recorded = tmp_path / "answers.jsonl"
    recorded.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in answers.items()))
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "qafile.py").write_text(QUESTIONS)
    run = tmp_path / "run"
    words = ["run", "--include", str(tmp_path / "plugins"), "--systems", f"recorded:{recorded}", "--tasks", task]
    assert main([*words, "--data", f"{task}={listing}", "--out", str(run)]) == 0
    with Run.open(run) as opened:
        primary = opened.primary(task)
        return {
            answer.key.sample: {"numerator": score.numerator, "status": score.status}
            for answer in opened.answers()
            for score in [answer.scores[primary]]
        }


@pytest.mark.parametrize("case", [*QA, "11-thinking"])
def test_answers(reported: Path, tmp_path: Path, case: str) -> None:
    folder = reported / case
    found = scores(folder, "qafile", folder, tmp_path)
    expected = json.loads((folder / "expected.json").read_text())
    assert {sample: score["numerator"] for sample, score in found.items()} == expected
    assert {score["status"] for score in found.values()} == {"ok"}


@pytest.mark.parametrize("case", ASR)
def test_word_errors(reported: Path, tmp_path: Path, case: str) -> None:
    folder = reported / case
    found = scores(folder, "asr_folder", folder / "list.jsonl", tmp_path)
    assert {sample: score["numerator"] for sample, score in found.items()} == dict.fromkeys(found, 0)
    assert len(found) == len(json.loads((folder / "expected.json").read_text()))


def test_units_and_points_are_word_errors(reported: Path, tmp_path: Path) -> None:
    folder = reported / "03-number-one-wer"
    found = scores(folder, "asr_folder", folder / "list.jsonl", tmp_path)
    assert {sample: score["numerator"] for sample, score in found.items()} == {"a": 1, "b": 1, "c": 1}
