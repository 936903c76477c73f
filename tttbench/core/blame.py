"""Whose fault it is: what a plug-in raises is told with the plug-in's name, place and kind of error, never as ours."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from tttbench.core.errors import UserError, kind_and_message
from tttbench.core.extras import explained

FIX = "Fix it, or leave it out."


@contextmanager
def blamed(who: str) -> Iterator[None]:
    """Run a plug-in's code: what it raises, ``sys.exit()`` too, becomes a ``UserError`` that begins with ``who``.

    A ``UserError`` is the plug-in's own message and stays as it is; an interrupt is the user's. Not to be held across a
    ``yield``, as a generator that is closed would count as a plug-in that raises.
    """
    try:
        yield
    except (UserError, KeyboardInterrupt):
        raise
    except BaseException as error:
        missing = explained(error) if isinstance(error, ImportError) else None
        if missing is not None:
            raise UserError(missing) from error
        raise UserError(f"{who} raised {kind_and_place(error)}. {FIX}") from error


@contextmanager
def named(where: str, fix: str = "") -> Iterator[None]:
    """Say of what a fault is: a ``UserError`` gets ``where`` before its message, and ``fix`` behind it."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}" + (f" {fix}" if fix else "")) from error


def kind_and_place(error: BaseException) -> str:
    """Return ``ValueError: bad score (file.py, line 7)``: the innermost place in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return kind_and_message(error) + place
