"""Files that a list names: is each a regular one, and does it lie in the data's folder? Nothing is opened.

A named pipe would be waited for forever, and a run that is passed on holds a copy of every recording: it shouldn't
hold those that a list fetched from elsewhere on the machine.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class RealPaths:
    """Paths without symbolic links and ``..``; each folder is looked up once, as lists name thousands of files."""

    def __init__(self) -> None:
        """Begin with no folders."""
        self._folders: dict[str, str] = {}

    def of(self, path: Path | str) -> str:
        """Return the real path of a file, which needn't be there."""
        real = self.beside_links(path)
        return os.path.realpath(real) if os.path.islink(real) else real

    def beside_links(self, path: Path | str) -> str:
        """Return what ``of`` does for a file that is no link itself; nothing of the file is looked up."""
        whole = os.fspath(path)
        folder, slash, name = whole.rpartition("/")
        if name in ("", ".", ".."):
            return os.path.realpath(whole)
        return f"{self._real_folder(folder or slash)}{name}"

    def is_inside(self, path: Path, folder: Path) -> bool:
        """Whether a file lies in a folder or below it."""
        return self.begins(self.of(path), folder)

    def begins(self, real: str, folder: Path) -> bool:
        """Whether a real path lies in a folder or below it."""
        return real.startswith(self._real_folder(os.fspath(folder)))

    def _real_folder(self, folder: str) -> str:
        """The real path of a folder, with a slash at its end."""
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = os.path.join(os.path.realpath(folder), "")
        return found


def is_file_itself(path: Path) -> bool:
    """Whether a path is a regular file and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def why_not_regular(path: Path) -> str:
    """Return what a path is that isn't a regular file, as the end of a sentence; ``""`` if it is one, or isn't there.

    A link that leads nowhere is there.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        if not os.path.islink(path):
            return ""
        lost = isinstance(error, FileNotFoundError)
        return "a link to a file that isn't there" if lost else f"a link that can't be followed ({_why(error)})"
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "")


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
