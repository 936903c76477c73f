"""What spoken answers sound like: measured once, kept, shown in terminal, document and report; predicted on request."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.cli.main import main
from tttbench.core.exchange import Waveform
from tttbench.core.extras import is_installed
from tttbench.store.run_directory import RunStore
from tttbench.store.schema import JOURNAL

RATE = 16_000

Rescore = Callable[..., dict[str, Any]]


def half_silent() -> Waveform:
    """Two seconds, the second of them silent."""
    return np.concatenate([tone(), np.zeros(RATE)]).astype(np.float32)


def clipped() -> Waveform:
    """A second of which one sample in a hundred stands at full scale."""
    wave = tone()
    wave[:160] = 1.0
    return wave


def tone() -> Waveform:
    return (0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.fixture
def rescore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Rescore:
    """A run of three answers, two of them spoken; scores it again and returns the document of ``--json``."""
    soundfile.write(tmp_path / "a.wav", half_silent(), RATE)
    soundfile.write(tmp_path / "b.wav", clipped(), RATE)
    questions = [{"id": one, "question": "Who?", "answer": "you"} for one in "abc"]
    answers = [{"id": "a", "text": "you", "audio": "a.wav"}, {"id": "b", "text": "you", "audio": "b.wav"}]
    lines = {"questions": questions, "answers": [*answers, {"id": "c", "text": "you"}]}
    for name, rows in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = ["--systems", f"recorded:{tmp_path / 'answers.jsonl'}", "--tasks", "qa_folder_text", "--transcriber", ""]
    words += ["--data", f"qa_folder_text={tmp_path / 'questions.jsonl'}", "--device", "cpu"]

    def call(*more: str) -> dict[str, Any]:
        status = main(["rescore", str(tmp_path / "run"), *more, "--json"])
        captured = capsys.readouterr()
        document: dict[str, Any] = json.loads(captured.out.splitlines()[-1])
        return {**document, "status": status, "out": captured.out}

    assert main(["run", *words, "--out", str(tmp_path / "run")]) == 1  # nobody transcribes
    return call


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Recordings that are read from now on."""
    found: list[str] = []
    whole = RunStore.audio

    def noted(self: RunStore, file: str) -> tuple[Waveform, int]:
        found.append(file)
        return whole(self, file)

    monkeypatch.setattr(RunStore, "audio", noted)
    return found


def values(document: dict[str, Any]) -> dict[str, float]:
    return {one["metric"]: one["value"] for one in document["results"]}


def test_a_recording_is_measured_once_and_everything_takes_what_was_kept(
    rescore: Rescore, read: list[str], tmp_path: Path
) -> None:
    document = rescore()
    (spoken,) = document["spoken"]
    del spoken["system"]
    assert spoken == {
        "task": "qa_folder_text",
        "n": 2,
        "seconds": 3.0,
        "median_s": 1.5,
        "silence": pytest.approx(0.25),
        "clipped": 1,
        "clipped_share": pytest.approx(0.005),
        "unreadable": 0,
    }
    found = values(rescore("--add", "silence", "--add", "clipping", "--add", "spoken_s"))
    assert [found[one] for one in ("silence", "clipping", "spoken_s")] == pytest.approx([0.25, 0.005, 1.5])
    assert read == []
    # A run of before has none of it: then it is measured, and kept from then on.
    with closing(sqlite3.connect(tmp_path / "run" / JOURNAL)) as journal, journal:
        journal.execute("DELETE FROM derived")
        journal.execute("DROP TABLE spent")
    assert rescore()["spoken"][0] == document["spoken"][0] | {"system": rescore()["spoken"][0]["system"]}
    assert len(read) == 2


def test_what_was_kept_of_a_recording_is_checked_and_a_lost_recording_is_told(
    rescore: Rescore, read: list[str], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "run" / JOURNAL)) as journal, journal:
        journal.execute('UPDATE derived SET content = \'{"silence": "much"}\'')
    for recording in sorted((tmp_path / "run" / "audio").glob("*.flac"))[:1]:
        recording.unlink()
    (spoken,) = rescore()["spoken"]
    assert (spoken["n"], spoken["unreadable"], len(read)) == (1, 1, 2)


def test_the_report_says_what_spoken_answers_sound_like(rescore: Rescore, tmp_path: Path) -> None:
    document = rescore()
    text = (tmp_path / "run" / "report.html").read_text()
    section = text[text.index('<section id="spoken"') :]
    section = section[: section.index("</section>")]
    cells = dict(re.findall(r'<td data-label="([^"]+)">(.*?)</td>', section, re.DOTALL))
    shown = {name: " ".join(re.sub(r"<[^>]+>", " ", cell).split()) for name, cell in cells.items()}
    assert list(shown) == ["Task", "Answers", "Length, P50", "Silence", "Clipped"]
    assert shown["Answers"] == "2"
    assert shown["Length, P50"].replace("\u00a0", " ") == "1.50 s 3.00 s in all"
    assert shown["Silence"] == "25.0&nbsp;%"
    assert shown["Clipped"] == "1 answer 0.5&nbsp;% of the samples"
    assert section.count('<th scope="row"') == 1
    row = next(line.split() for line in document["out"].splitlines() if " qa_folder_text " in line and "25.0 %" in line)
    assert row[-7:] == ["qa_folder_text", "2", "1.50", "25.0", "%", "1", "-"]


@pytest.mark.slow
@pytest.mark.skipif(not is_installed("speechmos"), reason="needs the extra speech")
def test_opinion_scores_are_predicted_when_a_run_is_scored_again(
    rescore: Rescore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = rescore("--add", "dnsmos", "--add", "dnsmos:of=p808", "--add", "plcmos")
    with RunStore.open(tmp_path / "run") as store:
        recipes = {name.partition(":")[2]: entry.recipe for name, entry in store.manifest.derivers.items()}
        made = {name: list(store.derived_all(recipe).values()) for name, recipe in recipes.items()}
    numbers = {name: [json.loads(one.content) for one in found] for name, found in made.items()}
    assert {name: len(found) for name, found in numbers.items()} == {"dnsmos": 2, "plcmos": 2}
    found = values(document)
    for metric, name, number in (
        ("dnsmos", "dnsmos", "ovrl"),
        ("dnsmos_p808", "dnsmos", "p808"),
        ("plcmos", "plcmos", "plcmos"),
    ):
        assert found[metric] == pytest.approx(np.mean([one[number] for one in numbers[name]]))
        assert 0.5 < found[metric] < 5.5
        (result,) = [one for one in document["results"] if one["metric"] == metric]
        assert (result["n"], result["empty"]) == (3, 1)
        assert f"predictor={name}@1 (speechmos " in result["recipe"]
    assert "DNSMOS P.808" in (tmp_path / "run" / "report.html").read_text()
    # Nothing is predicted twice, by whichever number it is asked for.
    monkeypatch.setattr("tttbench.derive.speech_quality._session", lambda path: pytest.fail("built again"))
    again = values(rescore("--add", "dnsmos:of=sig"))
    assert again["dnsmos_sig"] == pytest.approx(np.mean([one["sig"] for one in numbers["dnsmos"]]))
