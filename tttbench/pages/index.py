"""The index of runs: which columns it has, what stands in them, and the text of its one HTML file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

import tttbench
from tttbench.core.metric import MetricInfo, Result

from .assets import script, style, template
from .labels import RUN_STATUSES, count, direction, figure_of, short_names, status_count
from .runs import UNREADABLE, RunLine

GENERATOR = "tttbench index"
"""The page says that it is ours: no other ``index.html`` is overwritten."""


@dataclass(frozen=True)
class Figure:
    """A task's primary metric for one system; ``result`` is None where it has none, and ``reason`` may say why."""

    system: str
    result: Result | None
    reason: str = ""


@dataclass(frozen=True)
class Column:
    """The primary metric of a task, over all runs that have it in the same unit.

    ``names``: what tells it from another column of the same heading, such as the task's name; ``""`` if there is none.
    """

    task: str
    title: str
    metric: str
    info: MetricInfo
    names: str = ""

    @property
    def heading(self) -> str:
        """What stands over it."""
        return f"{self.title}: {self.info.column}"

    def figures(self, run: RunLine) -> tuple[Figure, ...]:
        """One for each system of a run, in its order."""
        return tuple(
            Figure(
                system.name,
                next((r for r in system.results if _key(run, r) == self._key), None),
                system.reason(self.task, self.title),
            )
            for system in run.systems
        )

    @property
    def _key(self) -> _Key:
        return (self.task, self.metric, self.info.unit, self.info.scale, self.info.direction)

    def best(self, run: RunLine) -> float:
        """The value by which a run is sorted, that of its best system; nan if none has one."""
        results = [figure.result for figure in self.figures(run) if figure.result is not None]
        values = [result.value for result in results if math.isfinite(result.value)]
        return (min if self.info.lower_is_better else max)(values, default=math.nan)


_Key = tuple[str, str, str, float, str]
"""Task, metric, and how its values are shown: a plug-in may have given another metric the same id."""


def _key(run: RunLine, result: Result) -> _Key:
    info = _info(run, result)
    return (result.task, result.metric, info.unit, info.scale, info.direction)


def _info(run: RunLine, result: Result) -> MetricInfo:
    return run.metrics.get(result.metric) or MetricInfo(result.metric, direction="none")


def columns(runs: Sequence[RunLine]) -> tuple[Column, ...]:
    """The primary metrics of all runs, those of the newest first."""
    found: dict[_Key, Column] = {}
    for run in runs:
        for result in (result for system in run.systems for result in system.results):
            column = Column(result.task, run.tasks[result.task], result.metric, _info(run, result))
            found.setdefault(_key(run, result), column)
    every = tuple(found.values())
    return tuple(replace(column, names=_names(column, every)) for column in every)


def _names(column: Column, every: Sequence[Column]) -> str:
    """What tells a column from those of the same heading: task, metric or unit; ``""`` if there are none."""
    alike = [other for other in every if other.heading == column.heading]
    told = [(other.task, other.metric, other.info.unit or "no unit") for other in alike]
    own = told[alike.index(column)]
    return " ".join(name for at, name in enumerate(own) if len({one[at] for one in told}) > 1)


def index_page(runs: Sequence[RunLine], name: str) -> str:
    """Return the whole page; ``name`` is that of the folder, in which it is to lie."""
    return template("index.html.j2").render(
        name=name,
        generator=GENERATOR,
        runs=runs,
        columns=columns(runs),
        sentence=_sentence(runs),
        suites=sorted({run.suite for run in runs if run.suite}),
        tally=_tally(runs),
        run_statuses=RUN_STATUSES,
        status_count=status_count,
        direction=direction,
        figure_of=figure_of,
        unreadable=UNREADABLE,
        address=_address,
        shown=_shown,
        style=style(),
        script=script("rows.js", "sortable.js", "index.js"),
        version=tttbench.__version__,
    )


def _sentence(runs: Sequence[RunLine]) -> str:
    suites = len({run.suite for run in runs if run.suite})
    days = sorted(run.started[:10] for run in runs if run.started)
    when = "" if not days else f", of {days[0]}" if days[0] == days[-1] else f", from {days[0]} to {days[-1]}"
    unread = sum(run.status == UNREADABLE for run in runs)
    rest = f" {count(unread, 'of them', 'of them')} can't be read." if unread else ""
    return f"{count(len(runs), 'run')} of {count(suites, 'suite')}{when}.{rest}"


def _tally(runs: Sequence[RunLine]) -> Mapping[str, int]:
    """Runs by status; a status that no run has is left out, one that we don't know is named as it is."""
    names = [*RUN_STATUSES, *sorted({run.status for run in runs} - set(RUN_STATUSES))]
    numbers = {name: sum(run.status == name for run in runs) for name in names}
    return {name: number for name, number in numbers.items() if number}


def _address(run: RunLine) -> str:
    """The run's report, seen from the index."""
    return "report.html" if run.path == "." else f"{quote(run.path)}/report.html"


def _shown(run: RunLine) -> Mapping[str, str]:
    """The systems' names with the long ones shortened."""
    return short_names([system.name for system in run.systems])
