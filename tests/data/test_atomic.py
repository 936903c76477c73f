"""A file is there completely or not at all, and a disk that refuses says what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from tttbench.core.errors import StorageError
from tttbench.data.atomic import storage_error, write_atomic

ELSEWHERE = "Make it writable, or give another folder."
FREE = "Free some disk space, then continue with --resume; what was done is kept."


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), f"[Errno {errno.ENOSPC}] No space left on device. {FREE}"),
        (OSError(errno.EDQUOT, "Quota exceeded"), f"[Errno {errno.EDQUOT}] Quota exceeded. {FREE}"),
        (sqlite3.OperationalError("database or disk is full"), f"database or disk is full. {FREE}"),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            f"Permission denied. {ELSEWHERE}",
        ),
        (
            OSError(errno.EROFS, "Read-only file system"),
            f"Read-only file system. {ELSEWHERE}",
        ),
    ],
)
def test_what_to_do_depends_on_why_it_failed(error: Exception, says: str) -> None:
    assert str(storage_error(Path("a/b.json"), error)) == f"a/b.json: cannot be written: {says}"


def test_all_of_it_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    seen: list[tuple[int, bytes]] = []
    monkeypatch.setattr("os.fsync", lambda file: seen.append((os.fstat(file).st_size, path.read_bytes())))
    write_atomic(path, b"longer")
    assert seen == [(6, b"old")]
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.json", b"longer")]


def test_a_folder_that_is_not_there_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(
        StorageError,
        match=r"none/a\.json: cannot be written: No such file or directory\. Make it writable, or give another",
    ):
        write_atomic(tmp_path / "none" / "a.json", b"x")


def test_what_was_written_of_a_file_that_is_refused_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        write_atomic(tmp_path / "a.json", b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
