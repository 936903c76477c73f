"""Rows of a sheet that a person has filled in, as CSV or JSON lines. Knows no run, nor which labels fit one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.data.documents import parse_json, read_text
from tttbench.data.sources.delimited import parse_csv

_NEEDED = ("item", "label")
_READ = (*_NEEDED, "task", "answer")


@dataclass(frozen=True)
class LabelRow:
    """A row of a filled sheet.

    Attributes:
        where: file and line, for messages.
        item: by which the label finds its answer.
        label: as it was filled in; ``""`` where it was left blank.
        task, answer: what stands beside them, to notice rows that were mixed up; ``""`` where the column was taken out.
    """

    where: str
    item: str
    label: str
    task: str
    answer: str


def read_labeled(sheet: Path) -> Iterator[LabelRow]:
    """Yield the rows of a sheet; a CSV's columns may be written in any case.

    Raises:
        UserError: naming file, line and field: no sheet, a column that is missing or stands twice, a row with another
            number of fields than the first line.
    """
    kind = sheet.suffix.lower()
    if kind not in (".csv", ".tsv", ".jsonl"):
        raise UserError(
            f"{sheet}: must be a .csv or .jsonl of 'judge sample', filled in; spreadsheets save it as CSV, UTF-8."
        )
    text = read_text(sheet)
    rows = list(_json_rows(sheet, text) if kind == ".jsonl" else _csv_rows(sheet, text))
    if not rows:
        raise UserError(f"{sheet}: holds no rows; give a sheet of 'judge sample', with its first line.")
    for where, row in rows:
        for name in _NEEDED:
            if name not in row:
                found = ", ".join(map(repr, row)) or "none"
                raise UserError(
                    f"{where}: has no field {name!r} (fields: {found:.200}); give a sheet of 'judge sample'."
                )
        read = {name: _text(row.get(name), f"{where} ({name})") for name in _READ}
        yield LabelRow(where, read["item"].strip(), read["label"].strip(), read["task"].strip(), read["answer"])


def _json_rows(sheet: Path, text: str) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    # Lines end at line feeds alone: an answer may hold other separators.
    for line, one in enumerate(text.split("\n"), 1):
        if one.strip():
            where = f"{sheet}, line {line}"
            values = parse_json(one, where).values
            if not isinstance(values, Mapping):
                raise UserError(f"{where}: must be a JSON object.")
            yield where, {str(name): value for name, value in values.items()}


def _csv_rows(sheet: Path, text: str) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    for row in parse_csv(text, sheet):
        yield str(row.place), {name.lower(): value for name, value in row.fields.items()}


def _text(value: JsonValue, where: str) -> str:
    """A JSON value as a CSV file would hold it: grades may be numbers, yes and no ``true`` and ``false``."""
    if isinstance(value, str | int | float | None):
        return "" if value is None else value if isinstance(value, str) else json.dumps(value)
    raise UserError(f"{where}: must be text or a number, not {json.dumps(value)!s:.40}; leave it blank to give none.")
