"""Published tables, each figure with its source, and where a run has the same cell. Knows one TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tttbench.core.errors import did_you_mean
from tttbench.core.tables import Check, Document, Name, read_table
from tttbench.data.documents import read_toml
from tttbench.published.protocol import Protocol

SHIPPED = Path(__file__).parent / "tables.toml"


@dataclass(frozen=True)
class Source:
    """Where figures come from."""

    citation: Name
    url: Name
    note: str = ""

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"url must begin with https:// or http://, not {self.url[:60]!r}")


@dataclass(frozen=True)
class Column:
    """A column: what a run calls it (``task``, ``metric``), which way is better, and what measuring it needs.

    Attributes:
        id: unique within its block.
        via: task that measures it on recordings of one's own; its runs are then told what it is in the tables.
        also: tasks whose results take the place of ``task``'s where a run has none of those, e.g. other recordings.
        instead: likewise metrics in the place of ``metric``.
        protocol: key of ``[protocols]``; ``""`` where nothing is published.
        mean_of: tasks of whose values the column shows the unweighted mean, once a system has all of them; ``task``
            then only names it.
    """

    id: Name
    title: Name
    better: Literal["higher", "lower"]
    task: Name
    metric: Name
    needs: str = ""
    via: str = ""
    also: tuple[Name, ...] = ()
    instead: tuple[Name, ...] = ()
    protocol: str = ""
    mean_of: tuple[Name, ...] = ()

    @property
    def lower_is_better(self) -> bool:
        """Which way the metric points."""
        return self.better == "lower"


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
    """Rows by columns.

    Attributes:
        title: of the block.
        source: None where nothing is published.
        columns, rows: in their order.
        others: whether systems of runs that have no row get one of their own, without published figures.
        protocols: by a column's id, how its figures were made.
    """

    title: str
    source: Source | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    others: bool = False
    protocols: Mapping[str, Protocol] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of one or more blocks."""

    id: str
    title: str
    note: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class _RowEntry:
    """A row as the file has it: its figures in the order of the columns, an empty string where none is published."""

    id: Name
    title: Name
    system: Name
    needs: str = ""
    published: tuple[float | Literal[""], ...] = ()


@dataclass(frozen=True)
class _BlockEntry:
    """A block as the file has it; ``source`` is a key of ``[sources]``."""

    title: Name
    columns: Annotated[tuple[Column, ...], Check(fewest=1, unique=("id",))]
    rows: Annotated[tuple[_RowEntry, ...], Check(fewest=1, unique=("id",))]
    source: str | None = None
    others: bool = False


@dataclass(frozen=True)
class _TableEntry:
    """A table as the file has it."""

    id: Name
    title: Name
    blocks: Annotated[tuple[_BlockEntry, ...], Check(fewest=1)]
    note: str = ""

    def __post_init__(self) -> None:
        # Files are named after it.
        if not re.fullmatch(r"\w[\w-]{0,59}", self.id, re.ASCII):
            raise ValueError(f"id may hold up to 60 letters, digits, '_' and '-', not {self.id[:70]!r}")


@dataclass(frozen=True)
class _File:
    """The whole file."""

    tables: Annotated[tuple[_TableEntry, ...], Check(fewest=1, unique=("id",), fix="add a [[tables]] table")]
    sources: Mapping[str, Source] = field(default_factory=dict)
    protocols: Mapping[str, Protocol] = field(default_factory=dict)


def load_tables(path: Path = SHIPPED) -> tuple[Table, ...]:
    """Read a file of published tables.

    Raises:
        UserError: naming file, table and field.
    """
    document = read_toml(path)
    given = read_table(_File, document)
    seen: dict[str, str] = {}
    for at, table in enumerate(given.tables):
        if seen.setdefault(table.id.lower(), table.id) != table.id:  # files may differ in more than case
            what = f"{table.id!r} differs from {seen[table.id.lower()]!r} in case alone; change one."
            raise document.error(f"tables[{at}].id", what)
    return tuple(
        Table(
            table.id,
            table.title,
            table.note,
            tuple(
                _block(block, given, document, f"tables[{at}].blocks[{at_block}]")
                for at_block, block in enumerate(table.blocks)
            ),
        )
        for at, table in enumerate(given.tables)
    )


def _block(entry: _BlockEntry, file: _File, document: Document, where: str) -> Block:
    """A block with its source and protocols, and with its rows' figures by column."""
    sources, protocols = file.sources, {}
    for at, column in enumerate(entry.columns):
        if column.protocol and column.protocol not in file.protocols:
            near = did_you_mean(column.protocol, file.protocols)
            what = f"{column.protocol!r} is not in [protocols]. {near}"
            raise document.error(f"{where}.columns[{at}].protocol", what)
        if column.protocol:
            protocols[column.id] = file.protocols[column.protocol]
    if entry.source is not None and entry.source not in sources:
        near = did_you_mean(entry.source, sources)
        raise document.error(f"{where}.source", f"{entry.source!r} is not in [sources]. {near}")
    rows = []
    for at, row in enumerate(entry.rows):
        if row.published and entry.source is None:
            what = f"row {row.id!r} has published figures, but the block names no source; add it."
            raise document.error(f"{where}.rows[{at}].published", what)
        if row.published and len(row.published) != len(entry.columns):
            what = f"row {row.id!r} has {len(row.published)} figures for {len(entry.columns)} columns."
            raise document.error(f"{where}.rows[{at}].published", what)
        figures = zip(entry.columns, row.published, strict=False)
        published = {column.id: figure for column, figure in figures if not isinstance(figure, str)}
        rows.append(Row(row.id, row.title, row.system, row.needs, published))
    source = None if entry.source is None else sources[entry.source]
    return Block(entry.title, source, entry.columns, tuple(rows), entry.others, protocols)
