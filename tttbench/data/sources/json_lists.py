"""Lists in JSON: an object a line, as in NeMo's manifests whatever their ending, or a list of them as one document."""

from __future__ import annotations

import json
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import Place
from tttbench.data.documents import parse_json, read_text, refuse_irregular
from tttbench.data.sources.listing import Row, read_lines

_BEGINNING = 1 << 20
"""Bytes of a file that are looked at first to find out whether it is a list; more if its first object is longer."""

_LONGEST_TOKEN = 16
"""Characters of what a cut may leave half: ``-Infinity``, an escape. A fault that is further from the end is one."""


def read_json_lines(path: Path) -> list[Row]:
    """Read a file with one JSON object a line; raises ``UserError`` for a line that is something else."""
    rows = []
    for number, line in read_lines(path):
        fields = parse_json(line, f"{path}, line {number}").values
        if not isinstance(fields, dict):
            raise UserError(f"{path}, line {number}: is not a JSON object. Write {{...}} on every line.")
        rows.append(Row(Place(path, number), fields))
    return rows


def read_json_list(path: Path) -> list[Row]:
    """Read a ``.json`` file: a list of objects, or one object a line.

    Raises:
        UserError: it is something else.
    """
    if not read_text(path).lstrip().startswith("["):
        return read_json_lines(path)
    entries = parse_json(read_text(path), str(path)).values
    assert isinstance(entries, list)  # what begins with a bracket
    rows = []
    for number, fields in enumerate(entries, 1):
        if not isinstance(fields, dict):
            raise UserError(f"{path}, entry {number}: is not a JSON object. Write a list of {{...}}.")
        rows.append(Row(Place(path, number, "entry"), fields))
    return rows


def first_row(path: Path) -> Row | None:
    """The first object of a ``.json`` file that may be a list, whatever follows; None if none begins there."""
    n_bytes = _BEGINNING
    while True:
        try:
            refuse_irregular(path)
            with path.open("rb") as file:
                content = file.read(n_bytes)
                is_whole = not file.read(1)
        except (OSError, UserError):
            return None
        row, is_cut = _first_of(path, content.decode("utf-8-sig", errors="replace").lstrip())
        if row is not None or is_whole or not is_cut:
            return row
        n_bytes *= 4


def _first_of(path: Path, begin: str) -> tuple[Row | None, bool]:
    """The first object of a file that begins so; and if none is whole there, whether more of the file may end it."""
    is_document = begin.startswith("[")
    inside = begin[1:].lstrip() if is_document else begin
    is_open = not inside or inside.startswith("{")
    try:
        if is_document:
            fields, _ = json.JSONDecoder().raw_decode(inside)
        else:
            inside, ended, _ = inside.partition("\n")
            is_open = is_open and not ended
            fields = json.loads(inside)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(inside) - _LONGEST_TOKEN or error.msg.startswith("Unterminated string")
        return None, is_open and at_end
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(fields, dict):
        return None, False
    return Row(Place(path, 1, "entry" if is_document else "line"), fields), False
