"""Paths as NeMo's configs have them: ranges in braces or in NeMo's signs for them, ``*``, and the numbers of shards."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.sources.stray import is_stray

_MOST_FILES = 100_000

_OPEN, _CLOSE = re.compile(r"_OP_|[(\[<]"), re.compile(r"_CL_|[)\]>]")
_CLASS = re.compile(r"\[(?![^\[\]]*(?:\.\.|,))([^\[\]]*)\]")
"""A class of characters beside ``*``, ``[0-9]``: brackets that hold neither a range nor a comma."""

_HELD, _GIVEN = str.maketrans("[]", "\1\2"), str.maketrans("\1\2", "[]")
"""What stands for the brackets of classes while those of ranges are looked for."""

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_ARCHIVE, _MANIFEST = re.compile(r"audio.*_(\d+).*\.tar"), re.compile(r"manifest.*_(\d+).*\.json")


def number_of_archive(path: Path) -> int | None:
    """Return the number of a shard's archive: behind the last ``_`` before a digit of ``audio….tar``, as NeMo takes it.

    So ``audio_7.tar`` is 7, and ``audio_7_16k.tar`` is 16; None where NeMo finds none, and refuses the archive:
    ``shard-000001.tar``, ``audio-7.tar`` (NVIDIA/NeMo, nemo/collections/common/data/lhotse/nemo_adapters.py).
    """
    return _number(path, _ARCHIVE)


def number_of_manifest(path: Path) -> int | None:
    """Return the number of a shard's manifest likewise: 7 of ``manifest_7.json``; of all shards' manifest none."""
    return _number(path, _MANIFEST)


def _number(path: Path, called: re.Pattern[str]) -> int | None:
    found = called.search(path.name)
    return int(found[1]) if found else None


def expanded(pattern: str) -> list[str]:
    """Return the paths that a pattern of NeMo means: ``a_{0..2}.tar``, ``a__OP_0..2_CL_.tar``, ``{a,b}.tar``.

    ``*`` stays as it is, and beside it classes of characters: ``[0-9]*``.

    Raises:
        UserError: a range that is none, or is too long.
    """
    held = _CLASS.sub(lambda found: found[0].translate(_HELD), pattern) if "*" in pattern else pattern
    plain = _CLOSE.sub("}", _OPEN.sub("{", held)).translate(_GIVEN)
    parts: list[Sequence[str]] = []
    for at, part in enumerate(_BRACES.split(plain)):
        parts.append([part] if at % 2 == 0 else _choices(part, pattern))
    if math.prod(map(len, parts)) > _MOST_FILES:
        raise UserError(f"{pattern!a:.200}: its ranges mean more than {_MOST_FILES:,} files. Shorten them.")
    return ["".join(one) for one in itertools.product(*parts)]


def _choices(inside: str, pattern: str) -> Sequence[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        if "," not in inside:
            raise UserError(f"{pattern!a:.200}: {inside!a:.60} is no range. Write it as 0..9, or a,b.")
        return inside.split(",")
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + _MOST_FILES:
        raise UserError(f"{pattern!a:.200}: the range {inside} must ascend, over {_MOST_FILES:,} files at most.")
    width = len(found[1]) if found[1].startswith("0") and len(found[1]) > 1 else 0
    return [f"{one:0{width}d}" for one in range(first, last + 1)]


def files_named(folder: Path, pattern: str, option: str) -> list[Path]:
    """Return the files that a pattern means, in its order: those of each range, and of each ``*`` by their names.

    Args:
        folder: what relative paths count from.
        pattern: as ``expanded`` takes it; ``*`` stands for any part of a name, ``**`` for folders.
        option: the name of the pattern in messages.

    Raises:
        UserError: a command, a pattern that is none, a file that isn't there, a ``*`` that no file fits.
    """
    if pattern.lstrip().startswith("pipe:"):
        raise UserError(f"{option}: {pattern!a:.80} is a command, which isn't run. Give files.")
    found: list[Path] = []
    for one in expanded(pattern):
        found += _fitting(folder, Path(one), option) if "*" in one else [_there(folder / one, pattern, option)]
    return list(dict.fromkeys(found))


def _there(path: Path, pattern: str, option: str) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: no such file; {option} = {pattern!a:.200} names it. Copy it, or correct the range.")
    return path


def _fitting(folder: Path, pattern: Path, option: str) -> list[Path]:
    """The files that fit a path with ``*``, as seen from a folder unless it is absolute, folder by folder."""
    first = next(at for at, part in enumerate(pattern.parts) if "*" in part)
    root, rest = folder.joinpath(*pattern.parts[:first]), "/".join(pattern.parts[first:])
    try:
        found = [one for one in root.glob(rest) if not is_stray(one.name)]
    except ValueError as error:
        raise UserError(f"{option}: {str(pattern)!a:.200} is no pattern ({error}). Correct it.") from error
    if not found:
        raise UserError(f"{root}: holds no {rest}. Give the folder that NeMo's converter wrote, or {option}.")
    return sorted(found, key=lambda one: (one.parent, len(one.name), one.name))
