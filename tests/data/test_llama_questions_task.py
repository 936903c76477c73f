from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef

HEADER = "Questions\tAnswer\tWav Filename\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "llama_questions_300.tsv").write_text(
        HEADER + 'Who wrote "Emma"?\tJane Austen\t1.wav\nWhich sea is salty?\tthe Dead Sea\t2.wav\n'
    )
    (tmp_path / "1.wav").touch()
    return tmp_path


def test_questions_have_the_published_answers(folder: Path) -> None:
    (folder / "2.wav").touch()
    found = build_task("llama_questions").samples(folder)
    assert [(s.id, s.audio, s.reference) for s in found] == [
        ("1", AudioRef(folder / "1.wav"), "Jane Austen"),
        ("2", AudioRef(folder / "2.wav"), "the Dead Sea"),
    ]


def test_the_same_recordings_double_as_asr(folder: Path) -> None:
    found = build_task("llama_questions_asr").samples(folder)
    assert [(s.id, s.reference) for s in found] == [("1", 'Who wrote "Emma"?')]


@pytest.mark.parametrize("task", ["llama_questions", "llama_questions_asr"])
def test_rows_without_a_recording_are_counted_not_hidden(
    folder: Path, caplog: pytest.LogCaptureFixture, task: str
) -> None:
    with caplog.at_level(logging.WARNING):
        found = build_task(task).samples(folder)
    assert len(found) == 1
    assert found[0].metadata["left_out"] == "1 of 2 questions without a recording"
    assert "1 of 2 questions without a recording" in caplog.text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Question\tAnswer\tWav Filename\n", "line 1: no column for Questions; found 'Question'"),
        (HEADER + "Q?\tA\n", "line 2: has 2 fields, not 3"),
        (HEADER + "Q?\t\t1.wav\n", "line 2: field 'Answer': is empty"),
        (HEADER + "Q?\tA\t1.wav\nR?\tB\t1.wav\n", r"line 3 \(Wav Filename\): the id '1' already stands in line 2"),
        ("", "is empty"),
    ],
)
def test_a_wrong_list_is_named_with_line_and_field(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "llama_questions_300.tsv").write_text(content)
    with pytest.raises(UserError, match=says) as error:
        build_task("llama_questions").samples(tmp_path)
    assert "llama_questions_300.tsv" in str(error.value)


def test_without_data_the_message_says_where_to_get_them() -> None:
    with pytest.raises(UserError, match=r"LLAMA1-Test-Set.*--data llama_questions=PATH"):
        build_task("llama_questions").samples(None)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"llama_questions_300\.tsv: no such file"):
        build_task("llama_questions").samples(tmp_path)
