"""Lines and fields of list files (text, TSV, JSON lines), with errors that name file, line, field and fix.

Knows no data set: which columns are asked for, and what they mean, is the readers' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.json_values import JsonObject
from tttbench.core.tables import Document, read_table
from tttbench.data.documents import parse_json, read_text


@dataclass(frozen=True)
class Row:
    """One line of a list: its number from 1, and its fields by column (for JSON lines by key)."""

    file: Path
    line: int
    fields: JsonObject

    def text(self, column: str) -> str:
        """Return a field that must be there and be a string (it may be empty), without blanks around it."""
        return read_table(str, self.cell(column)).strip()

    def filled(self, column: str) -> str:
        """Return a field that must be there and hold something."""
        value = self.text(column)
        if not value:
            raise self.cell(column).error("", "is empty. Fill it or delete the line.")
        return value

    def path(self, column: str) -> Path:
        """Return a field that must be there and be a path, as seen from the list's folder."""
        return self.file.parent / read_table(Path, replace(self.cell(column), values=self.filled(column)))

    def optional(self, column: str) -> str:
        """Return a field, or ``""`` where it is missing or null."""
        return self.text(column) if self.fields.get(column) is not None else ""

    def cell(self, column: str) -> Document:
        """Return a field that must be there, whatever it holds, to be read as more than text."""
        where = f"{self.file}, line {self.line}"
        if column not in self.fields:
            raise UserError(f"{where}: has no field {column!r}. {did_you_mean(column, self.fields)}")
        return Document(self.fields[column], where, "JSON", f"field {column!r}")


class UniqueIds:
    """Remembers where each id stood first."""

    def __init__(self) -> None:
        """Begin with no ids."""
        self._places: dict[str, tuple[Path, int]] = {}

    def add(self, found: str, file: Path, line: int) -> None:
        """Note an id; raises ``UserError`` naming both lines if it stood somewhere before."""
        first_file, first_line = self._places.setdefault(found, (file, line))
        if (first_file, first_line) != (file, line):
            where = f"line {first_line}" if first_file == file else f"{first_file}, line {first_line}"
            raise UserError(
                f"{file}, line {line}: the id {found!r} already stands in {where}. "
                "Give each line its own id, or delete one of them."
            )


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a UTF-8 file that aren't blank, without line ends.

    Raises:
        UserError: the file is missing, unreadable or not UTF-8.
    """
    text = read_text(path)
    lines = text.replace("\r\n", "\n").split("\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def read_json_lines(path: Path) -> list[Row]:
    """Read a file with one JSON object a line; raises ``UserError`` for a line that is something else."""
    rows = []
    for number, line in read_lines(path):
        fields = parse_json(line, f"{path}, line {number}").values
        if not isinstance(fields, dict):
            raise UserError(f"{path}, line {number}: is not a JSON object. Write {{...}} on every line.")
        rows.append(Row(path, number, fields))
    return rows


def split_fields(path: Path, lines: Sequence[tuple[int, str]], columns: Sequence[str], separator: str) -> list[Row]:
    """Split lines at ``separator`` into ``columns``; raises ``UserError`` where the number of fields differs.

    Quotes are ordinary characters, as in the published lists.
    """
    rows = []
    for number, line in lines:
        fields = line.split(separator)
        if len(fields) != len(columns):
            raise UserError(
                f"{path}, line {number}: has {len(fields)} fields, not {len(columns)} ({', '.join(columns)}). "
                f"Separate fields with {'tabs' if separator == chr(9) else repr(separator)}."
            )
        rows.append(Row(path, number, {column: fields[at] for at, column in enumerate(columns)}))
    return rows


def pick_column(row: Row, accepted: Sequence[str], what: str) -> str:
    """Return the column of ``row`` that is called one of ``accepted`` (in any case), the first that fits.

    Raises:
        UserError: there is none; the message names ``what`` is missing and the columns that are there.
    """
    by_lower = {column.strip().lower(): column for column in row.fields}
    for name in accepted:
        if name in by_lower:
            return by_lower[name]
    raise UserError(
        f"{row.file}, line {row.line}: no column for {what}; found {', '.join(map(repr, row.fields))}. "
        f"Call it one of: {', '.join(accepted)}."
    )
