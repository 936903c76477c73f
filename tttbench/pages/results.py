"""The tables of results: which number stands where, how each system stands to the best, and where its bar lies.

Pure functions on the suite's records; numbers are passed through untouched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tttbench.core.metric import TOPLINE, Comparison, Corrected, MetricInfo, Result

from .view import ReportView, TaskView

REACH = 2.5
"""A bar without an end ends at so many times the largest value at most; what lies further out is cut."""


@dataclass(frozen=True)
class ResultCell:
    """A result and how it stands among the systems of the same task; ``comparison`` None where nothing was compared.

    ``corrected``: the value corrected by a person's labels; None without labels.
    """

    result: Result
    comparison: Comparison | None
    corrected: Corrected | None = None


@dataclass(frozen=True)
class ResultRow:
    """A system's results on one task; None where it has none."""

    system: str
    cells: tuple[ResultCell | None, ...]


@dataclass(frozen=True)
class Bar:
    """An interval and its value on a bar, in per cent of its width; ``is_cut`` where the interval goes on beyond it."""

    left: float
    width: float
    at: float
    is_cut: bool


@dataclass(frozen=True)
class ResultColumn:
    """A score and what its metric is.

    Attributes:
        metric: the score's id.
        info: what the metric is.
        begin, end: where its bars begin and end, as values; equal where it has no bars.
        is_alone: whether no other column has its title; else the id stands beside it.
        recipe: how its scores were made.
    """

    metric: str
    info: MetricInfo
    begin: float
    end: float
    is_alone: bool
    recipe: str

    def bar(self, result: Result) -> Bar | None:
        """The bar of a result; None without an interval."""
        if self.begin == self.end or not (math.isfinite(result.ci_low) and math.isfinite(result.ci_high)):
            return None
        low, at, high = (self._place(value) for value in (result.ci_low, result.value, result.ci_high))
        return Bar(low, round(high - low, 2), at, result.ci_high > self.end)

    def _place(self, value: float) -> float:
        return round(100 * min(1.0, max(0.0, (value - self.begin) / (self.end - self.begin))), 2)


@dataclass(frozen=True)
class ResultTable:
    """All results on one task, systems by metrics."""

    task: TaskView
    columns: tuple[ResultColumn, ...]
    rows: tuple[ResultRow, ...]


def result_tables(view: ReportView) -> tuple[ResultTable, ...]:
    """One table per task, in the run's order; metrics in the task's order, then any others by name.

    The reference audio comes last: it is no system.
    """
    tables = []
    for task in view.tasks:
        results = [result for result in view.results if result.task == task.name]
        if not results:
            continue
        found = {result.metric for result in results}
        metrics = (*(m for m in task.metrics if m in found), *sorted(found - set(task.metrics)))
        corrected = {(one.system, one.metric): one for one in view.corrected if one.task == task.name}
        by_key = {(result.system, result.metric): result for result in results}
        rows = []
        systems = dict.fromkeys([s.name for s in view.systems] + [r.system for r in results])
        for system in sorted(systems, key=lambda name: name == TOPLINE):
            cells = tuple(
                ResultCell(by_key[system, m], view.comparison(system, task.name, m), corrected.get((system, m)))
                if (system, m) in by_key
                else None
                for m in metrics
            )
            if any(cells):
                rows.append(ResultRow(system, cells))
        columns = tuple(_column(metric, metrics, results, view) for metric in metrics)
        tables.append(ResultTable(task, columns, tuple(rows)))
    return tuple(tables)


def _column(metric: str, metrics: Sequence[str], results: Sequence[Result], view: ReportView) -> ResultColumn:
    info = view.metric(metric)
    own = [result for result in results if result.metric == metric]
    begin, end = bar_ends(own, info)
    is_alone = [view.metric(other).title for other in metrics].count(info.title) == 1
    return ResultColumn(metric, info, begin, end, is_alone, str(own[0].recipe))


def bar_ends(results: Sequence[Result], info: MetricInfo) -> tuple[float, float]:
    """Where bars of a metric begin and end: its range; without an end, 1 for shares, or as far as values go.

    An interval may go further than ``REACH`` times the largest value: one of few samples must not press all others into
    a corner. A metric without a beginning has no bars.
    """
    if not math.isfinite(info.least):
        return 0.0, 0.0
    values = [result.value for result in results if math.isfinite(result.value)]
    highs = [result.ci_high for result in results if math.isfinite(result.ci_high)]
    if math.isfinite(info.most):
        return info.least, info.most
    usual = 1.0 if info.aggregation == "rate" else 0.0
    largest = max(values, default=0.0)
    reached = min(max(highs, default=0.0), info.least + REACH * (max(largest, usual) - info.least))
    return info.least, max(usual, largest, reached)
