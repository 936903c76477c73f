"""Published tables, each figure with its source, and where a run has the same cell. Knows one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tttbench.core.errors import UserError

SHIPPED = Path(__file__).parent / "tables.toml"


@dataclass(frozen=True)
class Source:
    """Where figures come from."""

    citation: str
    url: str
    note: str


@dataclass(frozen=True)
class Column:
    """A column: what a run calls it (``task``, ``metric``), which way is better, and what measuring it needs.

    Attributes:
        via: task that measures it on recordings of one's own; its runs are then told what it is in the tables.
        judged_by: words that the recipe of a figure has to hold to be set against the published one.
    """

    id: str
    title: str
    lower_is_better: bool
    task: str
    metric: str
    needs: str
    via: str = ""
    judged_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row: the system's label in a run, what measuring it needs, and the published figures by column."""

    id: str
    title: str
    system: str
    needs: str
    published: Mapping[str, float]


@dataclass(frozen=True)
class Block:
    """Rows by columns. ``source`` is None where nothing is published."""

    title: str
    source: Source | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table of one or more blocks."""

    id: str
    title: str
    note: str
    blocks: tuple[Block, ...]


def load_tables(path: Path = SHIPPED) -> tuple[Table, ...]:
    """Read a file of published tables.

    Raises:
        UserError: naming file, table and field.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not readable as TOML ({error})") from error
    try:
        sources = {name: Source(**{"note": "", **one}) for name, one in raw.get("sources", {}).items()}
        return tuple(_table(one, sources, path) for one in raw["tables"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{path}: a field is missing, unknown or of another form ({error})") from error


def _table(raw: Mapping[str, Any], sources: Mapping[str, Source], path: Path) -> Table:
    where = f"{path}: table {raw['id']!r}"
    blocks = tuple(_block(one, sources, where) for one in raw["blocks"])
    return Table(raw["id"], raw["title"], raw.get("note", ""), blocks)


def _block(raw: Mapping[str, Any], sources: Mapping[str, Source], where: str) -> Block:
    where = f"{where}, block {raw['title']!r}"
    columns = tuple(_column(one, where) for one in raw["columns"])
    source = raw.get("source")
    if source is not None and source not in sources:
        raise UserError(f"{where}: unknown source {source!r}; there are: {', '.join(sources)}")
    rows = tuple(_row(one, columns, source is not None, where) for one in raw["rows"])
    return Block(raw["title"], None if source is None else sources[source], columns, rows)


def _column(raw: Mapping[str, Any], where: str) -> Column:
    if raw["better"] not in ("higher", "lower"):
        raise UserError(f"{where}: column {raw['id']!r}: better is {raw['better']!r}, expected higher or lower")
    which = (raw["id"], raw["title"], raw["better"] == "lower", raw["task"], raw["metric"])
    return Column(*which, raw.get("needs", ""), raw.get("via", ""), tuple(raw.get("judged_by", ())))


def _row(raw: Mapping[str, Any], columns: Sequence[Column], has_source: bool, where: str) -> Row:
    figures = raw.get("published", [])
    if figures and not has_source:
        raise UserError(f"{where}: row {raw['id']!r} has published figures, but the block names no source")
    if figures and len(figures) != len(columns):
        raise UserError(f"{where}: row {raw['id']!r} has {len(figures)} figures for {len(columns)} columns")
    # An empty text stands for a figure that isn't published.
    published = {column.id: float(figure) for column, figure in zip(columns, figures, strict=False) if figure != ""}
    return Row(raw["id"], raw["title"], raw["system"], raw.get("needs", ""), published)
