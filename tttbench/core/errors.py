"""Errors whose message is meant for the user: what is wrong, where, and how to fix it.

Everything else that is raised is a defect of ours; the command line shows its traceback with ``--debug`` only.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

from tttbench.core.secrets import masked


class UserError(Exception):
    """Something the user can fix. The message names the file, the field and the fix; no traceback is shown.

    ``exit_status`` is the status the command ends with if the error ends it: 2 for a wrong call.
    """

    exit_status: int = 2

    def __str__(self) -> str:
        """The message, without what may be a key, a token or a password in it."""
        return masked(super().__str__())


class AbsentError(UserError):
    """Something that isn't on this machine and can be got: a package, weights, data. Nothing is wrong with the call.

    ``what`` is the sentence that names it, ``get`` the one that says how to get it; both are the message.
    """

    def __init__(self, what: str, get: str = "") -> None:
        super().__init__(f"{what} {get}".rstrip())
        self.what = what
        self.get = get


class InputError(UserError):
    """One sample or audio file is bad. The request it belongs to ends as ``error``; the run goes on."""


class StorageError(UserError):
    """The run directory could not be written (disk full, no permission …). The run stops and can be resumed."""

    exit_status = 1


class UnwritableError(StorageError):
    """It can't be written, and not for lack of space: a folder is read-only, or no folder."""

    exit_status = 2


_OF_THE_PATH = frozenset(
    {errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP, errno.EROFS, errno.ENOTDIR, errno.ESTALE}
)


def unusable_path(error: OSError) -> str:
    """Return what to say where a path that was given can't be used, whatever for; ``""`` for other errors."""
    if error.filename is None or error.errno not in _OF_THE_PATH:
        return ""
    name = str(error.filename)
    name = name if len(name) <= 300 else f"{name[:150]}…{name[-150:]}"
    return f"{name}: cannot be used ({error.strerror}). Check the path and its permissions."


def kind_and_message(error: BaseException) -> str:
    """Return ``ValueError: bad score``, or the kind alone where there is no message."""
    try:
        message = str(error)
    except Exception:  # a plug-in's own errors may do anything
        message = "(its message can't be read)"
    return f"{type(error).__name__}: {message}".rstrip(": ")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the sentence that helps after a mistyped name: the nearest known names, or all of them.

    Args:
        name: what the user gave.
        known: what would have been right.
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(name[:99], names, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(n) for n in near)}?"
    if not names:
        return "None are known here."
    return f"Known: {', '.join(names)}."
