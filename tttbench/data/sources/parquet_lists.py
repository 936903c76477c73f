"""Lists in parquet: the files of a split, as hubs number them, and their rows. Knows no columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import Place
from tttbench.data.parquet import SUFFIX, read_rows
from tttbench.data.sources.listing import Row
from tttbench.data.sources.stray import is_stray

_NUMBERED = re.compile(
    r"(?:(?P<split>.+)-(?P<number>\d{4,6})-of-(?P<count>\d{4,6})|(?P<alone>\d{4,6}))\.parquet", re.IGNORECASE
)
"""``test-00000-of-00002.parquet``, and ``0000.parquet`` in a folder that has the split's name."""


@dataclass(frozen=True)
class _Part:
    """A file of a split: what comes before its number, the number, and how many there are (0 if it doesn't say)."""

    path: Path
    split: str
    number: int
    count: int


def read_parquet(path: Path) -> list[Row]:
    """Read a table, or where its name says that it is one of several, all of the split in their order.

    Raises:
        UserError: one of them is missing, damaged or no parquet.
    """
    rows: list[Row] = []
    for file in parts_of(path):
        for number, row in enumerate(read_rows(file), 1):
            # Audio without a name has that of its row, counted through all files.
            unnamed = {name: str(len(rows) + 1) for name in row.embedded if row.fields[name] == ""}
            rows.append(Row(Place(file, number, "row"), {**row.fields, **unnamed}, row.embedded))
    return rows


def parts_of(path: Path) -> Sequence[Path]:
    """Return the files of the split that a file belongs to, in their order: itself, unless its name has a number.

    Raises:
        UserError: one is missing.
    """
    own = _part(path)
    if own is None or not path.parent.is_dir():
        return [path]
    beside = [_part(one) for one in path.parent.iterdir() if not is_stray(one.name)]
    parts = {one.number: one.path for one in beside if one and (one.split, one.count) == (own.split, own.count)}
    if not own.count and 0 not in parts:
        return [path]  # a name that is a number and means something else
    count = own.count or max(parts) + 1
    missing = [number for number in range(count) if number not in parts] if count <= 100_000 else [0]
    if missing:
        raise UserError(
            f"{path.parent}: {len(missing)} of the {count} files of {own.split or path.parent.name!r} are missing, "
            f"the first is number {missing[0]}. Download them again."
        )
    return [parts[number] for number in range(count)]


def first_parts(paths: Sequence[Path]) -> list[Path]:
    """Return ``paths`` with one file, the first there is, in place of the files of each split."""
    found: dict[tuple[str, int] | Path, Path] = {}
    for path in sorted(paths):
        part = _part(path) if path.suffix.lower() == SUFFIX else None
        found.setdefault(path if part is None else (part.split, part.count), path)
    return list(found.values())


def split_in(folders: Sequence[Path], split: str) -> Path | None:
    """Return the first file of a split in the first folder that holds one; None if none does.

    ``SPLIT.parquet``, ``SPLIT-00000-of-00001.parquet`` or ``SPLIT/0000.parquet``, as hubs call them; where no folder
    has such a one, with a name before it (``fleurs-test-00000-of-00001.parquet``).

    Raises:
        UserError: several names end in the split's, and none is its own.
    """
    for folder in folders:
        own = [path for path in first_parts(_files(folder)) if _split_of(path) == split]
        own += [one for one in _files(folder / split) if (part := _part(one)) is not None and not part.split][:1]
        if own:
            return own[0]
    for folder in folders:
        ending = [path for path in first_parts(_files(folder)) if _split_of(path).endswith(f"-{split}")]
        if len(ending) > 1:
            raise UserError(
                f"{folder}: several tables are called so that they may be the split {split!a:.60} "
                f"({', '.join(path.name for path in ending)}). Move the one that counts to a folder of its own, "
                f"or give its whole name as the option 'split', e.g. {_split_of(ending[0])}."
            )
        if ending:
            return ending[0]
    return None


def splits_in(folder: Path) -> dict[str, Path]:
    """Return the first file of each split of a folder, by the split's name, in the order of the names."""
    found = {}
    for path in first_parts(_files(folder)):
        found[_split_of(path)] = path
    inner = sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
    for one in inner:
        numbered = [path for path in _files(one) if (part := _part(path)) is not None and not part.split]
        if numbered:
            found.setdefault(one.name, min(numbered))
    return dict(sorted(found.items()))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.suffix.lower() == SUFFIX and not is_stray(one.name))
    except OSError:
        return []


def _split_of(path: Path) -> str:
    """The name of a file without its number; ``""`` if it is a number."""
    part = _part(path)
    return path.stem if part is None else part.split


def _part(path: Path) -> _Part | None:
    found = _NUMBERED.fullmatch(path.name)
    if found is None:
        return None
    return _Part(path, found["split"] or "", int(found["number"] or found["alone"]), int(found["count"] or 0))
