"""``recorded:`` looks answers up by task and sample id; ``echo`` repeats what it is given."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.cli.main import main
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.plugins import build_system
from tttbench.core.system import SystemOptions
from tttbench.store.read_model import Run


def answer(system: str, sample: str, task: str = "") -> Response | Exception:
    (found,) = build_system(system, SystemOptions()).generate([Request(sample, (Message("user"),), task=task)])
    return found


def text(found: Response | Exception) -> str:
    assert isinstance(found, Response)
    return found.text


def write(path: Path, *lines: Mapping[str, object]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"recorded:{path}"


def test_one_id_in_two_tasks_has_two_answers(tmp_path: Path) -> None:
    name = write(
        tmp_path / "a.jsonl",
        {"task": "clean", "id": "1", "text": "one"},
        {"task": "noisy", "id": "1", "text": "none"},
        {"id": "2", "text": "two"},
    )
    assert [text(answer(name, "1", task)) for task in ("clean", "noisy")] == ["one", "none"]
    # A line without a task is for every task.
    assert [text(answer(name, "2", task)) for task in ("clean", "")] == ["two", "two"]


def test_an_answer_that_is_not_there_is_an_error_of_its_request(tmp_path: Path) -> None:
    name = write(tmp_path / "a.jsonl", {"task": "clean", "id": "1", "text": "one"}, {"id": "2", "error": "timed out"})
    missing = answer(name, "1", "noisy")
    assert isinstance(missing, InputError)
    assert str(missing).startswith("1 of task noisy: ")
    failed = answer(name, "2", "noisy")
    assert isinstance(failed, InputError)
    assert str(failed) == "timed out"


@pytest.mark.parametrize(
    ("request_id", "task", "hint"),
    [
        ("1", "noisy", "There is one for the task clean: correct its field 'task', or leave it out."),
        ("q2", "noisy", "There is one to 'Q2 ': correct its field 'id'."),
        ("3", "noisy", "Add a line for it; ids there are like '1'."),
    ],
)
def test_an_answer_that_is_not_there_is_looked_for(tmp_path: Path, request_id: str, task: str, hint: str) -> None:
    name = write(tmp_path / "a.jsonl", {"task": "clean", "id": "1", "text": "one"}, {"id": "Q2 ", "text": "two"})
    missing = answer(name, request_id, task)
    assert isinstance(missing, InputError)
    assert str(missing).endswith(hint)


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_tables_are_separated_as_spreadsheets_write_them(tmp_path: Path, separator: str) -> None:
    (tmp_path / "a.csv").write_text(f"\ufeffid{separator}text\n1{separator}one\n", encoding="utf-8")
    assert text(answer(f"recorded:{tmp_path / 'a.csv'}", "1")) == "one"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("a.tsv", 'id\ttext\n1\tone\n2\t"two\n3\tthree\n', "a.tsv:3: unexpected end of data. Close the quotation mark"),
        ("a.json", '[{"id": "1"}]', "is a list of JSON; write JSON lines"),
    ],
)
def test_files_of_another_form_are_named(tmp_path: Path, file: str, content: str, message: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(UserError, match=re.escape(message)):
        answer(f"recorded:{tmp_path / file}", "1")


def test_a_run_says_of_how_many_recorded_answers_it_asks_for_fewer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q.csv").write_text("id,question,answer\n1,Capital of Italy?,Rome\n")
    name = write(tmp_path / "a.jsonl", {"id": "1", "text": "Rome"}, {"id": "2", "text": "Oslo"})
    run = ["--systems", name, "--tasks", "qa_folder_text", "--data", f"qa_folder_text={tmp_path / 'q.csv'}"]
    assert main(["run", *run, "--out", str(tmp_path / "run"), "--device", "cpu"]) == 0
    assert f"{name}: holds 2 answers, and this run asks for 1." in capsys.readouterr().out


def test_tables_are_read_with_recordings_beside_them(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.zeros(800, dtype=np.float32), 8000)
    for name, tab in (("a.tsv", "\t"), ("a.csv", ",")):
        (tmp_path / name).write_text(f"id{tab}text{tab}audio\n1{tab}one{tab}one.wav\n")
        found = answer(f"recorded:{tmp_path / name}", "1")
        assert isinstance(found, Response)
        assert found.waveform is not None
        assert (found.text, len(found.waveform), found.sample_rate) == ("one", 800, 8000)


def test_why_an_answer_ended_is_recorded_in_files_and_runs(tmp_path: Path) -> None:
    line = {"id": "asr-000", "text": "a", "finish_reason": "length"}
    name = write(tmp_path / "a.jsonl", line, {"id": "2", "text": ""})
    cut, whole = answer(name, "asr-000"), answer(name, "2")
    assert isinstance(cut, Response)
    assert isinstance(whole, Response)
    assert (cut.is_cut, whole.is_cut, whole.finish_reason) == (True, False, "stop")
    out = tmp_path / "run"
    assert (
        main(["run", "--systems", name, "--tasks", "mini_asr", "--limit", "1", "--device", "cpu", "--out", str(out)])
        == 0
    )
    again = answer(f"recorded:{out}", "asr-000", "mini_asr")
    assert isinstance(again, Response)
    assert again.finish_reason == "length"
    reasons = ("MAX_TOKENS", "", "model_length", "token_limit", "content_filter", "end_turn")
    rows = "".join(f"{at}\tone\t{reason}\n" for at, reason in enumerate(reasons))
    (tmp_path / "a.tsv").write_text(f"id\ttext\tfinish_reason\n{rows}")
    found = [answer(f"recorded:{tmp_path / 'a.tsv'}", str(at)) for at in range(len(reasons))]
    assert [isinstance(one, Response) and one.is_cut for one in found] == [True, False, True, True, False, False]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"id": "1", "text": "a"}, {"id": "1", "text": "b"}], "a.jsonl:2: id: '1' stands in"),
        ([{"text": "a"}], "a.jsonl:1: id: missing; add it."),
        ([{"id": ""}], "a.jsonl:1: id: must be a string that isn't empty, not ''."),
        ([{"id": "1", "txt": "a"}], "a.jsonl:1: txt: unknown key. Did you mean 'text'"),
        ([{"id": "1", "codes": [1, 1.5]}], "a.jsonl:1: codes[1]: must be a whole number, not 1.5."),
        ([{"id": "1", "task": 3}], "a.jsonl:1: task: must be a string, not 3."),
        ([], "holds no answers"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, lines: list[dict[str, object]], message: str) -> None:
    with pytest.raises(UserError) as caught:
        answer(write(tmp_path / "a.jsonl", *lines), "1")
    assert message in str(caught.value)


def test_a_run_answers_as_its_system_did(tmp_path: Path) -> None:
    """Two tasks whose samples have the same ids: each gets its own answers back, and equal scores."""
    tasks = ["--tasks", "mini_asr,mini_asr_noisy", "--limit", "2", "--device", "cpu"]
    lines = [
        {"task": task, "id": f"asr-{at:03d}", "text": f"{task} {at}"}
        for task in ("mini_asr", "mini_asr_noisy")
        for at in range(2)
    ]
    name = write(tmp_path / "a.jsonl", *lines)
    for system, out in ((name, "first"), (f"recorded:{tmp_path / 'first'}", "second")):
        assert main(["run", "mini", "--systems", system, *tasks, "--out", str(tmp_path / out)]) == 0
    found = []
    for out in ("first", "second"):
        with Run.open(tmp_path / out) as run:
            found.append([(one.key.task, one.key.sample, one.text, one.scores) for one in run.answers()])
    assert found[0] == found[1]
    assert {task: words for task, _, words, _ in found[1]}.keys() == {"mini_asr", "mini_asr_noisy"}
    assert all(words.startswith(task) for task, _, words, _ in found[1])


def test_echo_gives_back_what_came_last() -> None:
    sound = np.ones(160, dtype=np.float32)
    request = Request("1", (Message("user", "earlier"), Message("user", "hello", sound, 16_000)))
    (found,) = build_system("echo", SystemOptions()).generate([request])
    assert isinstance(found, Response)
    assert (found.text, found.sample_rate) == ("hello", 16_000)
    assert found.waveform is not None
    np.testing.assert_array_equal(found.waveform, sound)


def recording(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.zeros(160, np.float32), 16_000)
    return path


@pytest.mark.parametrize(
    "named", ["../secret/a.wav", "sub/../../secret/a.wav", "link.wav", "linked/a.wav", "/absolute"]
)
def test_audio_outside_of_the_file_s_folder_is_taken_only_if_that_is_allowed(tmp_path: Path, named: str) -> None:
    """A run keeps a copy of it, and may be passed on."""
    outside = recording(tmp_path / "secret" / "a.wav")
    (tmp_path / "answers" / "sub").mkdir(parents=True)
    (tmp_path / "answers" / "link.wav").symlink_to(outside)
    (tmp_path / "answers" / "linked").symlink_to(outside.parent)
    audio = str(outside) if named == "/absolute" else named
    path = tmp_path / "answers" / "a.jsonl"
    name = write(path, {"id": "0", "text": "x"}, {"id": "1", "text": "x", "audio": audio})
    with pytest.raises(UserError, match=r"a\.jsonl: line 2: .* lies outside of .*answers\. .*say --allow-outside"):
        build_system(name, SystemOptions())
    (found,) = build_system(name, SystemOptions(allow_outside=True)).generate([Request("1", (Message("user"),))])
    assert isinstance(found, Response)
    words = ["run", "mini", "--systems", name, "--tasks", "mini_asr", "--limit", "1", "--device", "cpu"]
    words += ["--transcriber", "", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert not (tmp_path / "run").exists()
    assert main([*words, "--allow-outside"]) == 1  # none of the samples is in the file


def test_a_pipe_for_a_recording_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    for audio, kind in (("a.wav", "a named pipe"), ("zero.wav", "a device"), (".", "a folder")):
        name = write(tmp_path / f"{len(kind)}.jsonl", {"id": "1", "text": "x", "audio": audio})
        with pytest.raises(UserError, match=f"line 1: .* is {kind}. Name a regular file, or leave the audio out."):
            build_system(name, SystemOptions(allow_outside=True))


def test_a_run_that_names_recordings_outside_of_itself_is_no_way_to_them(tmp_path: Path) -> None:
    """Of a journal that somebody else has written."""
    run, outside = tmp_path / "run", recording(tmp_path / "secret" / "a.wav")
    name = write(tmp_path / "a.jsonl", {"id": "asr-000", "text": "x", "audio": str(outside)})
    words = ["run", "mini", "--systems", name, "--tasks", "mini_asr", "--limit", "1", "--device", "cpu"]
    assert main([*words, "--transcriber", "", "--out", str(run), "--allow-outside"]) == 0
    build_system(f"recorded:{run}", SystemOptions())
    (kept,) = run.glob("audio/output*.flac")
    kept.unlink()
    kept.symlink_to(outside)
    with pytest.raises(UserError, match=r"task mini_asr, sample 'asr-000': .* lies outside of .*run\. "):
        build_system(f"recorded:{run}", SystemOptions())
