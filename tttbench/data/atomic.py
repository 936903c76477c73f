"""Files that are there completely or not at all, and what to say when the disk refuses.

Every file of a run directory but the journal is written here.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from tttbench.core.errors import StorageError, UnwritableError

_REFUSED_BY_SQLITE = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to a neighbour of ``path`` and rename it, so that a reader never sees half a file.

    Raises:
        StorageError: the disk is full, or the file can't be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise storage_error(path, error) from error


def storage_error(path: Path, error: Exception) -> StorageError:
    """Return the message for a failed write of ``path``: what happened and what to do."""
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    is_refused = getattr(error, "sqlite_errorname", "").startswith(_REFUSED_BY_SQLITE)
    if is_refused or (isinstance(error, OSError) and not is_full):
        why = error.strerror if isinstance(error, OSError) else error
        return UnwritableError(f"{path}: cannot be written: {why}. Make it writable, or give another folder.")
    return StorageError(
        f"{path}: cannot be written: {error}. Free some disk space, then continue with --resume; what was done is kept."
    )
