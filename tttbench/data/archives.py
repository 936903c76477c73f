"""Members of tar and zip archives. Knows nothing of what they hold."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tttbench.core.errors import InputError


def read_member(archive: Path, member: str) -> bytes:
    """Return the content of a member of a tar (uncompressed or not) or zip archive.

    Raises:
        InputError: no such archive or member, or a damaged one.
    """
    with _faults_named(archive):
        try:
            if zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as inside:
                    return inside.read(member)
            with tarfile.open(archive) as tape:
                found = tape.extractfile(member)
                if found is None:
                    raise InputError(f"{archive}: {member!r} is not a file in it. Correct it in the task's list.")
                return found.read()
        except KeyError:
            raise InputError(f"{archive}: holds no {member!r}. Correct it in the task's list.") from None


def first_file(archive: Path, ending: str = "") -> str:
    """Return the name of the first file in a tar archive whose name ends in ``ending``; what follows isn't read.

    Returns:
        The name as it stands in the archive, ``""`` if there is none.

    Raises:
        InputError: no such archive, or a damaged one.
    """
    with _faults_named(archive), tarfile.open(archive) as tape:
        return next((one.name for one in tape if one.isfile() and one.name.endswith(ending)), "")


@contextmanager
def _faults_named(archive: Path) -> Iterator[None]:
    """Raise whatever is wrong with an archive as an ``InputError`` that names it."""
    try:
        if not stat.S_ISREG(archive.stat().st_mode):
            raise InputError(f"{archive}: is not a file. Give the path of a tar or zip archive.")
        yield
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # The last two: a method of compression that isn't known here, and a member with a password.
        raise InputError(f"{archive}: is broken or no archive ({error}). Copy or download it again.") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{archive}: cannot be read ({why}). Check the path and its permissions.") from error
