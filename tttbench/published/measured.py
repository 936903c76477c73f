"""Published tables filled with what runs measured: every cell has figure, interval and counts, or what it needs.

Of the systems that runs measured in a column, each is set against the best, on the same answers.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tttbench.core.errors import UserError
from tttbench.core.metric import TOPLINE, Comparison, MetricInfo, Result
from tttbench.published import Block, Column, Row, Table
from tttbench.published.known_tasks import KnownTask, known
from tttbench.published.protocol import Protocol, differing_parts, differing_samples, is_judged_otherwise
from tttbench.scorers.comparison import Table as Compared
from tttbench.scorers.comparison import compare, not_compared
from tttbench.store.manifest import Summary, SystemEntry
from tttbench.store.read_model import Run
from tttbench.store.standings import Standings


@dataclass(frozen=True)
class MeasuredRun:
    """A run as far as tables need it.

    Attributes:
        name: of the run directory.
        summary: what came out; None if the run hasn't come so far.
        standings: the scores of all its answers.
        data: hash of each task's listing; ``""`` if unknown.
        samples: how many each task has in the run.
        systems: what the run's systems are, by label.
    """

    name: str
    summary: Summary | None
    standings: Standings = field(default_factory=Standings)
    data: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, int] = field(default_factory=dict)
    systems: Mapping[str, SystemEntry] = field(default_factory=dict)


def measured_run(run: Run) -> MeasuredRun:
    """Read what tables need of a run."""
    standings = Standings()
    for answer in run.answers():
        standings.add(answer.key, answer.sample.sample, answer.scores)
    tasks = run.manifest.tasks
    return MeasuredRun(
        run.folder.resolve().name,
        run.summary,
        standings,
        {name: task.listing_sha256 for name, task in tasks.items()},
        {name: task.n for name, task in tasks.items()},
        run.manifest.systems,
    )


@dataclass(frozen=True)
class Measured:
    """A cell of a run: its result (shares are of 1), what the metric is, and the run.

    ``place``: task and metric by the names that tables have for them.
    """

    result: Result
    info: MetricInfo
    run: MeasuredRun
    place: tuple[str, str]

    @property
    def value(self) -> float:
        """The value in its metric's unit, as published values are."""
        return self.info.shown(self.result.value)

    @property
    def not_ok(self) -> int:
        """How many requests ended as something other than ``ok``."""
        return self.result.n - self.result.ok

    @property
    def recipe(self) -> str:
        """How it was scored."""
        return str(self.result.recipe)

    @property
    def made_of(self) -> tuple[str, str]:
        """What has to be equal to compare the answers: the recipe, and the data."""
        return self.recipe, self.run.data.get(self.result.task, "")


@dataclass(frozen=True)
class Cell:
    """One cell: what is published, what is measured, and the difference; or what measuring it needs.

    Attributes:
        command: would fill it, once what it ``needs`` is there; ``""`` where no task measures it yet.
        is_judged_otherwise: whether what scored the measured value is known not to be what scored the published one.
        comparison: how it stands to the best that was measured in its column; None where nothing else was.
        differs: where what made the measured value differs from what made the published one, or isn't known to be it.
    """

    published: float | None
    measured: Measured | None
    needs: str
    command: str
    is_judged_otherwise: bool = False
    comparison: Comparison | None = None
    differs: tuple[str, ...] = ()

    @property
    def difference(self) -> float | None:
        """Measured minus published, in the metric's unit; None where either is absent or they were judged otherwise."""
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


_FORMER_IDS = {("wer", normalizer): f"wer_{normalizer}" for normalizer in ("whisper-en", "whisper-basic")}
"""What scores are called now that runs of 0.1 call otherwise, by their ids and normalizers."""


def found_in(runs: Iterable[MeasuredRun], names: Mapping[str, str]) -> dict[tuple[str, str, str], Measured]:
    """What runs measured; of the same cell in several runs the last counts.

    Args:
        runs: in the order of the call.
        names: what a system or task of these runs is called in the tables, by what the run calls it.
    """
    found = {}
    for run in runs:
        for result in () if run.summary is None else run.summary.results:
            metric = _FORMER_IDS.get((result.metric, result.recipe.normalizer.partition("@")[0]), result.metric)
            key = (names.get(result.system, result.system), names.get(result.task, result.task), metric)
            info = run.summary.metrics.get(result.metric) if run.summary else None
            found[key] = Measured(result, info or MetricInfo(result.metric, direction="none"), run, key[1:])
    return found


def fill(tables: Sequence[Table], found: Found, tasks: Mapping[str, KnownTask]) -> tuple[FilledTable, ...]:
    """Put what was found into the tables.

    Args:
        tables: as read.
        found: by system, task and metric.
        tasks: those that there are.

    Raises:
        UserError: a column says that the other way is better than its metric does.
    """
    return tuple(
        FilledTable(table, tuple(_filled(table, block, found, tasks) for block in table.blocks)) for table in tables
    )


def _filled(table: Table, block: Block, found: Found, tasks: Mapping[str, KnownTask]) -> FilledBlock:
    block = replace(block, rows=(*block.rows, *(_others(block, found) if block.others else ())))
    rows = [[_cell(row, column, block, found, tasks) for column in block.columns] for row in block.rows]
    titles = [row.title for row in block.rows]
    labels = [row.title if titles.count(row.title) == 1 else row.id for row in block.rows]
    for at, column in enumerate(block.columns):
        cells = dict(zip(labels, (cells[at] for cells in rows), strict=True))
        measured = {label: cell.measured for label, cell in cells.items() if cell.measured is not None}
        _check_direction(table, column, measured)
        compared = _compared(column, measured)
        for label, own in zip(labels, rows, strict=True):
            own[at] = replace(own[at], comparison=compared.get(label))
    return FilledBlock(block, tuple(tuple(cells) for cells in rows))


def _check_direction(table: Table, column: Column, measured: Mapping[str, Measured]) -> None:
    for one in measured.values():
        if one.info.direction not in ("none", column.better):
            raise UserError(
                f"table {table.id!r}, column {column.id!r}: better is {column.better!r}, but of the metric "
                f"{column.metric!r} in run {one.run.name} {one.info.direction} is better; change the table."
            )


def _compared(column: Column, measured: Mapping[str, Measured]) -> dict[str, Comparison]:
    """Each system of a column against the best, where they were given the same data and scored alike.

    Tasks and metrics that stand in the place of the column's are compared among themselves.
    """
    places = dict.fromkeys(one.place for one in measured.values())
    return {
        label: one
        for place in places
        for label, one in _of_one_metric(
            column, {label: one for label, one in measured.items() if one.place == place}
        ).items()
    }


def _of_one_metric(column: Column, measured: Mapping[str, Measured]) -> dict[str, Comparison]:
    ranked = [name for name, one in measured.items() if not math.isnan(one.value)]
    if column.mean_of:  # a mean of sets has no samples of its own
        return {}
    if len(ranked) < 2:
        return {}
    sign = 1 if column.lower_is_better else -1
    best = min(ranked, key=lambda name: sign * measured[name].value)
    task, metric = measured[best].place
    alike = {name: one for name, one in measured.items() if one.made_of == measured[best].made_of}
    found = compare(
        Compared(task, metric, measured[best].info, seed=0),
        {name: one.run.standings.scores(one.result) for name, one in alike.items()},
        lambda answer: measured[best].run.standings.unit(measured[best].result.task, answer),
    )
    compared = {one.system: one for one in found}
    for name, one in measured.items():
        if name not in alike:
            recipe, data = (mine == its for mine, its in zip(one.made_of, measured[best].made_of, strict=True))
            why = " and ".join(part for part, same in (("scored otherwise", recipe), ("other data", data)) if not same)
            compared[name] = not_compared(name, task, metric, best, f"{why} than {best}")
    return compared


def _others(block: Block, found: Found) -> list[Row]:
    """Rows for systems that were measured in a column of the block and have none."""
    known = {_system_in(row, found) for row in block.rows}
    cells = {(task, metric) for column in block.columns for task, metric in _places(column)}
    labels = dict.fromkeys(system for system, task, metric in found if (task, metric) in cells)
    return [Row(label, label, label, "", {}) for label in labels if label not in known | {TOPLINE}]


def _places(column: Column) -> list[tuple[str, str]]:
    """Tasks and metrics that a column takes, the better ones first."""
    tasks, metrics = column.mean_of or (column.task, *column.also), (column.metric, *column.instead)
    return [(task, metric) for task in tasks for metric in metrics]


def _system_in(row: Row, found: Found) -> str:
    """What a row's system is called among the found: weights that are got from elsewhere may lie in any folder.

    A row without figures that needs nothing is a system shipped here, which no folder of its name stands for.
    """
    labels = {system for system, _, _ in found}
    if row.system in labels or not (row.published or row.needs):
        return row.system
    kind, _, name = row.system.partition(":")
    folders = [
        one for one in labels if one.startswith(f"{kind}:") and re.search(rf"/{re.escape(name)}/?(?:@.*)?$", one)
    ]
    return folders[0] if len(folders) == 1 else row.system


def _mean_cell(row: Row, column: Column, block: Block, found: Found, tasks: Mapping[str, KnownTask]) -> Cell:
    """The unweighted mean of a system's values on several tasks, without an interval; none unless it has all."""
    system, published = _system_in(row, found), row.published.get(column.id)
    metrics = {task: known(tasks, task).metrics_in(column) for task in column.mean_of}
    cells = {
        task: next((one for metric in own if (one := found.get((system, task, metric))) is not None), None)
        for task, own in metrics.items()
    }
    there = [one for one in cells.values() if one is not None and not math.isnan(one.value)]
    words = ["tttbench", "run", "--systems", row.system, "--tasks", ",".join(column.mean_of)]
    words += [word for task in column.mean_of if column.needs for word in ("--data", f"{task}=PATH")]
    command = shlex.join([*words, "--judge", "openai_chat:MODEL"])
    if len(there) < len(cells):
        lacking = [task for task, one in cells.items() if one is None or math.isnan(one.value)]
        by_score: dict[str, list[str]] = {}
        for task in lacking:
            by_score.setdefault(" or ".join(metrics[task]), []).append(task)
        listed = "; ".join(f"{scores} of {', '.join(of)}" for scores, of in by_score.items())
        sets = f"{listed}: a mean is shown only with every set"
        why = [f"{task} needs {told}" for task in lacking if (told := known(tasks, task).missing)]
        return Cell(published, None, "; ".join(part for part in (row.needs, column.needs, sets, *why) if part), command)
    parts = [one.result for one in there]
    result = replace(
        parts[0],
        task=column.task,
        value=math.fsum(one.value for one in there) / len(there),
        ci_low=math.nan,
        ci_high=math.nan,
        value_best=math.nan,
        value_worst=math.nan,
        n_units=0,
        n=sum(one.n for one in parts),
        ok=sum(one.ok for one in parts),
    )
    info = MetricInfo(f"Mean of {len(there)} sets", direction=column.better)
    protocol = block.protocols.get(column.id, Protocol())
    differs = [f"unweighted mean of {', '.join(f'{one.task} ({one.metric})' for one in parts)}"]
    differs += _other_system(row, there[0]) if published is not None else []
    for task, one in zip(column.mean_of, there, strict=True):
        if not known(tasks, task).may_own(one.result.metric):
            differs.append(f"{task}: {one.result.metric} isn't the set's own score")
    differs += dict.fromkeys(said for one in parts for said in differing_parts(protocol, one.recipe))
    for one in there:
        task = one.result.task
        others = differing_samples(protocol, one.run.samples.get(task, 0), known(tasks, task).size)
        differs += [f"{task}: {said}" for said in others]
    otherwise = any(is_judged_otherwise(protocol, one.recipe) for one in parts)
    return Cell(
        published,
        Measured(result, info, there[0].run, (column.task, there[0].result.metric)),
        "",
        command,
        otherwise,
        differs=tuple(differs),
    )


def _cell(row: Row, column: Column, block: Block, found: Found, tasks: Mapping[str, KnownTask]) -> Cell:
    if column.mean_of:
        return _mean_cell(row, column, block, found, tasks)
    task = column.via or column.task
    missing = "" if task in tasks else f"a task {task!r}, which there is not yet (docs/add_a_task.md)"
    needs = "; ".join(part for part in (row.needs, column.needs, missing) if part)
    system = _system_in(row, found)
    measured = next((one for place in _places(column) if (one := found.get((system, *place))) is not None), None)
    protocol = block.protocols.get(column.id, Protocol())
    command = "" if missing else _command(row, column, task, is_judged=bool(protocol.judge))
    published = row.published.get(column.id)
    if measured is None:
        return Cell(published, measured, needs, command)
    differs = [*_other_system(row, measured)] if published is not None else []
    differs += [*_in_its_place(column, measured.result), *differing_parts(protocol, measured.result.recipe)]
    own = measured.result.task
    differs += differing_samples(protocol, measured.run.samples.get(own, 0), known(tasks, own).size)
    otherwise = is_judged_otherwise(protocol, measured.result.recipe)
    return Cell(published, measured, needs, command, otherwise, differs=tuple(differs))


def _other_system(row: Row, measured: Measured) -> Iterator[str]:
    """Yield that the system isn't known to be the published one, and how it was asked to be otherwise."""
    system = measured.run.systems.get(measured.result.system)
    name = measured.result.system if system is None else system.name
    if name != row.system:
        yield f"system: published {row.title}, here {name}"
    if system is None:
        return
    if system.strategy:
        yield f"strategy of decoding: {system.strategy}, as the run asked"
    if system.card is not None and str(system.card.details.get("prompts", "")).startswith("ours"):
        yield "prompts: ours, paraphrases of the published ones"


def _in_its_place(column: Column, result: Result) -> Iterator[str]:
    """Yield that another task or metric stands in the place of the column's."""
    if result.task != column.task:
        yield f"task: {result.task} in the place of {column.task}"
    if result.metric != column.metric:
        yield f"metric: {result.metric} in the place of {column.metric}"


def _command(row: Row, column: Column, task: str, *, is_judged: bool) -> str:
    words = ["tttbench", "run", "--systems", row.system, "--tasks", task]
    if is_judged:
        words += ["--judge", "openai_chat:MODEL"]
    if column.needs:
        words += ["--data", f"{task}=PATH"]
    if not column.via:
        return shlex.join(words)
    then = ["tttbench", "tables", "RUN", "--name", f"{task}={column.task}"]
    return f"{shlex.join([*words, '--out', 'RUN'])} && {shlex.join(then)}"
