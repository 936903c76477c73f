"""One process writes to a run; who reads finds out, and keeps nobody waiting for long."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tttbench.core.errors import StorageError, UserError
from tttbench.store import lock as locks


def test_a_folder_that_was_never_locked_is_not_being_written(tmp_path: Path) -> None:
    assert not locks.is_being_written(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_locked_folder_is_being_written_until_the_lock_is_closed(tmp_path: Path) -> None:
    held = locks.lock(tmp_path)
    assert locks.is_being_written(tmp_path)
    held.close()
    assert not locks.is_being_written(tmp_path)


def test_a_second_writer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_PATIENCE_S", 0.0)
    with locks.lock(tmp_path), pytest.raises(UserError, match="another process is writing to this run; wait for it"):
        locks.lock(tmp_path)


def test_readers_do_not_keep_each_other_out(tmp_path: Path) -> None:
    locks.lock(tmp_path).close()
    with locks.kept_from_writing(tmp_path) as one, locks.kept_from_writing(tmp_path) as other:
        assert one
        assert other


def test_a_writer_waits_for_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_PATIENCE_S", 600.0)
    locks.lock(tmp_path).close()
    reading, waiting = threading.Event(), threading.Event()

    def read() -> None:
        with locks.kept_from_writing(tmp_path):
            reading.set()
            waiting.wait()

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait()

    def let_the_reader_end(_: float) -> None:
        waiting.set()
        reader.join()

    monkeypatch.setattr("tttbench.store.lock.time.sleep", let_the_reader_end)
    locks.lock(tmp_path).close()
    assert waiting.is_set()


def test_where_it_cannot_be_found_out_a_run_is_taken_to_be_written(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    assert locks.is_being_written(tmp_path)
    with pytest.raises(StorageError, match=r"\.lock: cannot be written"):
        locks.lock(tmp_path)


def test_a_file_system_without_locks_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("tttbench.store.lock.fcntl.flock", refuse)
    with pytest.raises(StorageError, match=r"cannot be locked: .*Operation not supported.*another file system"):
        locks.lock(tmp_path)
    assert locks.is_being_written(tmp_path)
