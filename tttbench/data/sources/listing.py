"""Rows and fields of list files, with errors that name file, row, field and fix.

Knows no data set: which fields are asked for, and what they mean, is the readers' business. How rows stand in files of
each kind is that of ``delimited`` and ``json_lists``.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.json_values import JsonObject
from tttbench.core.sample import AudioRef, Place
from tttbench.core.tables import Document, odd_character, odd_in_line, read_table
from tttbench.data.documents import read_text
from tttbench.data.parquet import member_of

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list: where it stands, and its fields by column (for JSON by key).

    ``embedded`` names columns of a table whose audio lies in the table itself; their fields hold what it is called.
    """

    place: Place
    fields: JsonObject
    embedded: frozenset[str] = frozenset()

    def at(self, column: str) -> Place:
        """Return where a field stands."""
        return replace(self.place, fields=column)

    def text(self, column: str) -> str:
        """Return a field that must be there and be a string (it may be empty), without blanks around it."""
        value = self.fields.get(column)
        if isinstance(value, str) and type(value) is str and not odd_character(value):
            return value.strip()
        return read_table(str, self.cell(column)).strip()

    def text_or_whole(self, column: str) -> str:
        """Return a field as ``text`` does, and a whole number of JSON as its digits."""
        value = self.cell(column).values
        return str(value) if type(value) is int else self.text(column)

    def filled(self, column: str) -> str:
        """Return a field that must be there and hold something."""
        value = self.text(column)
        if not value:
            raise self.cell(column).error("", "is empty. Fill it or delete the line.")
        return value

    def audio(self, column: str, folder: Path | None = None) -> AudioRef:
        """Return a field that must be there and be the path of audio, as seen from ``folder`` (None: the list's)."""
        path = self.filled(column)
        if column in self.embedded:
            member = member_of(column, self.place.number - 1)
            return AudioRef(self.place.file, member, listed=self.at(column))
        return AudioRef((folder or self.place.file.parent) / path, listed=self.at(column))

    def optional(self, column: str) -> str:
        """Return a field, or ``""`` where it is missing or null."""
        return self.text(column) if self.fields.get(column) is not None else ""

    def number(self, column: str) -> float | None:
        """Return a field as a finite number of 0 or more; None where it is missing, null or empty."""
        value = self.fields.get(column)
        if type(value) is float or (type(value) is str and len(value) < 20 and _NUMBER.fullmatch(value)):
            plain = float(value)
            if 0 <= plain < math.inf:
                return plain
        cell = self.cell(column) if column in self.fields else None
        if cell is None or cell.values is None:
            return None
        if isinstance(cell.values, str):
            text = self.text(column)
            if not text:
                return None
            # A text that is none is refused as what it is.
            cell = replace(cell, values=float(text) if _NUMBER.fullmatch(text) else text)
        found = read_table(float, cell)
        if found < 0:
            raise cell.error("", f"must be a number of 0 or more, not {found:g}.")
        return found

    def cell(self, column: str) -> Document:
        """Return a field that must be there, whatever it holds, to be read as more than text."""
        if column not in self.fields:
            raise UserError(
                f"{self.place}: has no field {column!r:.60}. {did_you_mean(column, shortened(self.fields))}"
            )
        return Document(self.fields[column], str(self.place), "JSON", f"field {column!r}")


class UniqueIds:
    """Remembers where each id stood first."""

    def __init__(self) -> None:
        """Begin with no ids."""
        self._places: dict[str, Place] = {}

    def add(self, found: str, place: Place) -> None:
        """Note an id, at the field that it is taken from.

        Raises:
            UserError: it is none, or stood somewhere before; the message names both rows.
        """
        if fault := id_fault(found):
            raise UserError(f"{place}: the id {found!a:.80} {fault}")
        first = self._places.get(found)
        if first is None:
            self._places[found] = place
        else:
            where = str(first)
            if first.file == place.file:
                where = f"{first.unit} {first.number}" + (f" ({first.fields})" if first.fields else "")
            raise UserError(
                f"{place}: the id {found!r:.80} already stands in {where}. Give each its own id, or delete one of them."
            )


def shortened(names: Iterable[str]) -> list[str]:
    """The first names, as long as a message can bear."""
    return [name[:60] for name in itertools.islice(names, 20)]


def id_fault(found: str) -> str:
    """Return why a text can't be the id of a sample, as the end of a sentence; ``""`` if it can."""
    if not found.strip():
        return "is empty; give it one."
    odd = odd_in_line(found)
    return f"must not hold the character {odd.group()!a}; take it out." if odd else ""


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a UTF-8 file that aren't blank, without line ends of any system.

    Raises:
        UserError: the file is missing, unreadable or not UTF-8.
    """
    text = read_text(path).replace("\r\n", "\n")
    lines = text.split("\n" if "\n" in text else "\r")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def refuse_doubled(columns: Sequence[str], place: Place) -> None:
    """Raise ``UserError`` if two columns have one name, in whatever case; nameless ones are nobody's."""
    for name, count in Counter(column.strip().lower() for column in columns).items():
        if name and count > 1:
            raise UserError(f"{place}: the column {name!r:.60} stands {count} times. Name or remove all but one.")


def pick_column(row: Row, accepted: Sequence[str], what: str) -> str:
    """Return the column of ``row`` that is called one of ``accepted`` (in any case), the first that fits.

    Raises:
        UserError: there is none; the message names ``what`` is missing and the columns that are there.
    """
    found = find_column(row, accepted)
    if found is None:
        there = ", ".join(map(repr, shortened(row.fields))) or "none"
        raise UserError(
            f"{row.place}: no column for {what}; found {there}. Call it one of: {', '.join(shortened(accepted))}."
        )
    return found


def find_column(row: Row, accepted: Collection[str]) -> str | None:
    """Return the column of ``row`` that is called one of ``accepted``, as ``pick_column``; None if there is none."""
    return _column_called(tuple(row.fields), tuple(accepted))


# Rows of a list have the same columns, most often.
@lru_cache(maxsize=1024)
def _column_called(columns: tuple[str, ...], accepted: tuple[str, ...]) -> str | None:
    by_lower = {column.strip().lower(): column for column in columns}
    return next((by_lower[name] for name in accepted if name in by_lower), None)
