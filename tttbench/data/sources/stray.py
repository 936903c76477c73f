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
    found = Found()
    for at, folders, names in os.walk(folder):
        if is_run({*names}):
            found.skipped["run folders"] += 1
            folders.clear()
            continue
        found.skipped["hidden folders"] += sum(map(is_stray, folders))
        folders[:] = sorted(name for name in folders if not is_stray(name))
        for name in names:
            if not name.lower().endswith(tuple(endings)):
                continue
            if is_stray(name):
                found.skipped["hidden files"] += 1
                continue
            path = Path(at, name)
            if kind := why_not_regular(path):
                raise UserError(f"{path} is {kind}. Remove it from the folder, or put a regular file there.")
            found.files.append(path)
    found.files.sort()
    return found
