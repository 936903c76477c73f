"""Published tables filled with what runs measured: every cell has figure, interval and counts, or what it needs."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.published import Block, Column, Row, Table
from tttbench.store.manifest import Summary


@dataclass(frozen=True)
class Measured:
    """A cell of a run, in its metric's unit: shares and error rates in per cent.

    Attributes:
        value, low, high: with its 95 % interval.
        n: samples.
        not_ok: how many of them ended as something other than ``ok``.
        recipe: how it was scored.
        run: the run directory's name.
    """

    value: float
    low: float
    high: float
    n: int
    not_ok: int
    recipe: str
    run: str


@dataclass(frozen=True)
class Cell:
    """One cell: what is published, what is measured, and the difference; or what measuring it needs.

    Attributes:
        command: would fill it, once what it ``needs`` is there; ``""`` where no task measures it yet.
        is_judged_otherwise: whether what scored the measured value is known not to be what scored the published one.
    """

    published: float | None
    measured: Measured | None
    needs: str
    command: str
    is_judged_otherwise: bool = False

    @property
    def difference(self) -> float | None:
        """Measured minus published, in points; None where either is absent or they were judged otherwise."""
        if self.published is None or self.measured is None or self.is_judged_otherwise:
            return None
        return self.measured.value - self.published


@dataclass(frozen=True)
class FilledBlock:
    """A block, and its cells row by row."""

    block: Block
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class FilledTable:
    """A table, and its blocks with their cells."""

    table: Table
    blocks: tuple[FilledBlock, ...]

    @property
    def n_measured(self) -> int:
        """Cells that a run has."""
        return sum(cell.measured is not None for block in self.blocks for row in block.cells for cell in row)


Found = Mapping[tuple[str, str, str], Measured]
"""By system, task and metric."""


def found_in(
    runs: Iterable[tuple[Path, Summary | None]], names: Mapping[str, str]
) -> dict[tuple[str, str, str], Measured]:
    """What runs measured; of the same cell in several runs the last counts.

    Args:
        runs: folders and their summaries.
        names: what a system or task of these runs is called in the tables, by what the run calls it.
    """
    found = {}
    for folder, summary in runs:
        for result in () if summary is None else summary.results:
            key = (names.get(result.system, result.system), names.get(result.task, result.task), result.metric)
            scale = summary.metrics[result.metric].scale if summary and result.metric in summary.metrics else 1
            bounds = (scale * result.value, scale * result.ci_low, scale * result.ci_high)
            found[key] = Measured(*bounds, result.n, result.n - result.ok, str(result.recipe), folder.name)
    return found


def fill(tables: Sequence[Table], found: Found, tasks: Collection[str]) -> tuple[FilledTable, ...]:
    """Put what was found into the tables; ``tasks``: names of those that there are."""
    return tuple(
        FilledTable(
            table,
            tuple(
                FilledBlock(
                    block,
                    tuple(tuple(_cell(row, column, found, tasks) for column in block.columns) for row in block.rows),
                )
                for block in table.blocks
            ),
        )
        for table in tables
    )


def _cell(row: Row, column: Column, found: Found, tasks: Collection[str]) -> Cell:
    task = column.via or column.task
    missing = "" if task in tasks else f"a task {task!r}, which there is not yet (docs/add_a_task.md)"
    needs = "; ".join(part for part in (row.needs, column.needs, missing) if part)
    measured = found.get((row.system, column.task, column.metric))
    otherwise = measured is not None and any(word not in measured.recipe for word in column.judged_by)
    command = "" if missing else _command(row, column, task)
    return Cell(row.published.get(column.id), measured, needs, command, otherwise)


def _command(row: Row, column: Column, task: str) -> str:
    words = ["tttbench", "run", "--systems", row.system, "--tasks", task]
    if column.needs:
        words += ["--data", f"{task}=DIR"]
    if not column.via:
        return shlex.join(words)
    then = ["tttbench", "tables", "RUN", "--name", f"{task}={column.task}"]
    return f"{shlex.join([*words, '--out', 'RUN'])} && {shlex.join(then)}"
