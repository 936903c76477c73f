"""The first write to a run of format 2 converts it; a kill at any point leaves a run that can be read."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import StorageError, UserError
from tttbench.core.serialize import to_plain
from tttbench.data.audio import load_audio
from tttbench.store import schema
from tttbench.store.format2 import conversion
from tttbench.store.read_model import Run
from tttbench.store.run_directory import RunStore

from .stored_runs import FORMAT_2, copy_of_format_2, score, state_of

KEPT = {"journal.format2.sqlite", "manifest.format2.json", "summary.format2.json"}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return copy_of_format_2(tmp_path / "old")


def content_of(folder: Path) -> object:
    """All that can be read of a run."""
    with Run.open(folder) as run:
        answers = list(run.answers())
        transcripts = [run.transcript(one.audio) for one in answers]
        topline = {task: run.topline_scores(task) for task in run.manifest.tasks}
        found = [run.manifest, run.summary, run.samples(), answers, transcripts, topline]
        return to_plain(found)


BEFORE = content_of(FORMAT_2)


def test_what_is_read_is_the_same_before_and_after(old: Path) -> None:
    RunStore.open(old, write=True).close()
    assert content_of(old) == BEFORE
    with Run.open(old) as run:
        assert run.format_on_disk == 3


def test_the_old_files_are_kept_as_they_were(old: Path) -> None:
    RunStore.open(old, write=True).close()
    for name, kept in conversion.KEPT.items():
        assert (old / kept).read_bytes() == (FORMAT_2 / name).read_bytes()
    names = {".lock", "audio", "journal.sqlite", "manifest.json", "summary.json"}
    assert set(os.listdir(old)) == names | KEPT


def test_a_run_can_be_made_of_the_old_files_again(old: Path, tmp_path: Path) -> None:
    RunStore.open(old, write=True).close()
    again = tmp_path / "again"
    again.mkdir()
    for name, kept in conversion.KEPT.items():
        shutil.copyfile(old / kept, again / name)
    shutil.copytree(old / "audio", again / "audio")
    assert content_of(again) == BEFORE


def test_what_is_written_after_a_conversion_is_there(old: Path) -> None:
    with RunStore.open(old, write=True) as store:
        store.replace_scores("ttt:mini", "short_asr", [("asr-027", 0, "wer", score(0.25))])
        clip = load_audio(next(Path(FORMAT_2).glob("audio/short_qa--qa-121--input.flac")))
        kept = store.save_input("short_qa", "qa-121", 0, clip.samples, clip.sample_rate)
        assert kept.file == "audio/short_qa--qa-121--input.flac"
    with Run.open(old) as run:
        assert next(run.answers("ttt:mini", "short_asr")).scores == {"wer": score(0.25)}


def test_a_conversion_is_made_once(old: Path) -> None:
    RunStore.open(old, write=True).close()
    before = state_of(old)
    with RunStore.open(old, write=True):
        pass
    after = state_of(old)
    assert {name: after[name][1] for name in KEPT} == {name: before[name][1] for name in KEPT}
    assert after["manifest.json"] == before["manifest.json"]


def test_a_run_without_summary_is_converted(old: Path) -> None:
    (old / "summary.json").unlink()
    RunStore.open(old, write=True).close()
    with Run.open(old) as run:
        assert run.summary is None
        assert len(list(run.answers())) == 10
    assert not (old / "summary.format2.json").exists()


def test_what_stands_in_the_log_of_a_killed_run_is_converted(old: Path) -> None:
    writer = sqlite3.connect(old / "journal.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE answers SET batch_size = 99")
    log, journal = (old / "journal.sqlite-wal").read_bytes(), (old / "journal.sqlite").read_bytes()
    writer.close()
    (old / "journal.sqlite").write_bytes(journal)
    (old / "journal.sqlite-wal").write_bytes(log)
    RunStore.open(old, write=True).close()
    for _ in range(2):
        with Run.open(old) as run:
            assert {one.batch_size for one in run.answers()} == {99}
        (old / "journal.sqlite").write_bytes((old / "journal.format2.sqlite").read_bytes())
        (old / "manifest.json").write_bytes((old / "manifest.format2.json").read_bytes())
    assert not (old / "journal.sqlite-wal").exists()


def test_somebody_who_reads_is_waited_for_and_then_named(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_PATIENCE_S", 0.0)
    monkeypatch.setattr("tttbench.store.schema.connect", _impatient)
    writer = sqlite3.connect(old / "journal.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    reader = sqlite3.connect(old / "journal.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM answers").fetchone()
    writer.close()
    with pytest.raises(UserError, match=r"journal\.sqlite: another process is reading it"):
        RunStore.open(old, write=True)
    reader.close()
    assert content_of(old) == BEFORE
    RunStore.open(old, write=True).close()
    assert content_of(old) == BEFORE


def _impatient(name: str, *, uri: bool = False) -> sqlite3.Connection:
    from tttbench.store.schema import _text

    connection = sqlite3.connect(name, isolation_level=None, uri=uri, timeout=0)
    connection.text_factory = _text
    return connection


@pytest.mark.parametrize("file", ["manifest.json", "summary.json", "journal.sqlite"])
def test_a_damaged_run_is_left_as_it_is(old: Path, file: str) -> None:
    (old / file).write_bytes(b'{"format": 2}')
    before = state_of(old)
    with pytest.raises(UserError, match=file):
        RunStore.open(old, write=True)
    assert {name: state for name, state in state_of(old).items() if name != ".lock"} == before


def test_a_full_disk_leaves_the_old_run(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tttbench.store.format2.conversion.shutil.copyfile", refuse)
        with pytest.raises(StorageError, match=r"journal\.format2\.sqlite: cannot be written"):
            RunStore.open(old, write=True)
    assert content_of(old) == BEFORE


def count_steps(step: Callable[[int], None]) -> None:
    """Have ``step`` called, with its number, before every call by which Python or SQLite changes the run's files."""
    done = 0

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: object, **named: object) -> Any:
            nonlocal done
            done += 1
            step(done)
            return function(*given, **named)

        return call

    os.replace = watched(os.replace)
    os.rename = watched(os.rename)
    os.fsync = watched(os.fsync)
    Path.replace = watched(Path.replace)  # type: ignore[method-assign]  # in a process of its own
    shutil.copyfile = watched(shutil.copyfile)
    connect = schema.connect

    def traced(name: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = connect(name, uri=uri)
        execute = watched(lambda _: None)
        # Rows go into a journal that nobody reads yet; what matters is when it is finished and takes the other's place.
        skipped = ("SELECT", "INSERT", "CREATE")
        connection.set_trace_callback(lambda statement: statement.startswith(skipped) or execute(statement))
        return connection

    schema.connect = traced


def convert_and_die(folder: Path, at: int) -> bool:
    """Convert a run in a process of its own that is killed before step ``at``; whether it came to its end before."""
    child = os.fork()
    if child == 0:
        try:
            count_steps(lambda number: os.kill(os.getpid(), signal.SIGKILL) if number == at else None)
            RunStore.open(folder, write=True).close()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    assert ended in (0, signal.SIGKILL)
    return ended == 0


@pytest.mark.slow
def test_a_kill_at_any_step_leaves_a_run_that_can_be_read_and_converted(tmp_path: Path) -> None:
    formats: list[int] = []
    complete = False
    while not complete:
        at = len(formats) + 1
        folder = copy_of_format_2(tmp_path / str(at))
        complete = convert_and_die(folder, at)
        assert content_of(folder) == BEFORE, f"after a kill before step {at}"
        with Run.open(folder) as run:
            formats.append(run.format_on_disk)
        RunStore.open(folder, write=True).close()
        assert content_of(folder) == BEFORE, f"converted after a kill before step {at}"
        assert (folder / "journal.format2.sqlite").read_bytes() == (FORMAT_2 / "journal.sqlite").read_bytes()
        shutil.rmtree(folder)
    assert len(formats) > 15
    assert formats == sorted(formats)
    assert (formats[0], formats[-1]) == (2, 3)
