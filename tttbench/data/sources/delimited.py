"""Lists in columns: TSV, whose quotes are mostly ordinary characters, and CSV with quotes as RFC 4180 has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import Place
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.documents import read_text
from tttbench.data.sources.listing import Row, read_lines, refuse_doubled, shortened

_NO_HEADER = ("file", "text")


def read_tsv(path: Path) -> list[Row]:
    """Read a TSV list. A first line that begins with an audio file's name is data: the columns are then file, text.

    Raises:
        UserError: a column stands twice, or a line has another number of fields than the header.
    """
    lines = read_lines(path)
    if not lines:
        return []
    header = [column.strip() for column in lines[0][1].split("\t")]
    if Path(header[0]).suffix.lower() in AUDIO_SUFFIXES:
        return split_fields(path, lines, _NO_HEADER, "\t")
    if all(len(column) > 1 and column[0] == column[-1] == '"' for column in header):
        return read_csv(path, "\t")  # all is in quotes
    refuse_doubled(header, Place(path, lines[0][0]))
    rows = split_fields(path, lines[1:], header, "\t")
    return [Row(row.place, {name: _unquoted(str(value)) for name, value in row.fields.items()}) for row in rows]


def read_csv(path: Path, separator: str = "") -> list[Row]:
    """Read a CSV list with a header, separated by ``separator``, or by what its header holds most of: , ; | or tab.

    Raises:
        UserError: a column stands twice, a row has another number of fields than the header, quotes that don't end.
    """
    return parse_csv(read_text(path), path, separator)


def parse_csv(text: str, path: Path, separator: str = "") -> list[Row]:
    """Parse the text of a CSV list as ``read_csv`` does; ``path`` names it in messages."""
    header = (text.lstrip().splitlines() or [""])[0]
    separator = separator or _separator(header)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[str] = []
    rows: list[Row] = []
    begin = 1
    try:
        for fields in reader:
            place, begin = Place(path, begin), reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            if not columns:
                columns = [field.strip() for field in fields]
                refuse_doubled(columns, place)
                continue
            rows.append(_row(place, fields, columns, separator))
    except csv.Error as error:
        raise UserError(f"{path}, line {begin}: not valid CSV: {error}. Correct it, e.g. an open quote.") from error
    return rows


def header_of(path: Path) -> Row | None:
    """The first line of a list as a row in which every column holds its name; None if there is none or it can't be one.

    By it a list without rows that isn't a list at all is known.
    """
    lines = read_lines(path)
    if not lines:
        return None
    number, first = lines[0]
    try:
        fields = next(csv.reader([first], delimiter="\t" if path.suffix.lower() == ".tsv" else _separator(first)), [])
    except csv.Error:
        return None
    return Row(Place(path, number), {field.strip(): field.strip() for field in fields})


def _separator(header: str) -> str:
    return max(",;|\t", key=header.count)


def split_fields(path: Path, lines: Sequence[tuple[int, str]], columns: Sequence[str], separator: str) -> list[Row]:
    """Split lines at ``separator`` into ``columns``; raises ``UserError`` where the number of fields differs.

    Quotes are ordinary characters, as in the published lists.
    """
    return [_row(Place(path, number), line.split(separator), columns, separator) for number, line in lines]


def _row(place: Place, fields: Sequence[str], columns: Sequence[str], separator: str) -> Row:
    if len(fields) != len(columns):
        raise UserError(
            f"{place}: has {len(fields)} fields, not {len(columns)} ({', '.join(shortened(columns))}). "
            f"Separate fields with {'tabs' if separator == chr(9) else repr(separator)}."
        )
    return Row(place, dict(zip(columns, fields, strict=True)))


def _unquoted(field: str) -> str:
    """A field as it was meant: programs that quote put it in quotes, and double those inside, where it holds quotes.

    A quote at one end alone, or quotes inside that aren't doubled, stand for themselves: such programs write none.
    """
    inside = field[1:-1]
    doubled = inside.replace('""', "")
    if len(field) > 3 and field[0] == field[-1] == '"' and '""' in inside and '"' not in doubled:
        return inside.replace('""', '"')
    return field
