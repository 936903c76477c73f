"""What readers of published data sets share: where a set begins in the folder that is given, and lines ``id text``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.sample import Place
from tttbench.data.sources.listing import Row


def root_of(folder: Path, below: Sequence[str], marker: str, give: str) -> Path:
    """Return the first of ``folder`` and the folders ``below`` it that holds ``marker``.

    Args:
        folder: as given by the user.
        below: paths as seen from it, e.g. the name that the published archive unpacks to.
        marker: what the folder must hold, a path as seen from it.
        give: what to give in its place, the end of the message.

    Raises:
        UserError: none does.
    """
    if not folder.is_dir():
        raise UserError(f"{str(folder)!a:.300}: no such folder. {give}")
    # A pipe or a broken link counts: whoever reads it refuses it.
    found = next(
        (root for root in (folder, *(folder / name for name in below)) if os.path.lexists(root / marker)), None
    )
    if found is None:
        raise UserError(f"{folder}: holds no {marker}. {give}")
    return found


def inner_of(folder: Path, below: Sequence[str], own: str, marker: str, give: str) -> Path:
    """Return the folder ``own`` of a data set, which may be the given one if it has its name.

    Args:
        folder, below, give: as ``root_of``.
        own: the folder, as seen from the data set's root, e.g. ``"iOS/test"``.
        marker: what it must hold.

    Raises:
        UserError: there is none.
    """
    names = Path(own).parts
    if folder.resolve().parts[-len(names) :] == names and os.path.lexists(folder / marker):
        return folder
    return root_of(folder, below, f"{own}/{marker}", give) / own


def check_option(source: str, option: str, value: str, allowed: Sequence[str]) -> None:
    """Raise ``UserError`` if the value of a source's option is none of those that are allowed."""
    if value not in allowed:
        raise UserError(
            f"option {option!r} of {source}: must be one of {', '.join(allowed)}, not {value!r:.60}. "
            f"{did_you_mean(value, allowed)}"
        )


def id_and_text(place: Place, line: str, separator: str | None = None, field: str = "text") -> Row:
    """Return a line ``id text`` as a row with the fields ``id`` and ``field``, neither of them empty.

    Args:
        place: of the line.
        line: of any transcript.
        separator: what ends the id; None for blanks and tabs.
        field: what follows the id.

    Raises:
        UserError: nothing follows the id.
    """
    found, *rest = line.strip().split(separator, 1)
    if not rest or not rest[0].strip():
        raise UserError(f"{place}: field {field!r}: nothing follows the id {found!r:.80}. Write: id {field.upper()}")
    return Row(place, {"id": found.strip(), field: rest[0]})
