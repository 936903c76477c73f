"""What lies in a folder of data and isn't data: hidden files, what systems leave there, and our own runs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.files import why_not_regular

_RUN_FILES = frozenset({"manifest.json", "journal.sqlite"})
"""What marks a run directory, whose recordings are copies."""

_LEFT_BY_SYSTEMS = frozenset({"__macosx", "$recycle.bin", "system volume information", "lost+found"})


@dataclass
class Found:
    """The files of a folder with the endings that were asked for, and how many of each kind were passed over."""

    files: list[Path] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def is_stray(name: str) -> bool:
    """Whether a file or folder is obviously no data by its name: hidden, or left by a system or an office program."""
    return name.startswith((".", "~$")) or name.lower() in _LEFT_BY_SYSTEMS


def is_run(names: set[str]) -> bool:
    """Whether a folder that holds these is a run directory."""
    return names >= _RUN_FILES


def files_below(folder: Path, endings: Collection[str]) -> Found:
    """Find the files of a folder, at any depth and in the order of their paths, whose names end in one of ``endings``.

    Links to folders aren't followed. Hidden files are counted only if they have such an ending, too.

    Raises:
        UserError: one of the files is a pipe, a device, a link that leads nowhere …
    """
    found = names_below(folder, endings)
    return Found([*map(Path, found.files)], found.skipped)


@dataclass
class FoundNames:
    """As ``Found``, by paths as texts; ``links`` are those of the files that are links."""

    files: list[str] = field(default_factory=list)
    links: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)


def names_below(folder: Path, endings: Collection[str]) -> FoundNames:
    """Find files as ``files_below`` does, without a look at each: a folder may hold a hundred thousand."""
    found, suffixes = FoundNames(), tuple(endings)
    left = [os.fspath(folder)]
    while left:
        inside, names = _entries(left.pop())
        if is_run({entry.name for entry in names}):
            found.skipped["run folders"] += 1
            continue
        found.skipped["hidden folders"] += sum(is_stray(entry.name) for entry in inside)
        left += [entry.path for entry in inside if not is_stray(entry.name) and not entry.is_symlink()]
        for entry in names:
            if not entry.name.lower().endswith(suffixes):
                continue
            if is_stray(entry.name):
                found.skipped["hidden files"] += 1
                continue
            if not entry.is_file(follow_symlinks=False):
                if kind := why_not_regular(Path(entry.path)):
                    raise UserError(f"{entry.path} is {kind}. Remove it from the folder, or put a regular file there.")
                found.links.add(entry.path)
            found.files.append(entry.path)
    found.files.sort(key=lambda path: path.split("/"))
    return found


def _entries(folder: str) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """The folders of a folder, links to some too, and everything else in it; nothing of one that can't be read."""
    inside: list[os.DirEntry[str]] = []
    names: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (inside if _is_folder(entry) else names).append(entry)
    except OSError:
        pass
    return inside, names


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
