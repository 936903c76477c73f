"""Tables in parquet, as model hubs keep data sets: their rows without audio, and the audio of a row when it is read.

Audio is a column of structs ``{bytes, path}``, or of bytes. Rows are read column by column, a batch at a time, and no
audio with them. Imports pyarrow inside of functions; it belongs to the extra ``parquet``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

from tttbench.core.errors import InputError, UserError
from tttbench.core.extras import require
from tttbench.core.json_values import JsonObject
from tttbench.data.documents import refuse_irregular

SUFFIX = ".parquet"

_ROWS_AT_ONCE = 4096
_ROWS_LOOKED_AT = 16
"""At a time, for one that holds audio: most often the first does."""
_CELLS_AT_ONCE = 16
"""Recordings that are decoded at once: a row group may hold a thousand of them."""

_RATE = "sampling_rate"
"""The field of a struct ``{bytes, path}`` that may give its sample rate."""

_BUFFER_BYTES = 1 << 20

_CELL = re.compile(r"(.+)\[(\d{1,18})\]", re.DOTALL)


@dataclass(frozen=True)
class TableRow:
    """A row without its audio.

    Attributes:
        fields: by column. In the place of embedded audio stands the name of its file, ``""`` if it has none, and None
            where there is no audio. The sample rate that its struct gives is a field of its own, see ``rate_column``.
        embedded: columns whose audio lies in the table.
    """

    fields: JsonObject
    embedded: frozenset[str]


def rate_column(audio: str) -> str:
    """Return the field that holds the sample rate of a column of audio, where its structs give one."""
    return f"{audio}.{_RATE}"


def member_of(column: str, row: int) -> str:
    """Return how an ``AudioRef`` names the audio of a row, counted from 0: ``COLUMN[ROW]``."""
    return f"{column}[{row}]"


def read_rows(path: Path) -> Iterator[TableRow]:
    """Read the rows of a table: texts, numbers, truth values, and lists and structs of them; what else is there isn't.

    Raises:
        UserError: there is no such file, it is damaged or no parquet, or pyarrow isn't installed.
    """
    require("parquet", str(path))
    with _faults_named(path, UserError):
        refuse_irregular(path)
        file = _opened(path)
        schema = file.schema_arrow
        plain = [field.name for field in schema if _is_plain(field.type)]
        holders = {field.name: _holds_audio(field.type) for field in schema}
        structs = [name for name, kind in holders.items() if kind == "struct"]
        bare = [name for name, kind in holders.items() if kind == "bytes"]
        rated = [name for name in structs if _gives_rate(schema.field(name).type)]
        embedded = frozenset((*bare, *(name for name in structs if not _is_without_bytes(file, name))))
        wanted = [*plain, *(f"{name}.path" for name in structs), *map(rate_column, rated)]
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=wanted, use_threads=False):
            for row in batch.to_pylist():
                fields = {name: row[name] for name in plain}
                fields |= {name: None if row[name] is None else row[name]["path"] or "" for name in structs}
                fields |= {rate_column(name): row[name] and row[name][_RATE] for name in rated}
                yield TableRow(fields | dict.fromkeys(bare, ""), embedded)


def read_cell(path: Path, member: str) -> bytes:
    """Return the audio that ``member`` (see ``member_of``) names, as it lies in the table.

    Raises:
        InputError: no such table, column or row, a damaged table, or a row without audio.
    """
    found = _CELL.fullmatch(member)
    if found is None:
        raise InputError(f"{path}: {member!a:.80} names no row of it. Write COLUMN[ROW].")
    require("parquet", str(path))
    with _faults_named(path, InputError):
        refuse_irregular(path)
        state = path.stat()
        content = _cursor(path, state.st_mtime_ns, state.st_size, found[1]).cell(int(found[2]))
    if not content:
        raise InputError(f"{path}: row {int(found[2]) + 1} has no audio in the column {found[1]!a:.60}. Take it out.")
    return content


class _Cursor:
    """Reads one column forwards, a few cells at a time; what lies behind begins its row group anew."""

    def __init__(self, path: Path, column: str) -> None:
        self._file = _opened(path)
        names = {field.name: _holds_audio(field.type) for field in self._file.schema_arrow}
        if not names.get(column):
            raise InputError(f"{path}: has no column {column!a:.60} of audio. Correct it in the task's list.")
        self._path, self._column = path, column
        self._leaf = f"{column}.bytes" if names[column] == "struct" else column
        groups = self._file.metadata
        self._ends = list(accumulate(groups.row_group(at).num_rows for at in range(groups.num_row_groups)))
        self._batches: Iterator[Any] = iter(())
        self._cells: Any = ()
        self._first, self._group_end = 0, 0
        self._lock = Lock()

    def cell(self, row: int) -> bytes | None:
        """The bytes of a row, counted from 0; None if it holds none."""
        if not row < (self._ends[-1] if self._ends else 0):
            raise InputError(f"{self._path}: has no row {row + 1}. Correct it in the task's list.")
        with self._lock:
            if not self._first <= row < self._group_end:
                self._begin(bisect_right(self._ends, row))
            while row >= self._first + len(self._cells):
                self._first += len(self._cells)
                batch = next(self._batches, None)
                if batch is None:
                    raise ValueError(f"the column {self._column!a:.60} ends before row {row + 1}")
                self._cells = batch.column(0)
            found = self._cells[row - self._first].as_py()
        content: bytes | None = found["bytes"] if isinstance(found, dict) else found
        return content

    def _begin(self, group: int) -> None:
        self._batches = self._file.iter_batches(
            _CELLS_AT_ONCE, row_groups=[group], columns=[self._leaf], use_threads=False
        )
        self._first, self._group_end = ([0, *self._ends][group], self._ends[group])
        self._cells = ()


@lru_cache(maxsize=4)
def _cursor(path: Path, modified_ns: int, size: int, column: str) -> _Cursor:
    """The cursor of a column of a file in the state that it is in."""
    return _Cursor(path, column)


def _opened(path: Path) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES)


def _is_plain(kind: Any) -> bool:
    """Whether values of a column can stand in a list; vectors of numbers with a point are features, no text."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        return bool(_is_plain(kind.value_type) and not types.is_floating(kind.value_type))
    if types.is_struct(kind):
        return not _holds_audio(kind) and all(_is_plain(field.type) for field in kind)
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    of_text = (types.is_string, types.is_large_string)
    of_values = (types.is_null, types.is_integer, types.is_floating, types.is_boolean)
    return any(is_one(kind) for is_one in (*of_text, *of_values))


def _holds_audio(kind: Any) -> str:
    """``"struct"`` for ``{bytes, path}``, ``"bytes"``, or ``""``."""
    from pyarrow import types

    def is_bytes(one: Any) -> bool:
        return bool(types.is_binary(one) or types.is_large_binary(one))

    if is_bytes(kind):
        return "bytes"
    names = {field.name: field.type for field in kind} if types.is_struct(kind) else {}
    return "struct" if {"bytes", "path"} <= names.keys() and is_bytes(names["bytes"]) else ""


def _gives_rate(kind: Any) -> bool:
    """Whether structs of audio hold a sample rate."""
    from pyarrow import types

    return any(field.name == _RATE and types.is_integer(field.type) for field in kind)


def _is_without_bytes(file: Any, column: str) -> bool:
    """Whether no row of a column of structs holds its audio, so that paths name files.

    The first row that does ends the search. The file's statistics would say it, too, but of a damaged file they end the
    process (pyarrow 26).
    """
    batches = file.iter_batches(_ROWS_LOOKED_AT, columns=[f"{column}.bytes"], use_threads=False)
    cells = (cell for batch in batches for cell in batch.column(0))
    return not any(cell.is_valid and cell["bytes"].is_valid for cell in cells)


@contextmanager
def _faults_named(path: Path, kind: type[UserError]) -> Iterator[None]:
    """Raise whatever is wrong with a table as an error of ``kind`` that names it."""
    import pyarrow

    try:
        yield
    except UserError:
        raise
    except FileNotFoundError:
        raise kind(f"{path}: no such file. Check the path.") from None
    except (pyarrow.ArrowException, UnicodeDecodeError, MemoryError, OSError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise kind(f"{path}: is damaged or no parquet ({why:.200}). Copy or download it again.") from error
