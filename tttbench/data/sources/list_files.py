"""Lists as files: which file of a folder is its list, and its rows. What columns mean is the readers' business."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.files import RealPaths, why_not_regular
from tttbench.data.parquet import SUFFIX
from tttbench.data.sources.delimited import header_of, read_csv, read_tsv
from tttbench.data.sources.json_lists import first_row, read_json_lines, read_json_list
from tttbench.data.sources.listing import Row, find_column
from tttbench.data.sources.parquet_lists import first_parts, read_parquet, split_in
from tttbench.data.sources.stray import files_below, is_run, is_stray, names_below

log = logging.getLogger("tttbench")

LIST_READERS: Mapping[str, Callable[[Path], list[Row]]] = {
    ".tsv": read_tsv,
    ".csv": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_list,
    SUFFIX: read_parquet,
}
"""By the ending of a list's name."""

_UNREAD_LISTS = (".arrow", ".manifest", ".jsonl.gz", ".tsv.gz", ".csv.gz", ".stm", ".ctm", ".yaml", ".yml")
"""How lists end that others write, and that aren't read."""


@dataclass(frozen=True)
class ListKind:
    """What lists of a kind of data are called, and how one is known.

    Attributes:
        of: what they list, e.g. ``"utterances"``.
        data: what their folder is called, e.g. ``"transcribed speech"``.
        needed: what a folder must hold, the end of a sentence.
        columns: a JSON document is a list if its first object has one of them.
    """

    of: str
    data: str
    needed: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """What a folder of data holds that isn't read: how many of each kind, and the audio files."""

    counts: Mapping[str, int] = field(default_factory=dict)
    audio: tuple[Path, ...] = ()


class ListBelowError(UserError):
    """A folder's list must be given itself.

    Attributes:
        folder: the one that was given.
        fault: what is the matter with it, a sentence.
        found: a list in it, or further down.
    """

    def __init__(self, folder: Path, fault: str, advice: str, found: Path) -> None:
        super().__init__(f"{folder}: {fault} {advice} {found}")
        self.folder, self.fault, self.found = folder, fault, found


def given_path(folder: Path, name: str, split: str = "") -> Path:
    """Return the list ``name`` of a folder, or the parquet table of ``split``; without either the folder.

    Raises:
        UserError: it isn't there.
    """
    if split and not folder.is_file():
        inside = folder / name if name else folder
        found = split_in([inside, inside / "data"], split)
        if found is None:
            raise UserError(
                f"{inside}: holds no parquet of the split {split!a:.60}. Give the folder with "
                f"{split}-00000-of-….parquet or {split}/0000.parquet."
            )
        return found
    if name and not os.path.lexists(folder / name):
        raise UserError(f"{folder}: the task's list {name!a:.300} isn't there. Correct the option 'list'.")
    return folder / name if name else folder


def is_list(path: Path, kind: ListKind) -> bool:
    """Whether a path is a list (True) or a folder of data (False).

    Raises:
        UserError: it is neither, or can't be read, or is a run directory.
    """
    if odd := why_not_regular(path):
        if odd != "a folder":
            raise UserError(f"{path}: is {odd}. Give a list of {kind.of}, or a folder.")
    elif _is_file(path):
        return True
    else:
        raise UserError(f"{path}: no such folder. Give the folder of {kind.data}.")
    if is_run({entry.name for entry in path.iterdir()}):
        raise UserError(f"{path}: is a run directory. Give the data that it was made from.")
    return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise UserError(f"{str(path)!a:.300}: cannot be read ({error.strerror}). Give a folder or a list.") from error


def read_list(path: Path, kind: ListKind, check: Callable[[Row], object]) -> list[Row]:
    """Read the rows of a list, by the ending of its name.

    Args:
        path: the list.
        kind: what it should list.
        check: raises ``UserError`` for a row without the columns that must be there; the header of a list without rows
            is checked likewise, by which a file that is no list at all is known.

    Raises:
        UserError: it can't be read, or isn't a list.
    """
    suffix = path.suffix.lower()
    if suffix not in LIST_READERS:
        raise UserError(
            f"{path}: is not a list of {kind.of}. Give a {', '.join(LIST_READERS)} file, or a folder that holds one."
        )
    rows = LIST_READERS[suffix](path)
    header = header_of(path) if not rows and suffix in (".tsv", ".csv") else None
    if header is not None:
        check(header)
    return rows


def only_list(folder: Path, kind: ListKind) -> Path:
    """Return the list of a folder; raises ``UserError`` if it holds none, or more than one."""
    lists = _lists_in(folder, kind)
    if len(lists) == 1:
        return lists[0]
    if lists:
        likely = next((one for one in lists if "test" in one.stem.lower()), lists[0])
        fault = f"holds several lists ({', '.join(one.name for one in lists)})."
        raise ListBelowError(folder, fault, "Give the one that counts, e.g.", likely)
    fault = f"holds no list of {kind.of}."
    if below := _further_down(folder, kind):
        fault = f"{fault} Needed is one of: {kind.needed}. There is one further down."
        raise ListBelowError(folder, fault, "Give", below)
    raise UserError(f"{folder}: {fault}{_unread(folder)} Needed is one of: {kind.needed}.")


def _further_down(folder: Path, kind: ListKind) -> Path | None:
    """The list that is least deep in a folder without one of its own; None if there is none."""
    below = files_below(folder, tuple(LIST_READERS)).files
    below = [one for one in below if one.suffix.lower() != ".json" or _is_json_list(one, kind)]
    return min(below, key=lambda path: (len(path.parts), path), default=None)


def _unread(folder: Path) -> str:
    """What a folder has in a form that isn't read, as a sentence; ``""`` if nothing."""
    unread = files_below(folder, _UNREAD_LISTS).files
    if not unread:
        return ""
    return f" {unread[0].name} is of a kind that isn't read here: write it as .jsonl, and its audio as files."


def _lists_in(folder: Path, kind: ListKind) -> list[Path]:
    """The lists of a folder; JSON documents, which may be anything, if they look like one and nothing else does."""
    present = sorted(one for one in folder.iterdir() if one.suffix.lower() in LIST_READERS and not is_stray(one.name))
    present = first_parts([one for one in present if not one.is_dir()])
    lists = [one for one in present if one.suffix.lower() != ".json"]
    return lists or [one for one in present if _is_json_list(one, kind)]


def _is_json_list(path: Path, kind: ListKind) -> bool:
    row = first_row(path)
    return row is not None and find_column(row, kind.columns) is not None


def left_out(folder: Path, listed: Iterable[AudioRef], without: str, more: Mapping[str, int] | None = None) -> LeftOut:
    """Count what is in a folder and isn't read.

    Args:
        folder: of the data.
        listed: the audio that is read.
        without: what other audio lacks, e.g. ``"a transcript"``.
        more: what else is left out, by kind.
    """
    real = RealPaths()
    found = names_below(folder, AUDIO_SUFFIXES)
    # Only links, and what is named and isn't among the files, need a look of their own.
    there = {real.beside_links(file) for file in found.files if file not in found.links}
    named: set[str] = set()
    for one in listed:
        path = real.beside_links(one.path)
        named.add(path if path in there else real.of(one.path))
    left = (file for file in found.files if real.beside_links(file) not in named)
    audio = tuple(Path(file) for file in left if file not in found.links or real.of(file) not in named)
    counts = Counter({f"audio files without {without}": len(audio), **(more or {})}) + found.skipped
    return LeftOut({what: n for what, n in counts.items() if n}, audio)


def tell_left_out(data: Path, found: LeftOut) -> dict[str, str]:
    """Return what is left out as the metadata of every sample, and log it as a warning; nothing if all is read."""
    if not found.counts:
        return {}
    said = "; ".join(f"{kind}: {count}" for kind, count in found.counts.items())
    names = [path.name for path in found.audio[:3]] + ["…"] * (len(found.audio) > 3)
    log.warning("%s: left out: %s%s", data, said, f" ({', '.join(names)})" if names else "")
    return {"left_out": said}
