"""How long a writer waits for others, by a clock that goes on by a quarter of a second with every wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tttbench.core.errors import StorageError, UserError
from tttbench.store import lock as locks
from tttbench.store import schema
from tttbench.store.format2 import conversion
from tttbench.store.format2.rows import kinds_of, migrate
from tttbench.store.read_model import Run
from tttbench.store.run_directory import RunStore

from .stored_runs import FORMAT_2, copy_of_format_2, state_of, update


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits so far, in seconds."""
    found: list[float] = []
    monkeypatch.setattr("time.monotonic", lambda: 1000 + len(found) / 4)
    monkeypatch.setattr("time.sleep", found.append)
    return found


def noted_files(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """All files that are opened by their path from now on."""
    found: list[object] = []
    plain = Path.open

    def opened(path: Path, *given: object, **named: object) -> object:
        found.append(plain(path, *given, **named))  # type: ignore[call-overload]  # as given
        return found[-1]

    monkeypatch.setattr(Path, "open", opened)
    return found


def test_a_writer_waits_two_seconds_for_the_lock(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with locks.lock(tmp_path):
        files = noted_files(monkeypatch)
        with pytest.raises(UserError) as caught:
            locks.lock(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: another process is writing to this run; wait for it, or give another folder."
    )
    assert waits == [0.02] * 9
    assert [file.closed for file in files] == [True]  # type: ignore[attr-defined]  # files


def test_a_lock_that_cannot_be_had_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    files = noted_files(monkeypatch)
    monkeypatch.setattr("tttbench.store.lock.fcntl.flock", refuse)
    with pytest.raises(StorageError) as caught:
        locks.lock(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: cannot be locked: [Errno 95] Operation not supported. Give a folder on another file system."
    )
    assert [file.closed for file in files] == [True]  # type: ignore[attr-defined]  # files


def reader_of(folder: Path) -> sqlite3.Connection:
    """Somebody who reads an old run whose journal has a log, and cannot take the log away."""
    journal = folder / "journal.sqlite"
    writer = sqlite3.connect(journal, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE answers SET batch_size = 99")
    reader = sqlite3.connect(f"file:{journal}?mode=ro", isolation_level=None, uri=True)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM answers").fetchone()
    writer.close()
    return reader


def test_a_conversion_waits_ten_seconds_for_a_reader_and_leaves_the_run_as_it_is(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "connect", _impatient)
    folder = copy_of_format_2(tmp_path / "old")
    with closing(reader_of(folder)), pytest.raises(UserError) as caught:
        RunStore.open(folder, write=True)
    assert str(caught.value) == (
        f"{folder}/journal.sqlite: another process is reading it; end that, then do this again."
    )
    assert waits == [0.05] * 41
    assert not list(folder.glob("*.partial*"))
    with Run.open(folder) as run:
        assert {one.batch_size for one in run.answers()} == {99}


def test_a_conversion_goes_on_when_the_reader_has_ended(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "connect", _impatient)
    folder = copy_of_format_2(tmp_path / "old")
    reader = reader_of(folder)
    later: list[Callable[[], None]] = [reader.close]

    def wait(seconds: float) -> None:
        waits.append(seconds)
        for call in later:
            call()

    monkeypatch.setattr("time.sleep", wait)
    RunStore.open(folder, write=True).close()
    assert waits == [0.05]
    assert not list(folder.glob("*-wal"))
    with Run.open(folder) as run:
        assert {one.batch_size for one in run.answers()} == {99}
    update_of_kept = sqlite3.connect(f"file:{folder}/journal.format2.sqlite?mode=ro&immutable=1", uri=True)
    with closing(update_of_kept):
        assert update_of_kept.execute("SELECT DISTINCT batch_size FROM answers").fetchall() == [(99,)]


def _impatient(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, isolation_level=None, uri=uri, timeout=0)
    connection.text_factory = schema._text
    return connection


def test_an_old_run_that_is_being_written_is_read_as_of_one_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_format_2(tmp_path / "old")
    update(folder, "PRAGMA journal_mode = WAL")
    kinds = kinds_now(folder)

    def migrate_slowly(old: sqlite3.Connection, new: sqlite3.Connection, path: Path) -> None:
        migrate(old, new, path)
        update(folder, "UPDATE scores SET content = json_set(content, '$.kind', 'value')")

    monkeypatch.setattr(conversion, "migrate", migrate_slowly)
    with locks.lock(folder):
        opened = conversion.open_to_read(folder)
    opened.connection.close()
    assert opened.kinds == kinds
    assert set(kinds.values()) == {"rate", "binary"}
    assert set(kinds_now(folder).values()) == {"value"}


def kinds_now(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        return dict(kinds_of(connection, folder / "journal.sqlite"))


@pytest.mark.parametrize(
    ("place", "file"),
    [
        ("migrate", "journal.sqlite.partial"),
        ("shutil.copyfile", "journal.format2.sqlite"),
        ("os.fsync", "summary.format2.json"),
        ("_close_log", ""),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_run_without_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, file: str
) -> None:
    folder = copy_of_format_2(tmp_path / "old")

    def refuse(*_: object) -> None:
        if place == "migrate":
            raise sqlite3.OperationalError("database or disk is full")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(f"tttbench.store.format2.conversion.{place}", refuse)
        with pytest.raises((StorageError, OSError)) as caught:
            RunStore.open(folder, write=True)
    if file:
        why = "database or disk is full" if place == "migrate" else "[Errno 28] No space left on device"
        assert str(caught.value) == (
            f"{folder}/{file}: cannot be written: {why}. Free some disk space, then continue with --resume; what was "
            "done is kept."
        )
    assert not list(folder.glob("*.partial*"))
    assert state_of(folder)["journal.sqlite"][1] == state_of(FORMAT_2)["journal.sqlite"][1]


def test_a_rename_that_the_disk_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_of_format_2(tmp_path / "old")
    plain = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.name.startswith("journal."):
            raise PermissionError(13, "Permission denied")
        return plain(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with pytest.raises(StorageError) as caught:
            RunStore.open(folder, write=True)
    assert str(caught.value) == (
        f"{folder}/journal.format2.sqlite: cannot be written: Permission denied. "
        "Make it writable, or give another folder."
    )


def test_all_files_of_a_conversion_are_on_the_disk_before_they_get_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    folder = copy_of_format_2(tmp_path / "old")
    synced: dict[int, int] = {}
    plain = os.fsync

    def sync(number: int) -> None:
        plain(number)
        found = os.fstat(number)
        synced[found.st_ino] = found.st_size

    monkeypatch.setattr("os.fsync", sync)
    RunStore.open(folder, write=True).close()
    files = [*conversion.KEPT.values(), "summary.json", "manifest.json"]
    assert {name: synced.get((folder / name).stat().st_ino) for name in files} == {
        name: (folder / name).stat().st_size for name in files
    }
    assert (folder / "journal.sqlite").stat().st_ino in synced
