"""``tttbench report`` on a run that didn't come to its end: what is there, and what isn't. Nothing else is written."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.pages.load import load as load_view
from tttbench.pages.verdict import verdict
from tttbench.store.run_directory import RunStore

from .conftest import Ended

Tones = Callable[..., Ended]


@pytest.fixture
def run(tones: Tones, tmp_path: Path) -> Path:
    """A run that was killed when ten of its twelve requests were answered, one of four spoken ones transcribed."""
    folder = tmp_path / "run"
    assert tones("--out", folder).status == 0
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers WHERE task = 'tone_qa' AND sample IN ('q4', 'q5')")
        journal.execute("DELETE FROM scores")
        journal.execute("DELETE FROM derived WHERE content <> 'paris'")
    for file in ("summary.json", "report.html"):
        (folder / file).unlink()
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"status": "done"', '"status": "running"'))
    return folder


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_shows_what_is_there_and_says_what_isn_t(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(run)
    assert main(["report", str(run)]) == 0
    told = capsys.readouterr().out
    assert "The run hasn't come to its end (interrupted): the report shows the answers that are there." in told
    after = hashes(run)
    assert after.pop("report.html")
    assert after == before
    html = (run / "report.html").read_text()
    assert "2 of 12 requests have no answer yet" in html
    view = load_view(run)
    assert (view.status, view.expected, len(view.rows)) == ("interrupted", 12, 10)
    assert "2 are not answered yet" in verdict(view)[-1]


def test_scores_that_need_no_transcript_are_there_and_others_of_the_answers_that_have_one(run: Path) -> None:
    view = load_view(run)
    found = {(one.task, one.metric): one.n for one in view.results if one.system.startswith("tones")}
    assert found["tone_asr", "wer"] == 6
    assert found["tone_qa", "text_accuracy"] == 4
    assert found["tone_qa", "spoken_accuracy"] == 1
    assert not any(row.status == "derivation_failed" for row in view.rows)
    paris = next(row for row in view.rows if row.text == "paris")
    assert {score.metric for score in paris.scores} >= {"spoken_accuracy", "text_accuracy"}


def test_a_run_without_any_answer_has_a_page_too(run: Path) -> None:
    with sqlite3.connect(run / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers")
    assert main(["report", str(run)]) == 0
    assert "12 of 12 requests have no answer yet" in (run / "report.html").read_text()


def test_a_score_of_a_plug_in_that_isn_t_there_is_left_out(run: Path) -> None:
    manifest = run / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"scorer": "wer"', '"scorer": "gone"', 1))
    assert main(["report", str(run)]) == 0
    assert not [one for one in load_view(run).results if one.metric == "wer"]


def test_the_results_of_a_run_that_is_gone_on_with_are_not_those_of_before(tones: Tones, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    tones("--out", folder, "--tasks", "tone_asr")
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers WHERE sample = 'q0'")
    with RunStore.open(folder, write=True) as store:
        from dataclasses import replace

        store.write_manifest(replace(store.manifest, status="interrupted"))
    view = load_view(folder)
    assert [one.n for one in view.results if one.metric == "wer"] == [5]
