"""Members of tar and zip archives. Knows nothing of what they hold."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from tttbench.core.errors import InputError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""How the names of archives end, in lower case."""


@dataclass(frozen=True)
class Member:
    """A file in an archive: its name as it stands there, its size in bytes, and what reads it now, not later."""

    name: str
    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class _Part:
    """Where a member lies in an archive that isn't compressed, in bytes."""

    begin: int
    size: int


def read_member(archive: Path, member: str) -> bytes:
    """Return the content of a member of a tar (uncompressed or not) or zip archive.

    Where members lie in a zip or an uncompressed tar is remembered; other tars are read from their beginning.

    Raises:
        InputError: no such archive or member, or a damaged one.
    """
    with _faults_named(archive):
        state = archive.stat()
        key = (archive, state.st_mtime_ns, state.st_size, os.getpid())
        try:
            if zipfile.is_zipfile(archive):
                return _opened_zip(*key).read(member)
            part = _parts(*key).get(member)
            if part is not None:
                with archive.open("rb") as file:
                    file.seek(part.begin)
                    return file.read(part.size)
            with tarfile.open(archive) as tape:
                found = tape.extractfile(member)
                if found is None:
                    raise InputError(f"{archive}: {member!r} is not a file in it. Correct it in the task's list.")
                return found.read()
        except KeyError:
            raise InputError(f"{archive}: holds no {member!r}. Correct it in the task's list.") from None


def members(archive: Path) -> Iterator[Member]:
    """Go through the files of an archive, in its order; links, devices and folders aren't files.

    Raises:
        InputError: no such archive, or a damaged one.
    """
    with _faults_named(archive):
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as inside:
                for one in inside.infolist():
                    if not one.is_dir() and not stat.S_ISLNK(one.external_attr >> 16):
                        yield Member(one.filename, one.file_size, partial(_of_zip, archive, inside, one))
            return
        with tarfile.open(archive) as tape:
            for entry in tape:
                if entry.isfile():
                    yield Member(entry.name, entry.size, partial(_of_tar, archive, tape, entry))


def names_in(archive: Path) -> Collection[str]:
    """Return the names of the files of an archive; of a tar that isn't compressed they are remembered.

    Raises:
        InputError: no such archive, or a damaged one.
    """
    with _faults_named(archive):
        state = archive.stat()
        parts = _parts(archive, state.st_mtime_ns, state.st_size, os.getpid())
    return parts.keys() or [one.name for one in members(archive)]


def first_file(archive: Path, ending: str = "") -> str:
    """Return the name of the first file in a tar archive whose name ends in ``ending``; what follows isn't read.

    Returns:
        The name as it stands in the archive, ``""`` if there is none.

    Raises:
        InputError: no such archive, or a damaged one.
    """
    with _faults_named(archive), tarfile.open(archive) as tape:
        return next((one.name for one in tape if one.isfile() and one.name.endswith(ending)), "")


def _of_zip(archive: Path, inside: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with _faults_named(archive):
        return inside.read(entry)


def _of_tar(archive: Path, tape: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    with _faults_named(archive):
        found = tape.extractfile(entry)
        return b"" if found is None else found.read()


# An open zip must not be shared with a process that was forked: both would move in one file.
@lru_cache(maxsize=4)
def _opened_zip(archive: Path, modified_ns: int, size: int, process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


@lru_cache(maxsize=4)
def _parts(archive: Path, modified_ns: int, size: int, process: int) -> Mapping[str, _Part]:
    """Where the files of a tar lie, by name; nothing of one that is compressed."""
    try:
        with tarfile.open(archive, "r:") as tape:
            return {one.name: _Part(one.offset_data, one.size) for one in tape if one.isreg() and not one.issparse()}
    except tarfile.ReadError:
        return {}


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
