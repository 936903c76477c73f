"""Data sets that are given as one archive: any source lists them, and their audio is read from it, never unpacked.

Sources look at folders. So for the time of the listing there is one: lists in it are those of the archive, and empty
files stand for its audio, which no source reads, and for tables and archives in it, which can't be read there. What the
source then names lies in the archive, under the same name.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef, Place, Sample, Turn
from tttbench.data.archives import ENDINGS, Member, members
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.parquet import SUFFIX
from tttbench.data.sources.list_files import ListBelowError
from tttbench.data.sources.stray import is_stray

log = logging.getLogger("tttbench")

_MOST_BYTES = 2 << 30
"""Of all lists of an archive: what is more was packed to fill a disk, or isn't lists."""


def is_archive(path: Path) -> bool:
    """Whether a path is that of an archive, by its name, and no folder."""
    return path.name.lower().endswith(ENDINGS) and not path.is_dir()


def list_packed(archive: Path, read: Callable[[Path], Sequence[Sample]]) -> Sequence[Sample]:
    """List the samples of a data set in an archive.

    Args:
        archive: tar or zip. If it holds one folder, beside what systems leave there, that is the data's.
        read: lists the samples of a folder.

    Raises:
        UserError: the archive is damaged or holds too much beside audio; what ``read`` has to say, with the archive in
            the place of the folder.
    """
    with tempfile.TemporaryDirectory(prefix="tttbench-") as folder:
        root = Path(folder).resolve()
        names, closed = _laid_out(archive, root)
        inside = [*root.iterdir()]
        top = inside[0] if len(inside) == 1 and inside[0].is_dir() else root
        with _names_of(archive, root, closed):
            return [_packed(sample, archive, root, names) for sample in read(top)]


def _laid_out(archive: Path, root: Path) -> tuple[dict[str, str], list[str]]:
    """Write the lists of an archive to a folder, and empty files for everything else.

    Returns:
        Names of members as they stand in the archive, by their paths as seen from the folder; and the paths of tables
        and archives in it, which can't be opened there.
    """
    names: dict[str, str] = {}
    closed: list[str] = []
    left = _MOST_BYTES
    for member in members(archive):
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or "\0" in member.name or not path.parts:
            log.warning("%s: %.200r is left out, as its name leads elsewhere", archive, member.name)
            continue
        names[str(path)] = member.name
        if is_stray(path.parts[0]):
            continue
        is_closed = path.name.lower().endswith((*ENDINGS, SUFFIX))
        if is_closed:
            closed.append(str(path))
        is_list = not is_closed and not path.name.lower().endswith(tuple(AUDIO_SUFFIXES))
        left -= member.size if is_list else 0
        if left < 0:
            raise UserError(f"{archive}: holds more than {_MOST_BYTES >> 30} GB beside audio. Unpack it.")
        _write(root / path, member, archive, is_list=is_list)
    return names, closed


def _write(path: Path, member: Member, archive: Path, *, is_list: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.read() if is_list else b"")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{archive}: {member.name!a:.200} can't be laid out ({why}). Unpack it.") from error


def _packed(sample: Sample, archive: Path, root: Path, names: dict[str, str]) -> Sample:
    def turn(one: Turn) -> Turn:
        return one if one.audio is None else replace(one, audio=_moved(one.audio, archive, root, names))

    answer = None if sample.answer is None else turn(sample.answer)
    return replace(sample, turns=tuple(map(turn, sample.turns)), answer=answer)


def _moved(audio: AudioRef, archive: Path, root: Path, names: dict[str, str]) -> AudioRef:
    path = Path(os.path.normpath(audio.path))  # a list below may name ../wav/a.wav
    if audio.member or not path.is_relative_to(root):
        raise UserError(f"{archive}: names audio that isn't a file in it ({audio}). Unpack it.")
    inside = path.relative_to(root).as_posix()
    listed = None if audio.listed is None else _place(audio.listed, archive, root)
    return replace(audio, path=archive, member=names.get(inside, inside), listed=listed)


def _place(place: Place, archive: Path, root: Path) -> Place:
    return replace(place, file=archive / place.file.relative_to(root)) if place.file.is_relative_to(root) else place


@contextmanager
def _names_of(archive: Path, root: Path, closed: Sequence[str]) -> Iterator[None]:
    """Let messages and warnings name the archive where they name the folder.

    Args:
        archive: of the data.
        root: the folder in its place.
        closed: members that stand empty there. A message that begins with one of them is about opening it.
    """

    def renamed(record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().replace(str(root), str(archive)), ()
        return True

    log.addFilter(renamed)
    try:
        yield
    except ListBelowError as error:
        inside = error.found.relative_to(error.folder).as_posix()
        raise UserError(
            f"{str(error.folder).replace(str(root), str(archive))}: {error.fault} Unpack the archive and give "
            f"{inside}, or name it in a task's options: list = {json.dumps(inside, ensure_ascii=False)}."
        ) from error
    except UserError as error:
        opened = next((one for one in closed if str(error).startswith(f"{root / one}: ")), None)
        if opened is not None:
            raise UserError(f"{archive}: holds {opened}, which can't be read inside an archive. Unpack it.") from error
        raise type(error)(str(error).replace(str(root), str(archive))) from error
    finally:
        log.removeFilter(renamed)
