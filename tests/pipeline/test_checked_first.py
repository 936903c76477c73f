"""Whatever can be found out before anything is generated is: status 2, a message, no run directory."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.config.suite import SystemPlan, system_plan
from tttbench.core import plugins
from tttbench.core.errors import StorageError, UserError
from tttbench.core.exchange import Response
from tttbench.core.system import SystemOptions
from tttbench.data.atomic import storage_error

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Run with a system that must not be asked; returns the message."""
    plugins.systems.names()
    monkeypatch.setattr(plugins.systems, "_entries", dict(plugins.systems._entries))

    def asked(request: object) -> Response:
        raise AssertionError("asked")

    plugins.register_system("unasked")(lambda spec, options: asked)

    def run(*words: str, systems: str = "unasked", out: Path | None = None) -> str:
        folder = out or tmp_path / "run"
        fixed = ["run", "mini", "--tasks", "mini_qa", "--limit", "1", "--device", "cpu", "--systems", systems]
        assert main([*fixed, "--out", str(folder), *words]) == 2
        assert not folder.is_dir() or not list(folder.iterdir())
        told = capsys.readouterr()
        assert "asked" not in told.err.replace("unasked", "")
        return told.err

    return run


def test_weights_of_the_transcriber(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str, device: str) -> None:
        raise UserError(f"The weights of Whisper {name!r} are not here and could not be downloaded.")

    monkeypatch.setattr("tttbench.systems.whisper.adapter.is_available_offline", lambda name: False)
    monkeypatch.setattr("tttbench.systems.whisper.adapter.load_whisper", none)
    for words in (["--transcriber", "whisper:small"], ["--add", "spoken_accuracy:transcriber=whisper:small"]):
        assert "The weights of Whisper 'small' are not here" in refused(*words)


def test_a_codec(refused: Refused, tmp_path: Path) -> None:
    mini = plugins.build_system("ttt:mini", SystemOptions()).card.name
    assert mini == "ttt:mini"
    import reference_model

    weights = Path(reference_model.__file__).parent / "weights"
    shutil.copytree(weights / "mini", tmp_path / "mine")
    for path in weights.glob("*.json"):
        shutil.copy(path, tmp_path)
    note = json.loads((tmp_path / "mine" / "assistant.json").read_text())
    (tmp_path / "mine" / "assistant.json").write_text(json.dumps({**note, "codec": "gone"}))
    assert "field 'codec': no such folder" in refused(systems=f"unasked,ttt:{tmp_path / 'mine'}")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "config.json").write_text('{"kind": "nothing"}')
    assert "gone/config.json" in refused(systems=f"unasked,ttt:{tmp_path / 'mine'}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": "a", "text": "x"}\n{"id": "b", "txet": 5}\n', ":2: txet: unknown key"),
        ('{"id": "a"', ":1: not valid JSON"),
        ("", "holds no answers"),
        ('{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n', ":2: id: 'a' stands in"),
    ],
)
def test_a_malformed_file_of_recorded_answers(refused: Refused, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(text)
    assert f"{path}{says}" in refused(systems=f"unasked,recorded:{path}").replace(f"{path}: {says}", f"{path}{says}")


def test_a_column_that_stands_there_twice(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("id,text,text\na,x,y\n")
    assert f"{path}:1: the column 'text' stands there twice" in refused(systems=f"recorded:{path}")


@pytest.mark.parametrize("place", ["a file", "below a file", "a full folder", "links in circles"])
def test_a_folder_that_cannot_be_written(refused: Refused, tmp_path: Path, place: str) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    (tmp_path / "round").symlink_to(tmp_path / "circle")
    (tmp_path / "circle").symlink_to(tmp_path / "round")
    folders = {
        "a file": file,
        "below a file": file / "run",
        "a full folder": tmp_path / "full",
        "links in circles": tmp_path / "round",
    }
    if place == "a full folder":
        assert main(["run", "mini", "--systems", "unasked", "--device", "cpu", "--out", str(folders[place])]) == 2
        return
    assert f"--out {folders[place]}" in refused(out=folders[place]) or place == "links in circles"


def test_a_read_only_folder(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever runs the tests may be allowed to write everywhere.
    monkeypatch.setattr("tttbench.store.run_directory.os.access", lambda path, mode: False)
    told = refused()
    assert f"--out {tmp_path / 'run'}: {tmp_path} cannot be written. Make it writable, or give another folder." in told


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.EACCES, 2), (errno.EROFS, 2), (errno.ENOTDIR, 2), (errno.ENOSPC, 1), (errno.EDQUOT, 1)],
)
def test_only_a_full_disk_is_no_wrong_call(number: int, status: int) -> None:
    found = storage_error(Path("x"), OSError(number, os.strerror(number)))
    assert isinstance(found, StorageError)
    assert found.exit_status == status


@pytest.mark.parametrize(
    ("label", "plan"),
    [
        ("ttt:mini@topk", SystemPlan("ttt:mini", "topk")),
        ("recorded:a@b.jsonl", SystemPlan("recorded:a@b.jsonl")),
        ("recorded:runs/x#ttt:mini@topk", SystemPlan("recorded:runs/x#ttt:mini@topk")),
        ("ttt:a@b/c", SystemPlan("ttt:a@b/c")),
        ("x@", SystemPlan("x", "")),
        ("@x", SystemPlan("@x")),
    ],
)
def test_what_an_at_sign_means(label: str, plan: SystemPlan) -> None:
    assert system_plan(label) == plan


def test_a_folder_with_an_at_sign_that_is_there_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine@2").mkdir()
    assert system_plan("ttt:mine@2") == SystemPlan("ttt:mine@2")
    assert system_plan("ttt:mine@2@topk") == SystemPlan("ttt:mine@2", "topk")
    assert system_plan("ttt:other@topk") == SystemPlan("ttt:other", "topk")


def test_answers_in_a_file_with_an_at_sign_are_given(tmp_path: Path) -> None:
    path = tmp_path / "me@home.jsonl"
    path.write_text(json.dumps({"id": "asr-000", "text": "x\u2028y"}) + "\n")
    words: list[Any] = ["run", "mini", "--systems", f"recorded:{path}", "--tasks", "mini_asr", "--limit", "1"]
    assert main([*words, "--device", "cpu", "--out", str(tmp_path / "run")]) == 0
