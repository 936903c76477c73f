from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef, Turn

Row = Mapping[str, str | list[str]]

ASR: Row = {
    "id": "a1",
    "audio": "asr/a1.opus",
    "noisy_audio": "asr/a1-noisy.opus",
    "text": "turn on the lamp",
    "voice": "v1",
    "cluster": "v1",
}
QA: Row = {
    "id": "q1",
    "audio": "qa/q1.opus",
    "noisy_audio": "qa/q1-noisy.opus",
    "question": "What is the capital of France?",
    "answer": "Paris",
    "aliases": ["paris city"],
    "answer_text": "The capital of France is Paris.",
    "answer_audio": "answers/paris.opus",
    "voice": "v2",
    "cluster": "capital-france",
}


def write(folder: Path, asr: Sequence[Row] = (ASR,), qa: Sequence[Row] = (QA,)) -> Path:
    (folder / "asr.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asr))
    (folder / "qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in qa))
    return folder


@pytest.mark.parametrize(("task", "audio"), [("mini_asr", "asr/a1.opus"), ("mini_asr_noisy", "asr/a1-noisy.opus")])
def test_asr_samples(tmp_path: Path, task: str, audio: str) -> None:
    (sample,) = build_task(task).samples(write(tmp_path))
    assert (sample.id, sample.references, sample.cluster) == ("a1", ("turn on the lamp",), "v1")
    assert sample.audio == AudioRef(tmp_path / audio)


@pytest.mark.parametrize(("task", "audio"), [("mini_qa", "qa/q1.opus"), ("mini_qa_noisy", "qa/q1-noisy.opus")])
def test_qa_samples_carry_the_reference_answer(tmp_path: Path, task: str, audio: str) -> None:
    (sample,) = build_task(task).samples(write(tmp_path))
    assert (sample.id, sample.references) == ("q1", ("Paris", "paris city"))
    assert sample.audio == AudioRef(tmp_path / audio)
    spoken = AudioRef(tmp_path / "answers/paris.opus")
    assert sample.answer == Turn("assistant", "The capital of France is Paris.", spoken)
    assert sample.cluster == "capital-france"
    assert sample.text == ""


def test_a_missing_field_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, qa=(QA, {**{key: QA[key] for key in QA if key != "answer"}, "id": "q2"}))
    with pytest.raises(UserError, match=r"qa\.jsonl, line 2: has no field 'answer'"):
        build_task("mini_qa").samples(tmp_path)


def test_aliases_must_be_a_list(tmp_path: Path) -> None:
    write(tmp_path, qa=({**QA, "aliases": "paris"},))
    with pytest.raises(UserError, match="line 1: field 'aliases': must be a list of values, not 'paris'"):
        build_task("mini_qa").samples(tmp_path)


def test_a_duplicate_id_names_both_lines(tmp_path: Path) -> None:
    write(tmp_path, asr=(ASR, ASR))
    with pytest.raises(UserError, match=r"line 2 \(id\): the id 'a1' already stands in line 1"):
        build_task("mini_asr").samples(tmp_path)


def test_missing_test_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"asr\.jsonl: no such file"):
        build_task("mini_asr").samples(tmp_path)


@pytest.mark.parametrize("name", ["mini_asr", "mini_asr_noisy", "mini_qa", "mini_qa_noisy"])
def test_the_size_that_a_task_tells_is_that_of_its_samples(name: str) -> None:
    task = build_task(name)
    assert task.size == len(task.samples(None)) > 0
