"""The lock of a run directory: one process writes; whoever reads finds out whether one does."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tttbench.core.errors import StorageError, UserError
from tttbench.data.atomic import storage_error

LOCK = ".lock"

_PATIENCE_S = 2.0
"""How long a writer waits for a reader who only looks whether somebody writes."""


def lock(folder: Path) -> IO[str]:
    """Take the lock; it is held until the file that is returned is closed, or the process ends.

    Raises:
        UserError: another process is writing to this run.
        StorageError: the folder can't be locked.
    """
    path = folder / LOCK
    try:
        file = path.open("w")
    except OSError as error:
        raise storage_error(path, error) from error
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError as error:
            if time.monotonic() > until_s:
                file.close()
                raise UserError(
                    f"{folder}: another process is writing to this run; wait for it, or give another folder."
                ) from error
            time.sleep(0.02)
        except OSError as error:
            file.close()
            raise StorageError(f"{folder}: cannot be locked: {error}. Give a folder on another file system.") from error


@contextmanager
def kept_from_writing(folder: Path) -> Iterator[bool]:
    """Keep others from beginning to write, for a moment; False if one is writing, or if that can't be found out."""
    try:
        file = (folder / LOCK).open()
    except FileNotFoundError:
        yield True
        return
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def is_being_written(folder: Path) -> bool:
    """Whether a process is writing to the run in ``folder`` now; where that can't be found out, it is taken to be."""
    with kept_from_writing(folder) as nobody_writes:
        return not nobody_writes
