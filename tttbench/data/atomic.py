"""Files that are there completely or not at all, and what to say when the disk refuses.

Every file of a run directory but the journal is written here.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from tttbench.core.errors import StorageError


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
    if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"{path}: cannot be written: {error.strerror}. Make it writable, or give another folder.")
    return StorageError(
        f"{path}: cannot be written: {error}. Free some disk space, then continue with --resume; what was done is kept."
    )
