"""Sets without speech, and mixed ones: which scores they take, and how they come out of run, page and gate."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.cli.main import main
from tttbench.core.sample import Sample, spoken_sample
from tttbench.core.scores import parse_score
from tttbench.pipeline.no_speech import fitting_scores

SILENT = ["", "...", "[noise]"]


def listed(*references: str) -> list[Sample]:
    return [spoken_sample(str(at), Path("x.wav"), text) for at, text in enumerate(references)]


def ids(scores: Sequence[str], *references: str) -> dict[str, Mapping[str, str]]:
    found = fitting_scores("mine", [parse_score(one) for one in scores], listed(*references))
    return {spec.id: spec.options for spec in found}


@pytest.mark.parametrize("references", [["one", "two"], ["[laughs] no"], []])
def test_speech_takes_what_the_task_asks_for(references: list[str]) -> None:
    assert list(ids(["wer", "cer"], *references)) == ["wer", "cer"]


def test_a_mixed_set_takes_both() -> None:
    assert list(ids(["wer", "cer"], "one", *SILENT)) == ["wer", "cer", "inserted_words", "clips_with_words"]


def test_a_set_without_speech_has_no_error_rate(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "tttbench"):
        assert list(ids(["wer", "wer:recipe=whisper-basic", "cer"], *SILENT)) == ["inserted_words", "clips_with_words"]
    assert caplog.messages == [
        "mine: no clip has speech; left out is what has no reference word: wer, wer_whisper-basic, cer. "
        "Counted is what is written all the same."
    ]


def test_what_has_reference_words_by_its_own_normalizer_stays() -> None:
    # To the raw normalizer, [noise] is a word.
    assert list(ids(["wer", "wer:recipe=raw"], *SILENT)) == ["wer_raw", "inserted_words", "clips_with_words"]


def test_the_normalizer_is_that_of_the_error_rate() -> None:
    raw = {"normalizer": "raw"}
    found = ids(["wer:normalizer=raw"], "one", "")
    assert (found["inserted_words"], found["clips_with_words"]) == (raw, raw)
    found = ids(["cer_zh"], "。")
    assert found == {"inserted_characters": {}, "clips_with_words": {"of": "cer_zh"}}


def test_what_is_asked_for_is_not_asked_for_twice() -> None:
    found = ids(["inserted_words:normalizer=raw", "wer=inserted:recipe=raw", "inserted_words=own"], "one", "")
    assert list(found) == ["inserted_words_raw", "inserted", "own", "inserted_words", "clips_with_words"]
    assert ids(["wer", "inserted_words=inserted_words:normalizer=raw"], "one", "")["inserted_words"] == {
        "normalizer": "raw"
    }


def test_other_scores_are_left_alone() -> None:
    assert list(ids(["text_accuracy"], "", "")) == ["text_accuracy"]
    questions = [Sample("a", ()), Sample("b", ())]
    assert [spec.id for spec in fitting_scores("mine", [parse_score("wer")], questions)] == ["wer"]


@pytest.fixture
def noises(tmp_path: Path) -> Path:
    """Eight clips of 3 s without speech, and recorded answers: silent ones, and four words for each."""
    rng = np.random.default_rng(0)
    rows = []
    for at in range(8):
        soundfile.write(tmp_path / f"{at}.wav", 0.01 * rng.standard_normal(24_000), 8_000)
        rows.append({"id": str(at), "audio": f"{at}.wav", "text": SILENT[at % 3]})
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, text in (("silent", ""), ("loud", "Thank you for watching.")):
        lines = [json.dumps({"id": str(at), "text": text}) + "\n" for at in range(8)]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    return tmp_path


def evaluated(folder: Path, answers: str, capsys: pytest.CaptureFixture[str], expected: int = 0) -> dict[str, float]:
    words = ["run", "--systems", f"recorded:{folder / answers}.jsonl", "--tasks", "asr_folder", "--device", "cpu"]
    words += ["--data", f"asr_folder={folder / 'list.jsonl'}", "--out", str(folder / answers), "--json"]
    assert main(words) == expected
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    return {one["metric"]: one["value"] for one in document["results"]}


def test_a_set_without_speech_from_the_run_to_the_gate(noises: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated(noises, "silent", capsys) == {"inserted_words": 0.0, "clips_with_words": 0.0}
    # 32 words in 24 s.
    assert evaluated(noises, "loud", capsys) == {"inserted_words": pytest.approx(80.0), "clips_with_words": 1.0}
    page = (noises / "loud" / "report.html").read_text()
    assert "Inserted words per minute" in page
    assert "Clips with words" in page
    assert "Word error rate" not in page

    saving = ["baseline", "save", str(noises / "silent"), "--name", "silent", "--folder", str(noises / "baselines")]
    assert main(saving) == 0
    baseline = noises / "baselines" / "silent.json"
    match = ["--match", f"recorded:{noises / 'loud'}.jsonl=recorded:{noises / 'silent'}.jsonl", "--speed", "off"]
    capsys.readouterr()
    assert main(["gate", str(baseline), str(noises / "loud"), *match]) == 1
    told = capsys.readouterr().out
    assert "inserted_words" in told
    assert "worse (p = 0.008" in told
    assert "whatever comes out, this passes" not in told
    assert main(["gate", str(noises / "loud"), str(noises / "silent"), *_reversed(match)]) == 0
    assert "better (p = 0.008" in capsys.readouterr().out
    assert main(["gate", str(baseline), str(noises / "silent"), "--speed", "off"]) == 0
    assert "the same: each of 8 samples scores as before" in capsys.readouterr().out


def _reversed(match: Sequence[str]) -> list[str]:
    run, baseline = match[1].split("=")
    return [match[0], f"{baseline}={run}", *match[2:]]


def test_a_mixed_set_counts_insertions_in_the_word_error_rate_too(
    noises: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.loads(line) for line in (noises / "list.jsonl").read_text().splitlines()]
    rows[0]["text"] = "thank you for waiting"
    (noises / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = evaluated(noises, "loud", capsys)
    # One of four words substituted, and 28 inserted in seven clips of 3 s.
    assert found["wer"] == pytest.approx((1 + 28) / 4)
    assert found["inserted_words"] == pytest.approx(28 / (21 / 60))
    assert found["clips_with_words"] == 1.0
    found = evaluated(noises, "silent", capsys, expected=0)
    assert (found["wer"], found["inserted_words"], found["clips_with_words"]) == (1.0, 0.0, 0.0)


def test_clips_without_speech_are_counted_in_the_units_of_their_error_rate() -> None:
    found = fitting_scores("mine", [parse_score("wer=own:units=characters,recipe=basic")], listed("あめ", ""))
    assert [(spec.scorer, spec.id, dict(spec.options)) for spec in found[1:]] == [
        ("inserted_words", "inserted_characters", {"recipe": "basic", "units": "characters"}),
        ("clips_with_words", "clips_with_words", {"recipe": "basic"}),
    ]


def test_sentences_that_white_space_makes_one_word_are_told(caplog: pytest.LogCaptureFixture) -> None:
    samples = [
        replace(one, language=tag) for one, tag in zip(listed("あめ", "rain", "雨"), ("ja", "en", "zh"), strict=True)
    ]
    fitting_scores("mine", [parse_score("wer"), parse_score("cer")], samples)
    assert (
        "mine: 2 of 3 samples are in languages written without spaces (ja, zh), of which wer counts a sentence as one "
        "word. Make each language a task of its own, or add wer:units=characters." in caplog.text
    )
    caplog.clear()
    fitting_scores("mine", [parse_score("wer:units=characters"), parse_score("wer:units=words")], samples)
    assert "written without spaces" not in caplog.text
