"""The headline and latency tables: which number stands where, and which one is marked as the best.

Pure functions on the suite's records; numbers are passed through untouched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mode
from typing import Literal

from tttbench.records import ProbeResult, Result
from tttbench.store import TRUTH

from .labels import metric_label, probe_title
from .view import ReportView, TaskView

Mark = Literal["best", "overlaps", ""]
"""``best`` of its column; ``overlaps``: its interval overlaps the best one's, so they can't be told apart."""

TOLERANCE = 0.05
"""Medians of one run that differ by less than this share are called equally good."""

_PROBE_ORDER = (
    "prefill",
    "ttft",
    "ttfa_codes",
    "ttfa_wave",
    "latency",
    "nfe_per_code",
    "nfe",
    "codes_per_s",
    "rtf",
    "rtf_input",
    "stalls",
    "stall_s",
)
_STAGES = ("rtf_input_", "rtf_")


@dataclass(frozen=True)
class HeadlineCell:
    """A result and how it stands among the systems of the same task."""

    result: Result
    mark: Mark


@dataclass(frozen=True)
class HeadlineRow:
    """A system's results on one task; None where it has none."""

    system: str
    cells: tuple[HeadlineCell | None, ...]


@dataclass(frozen=True)
class HeadlineColumn:
    """A metric and which way it points; its bars end at ``scale``, 1 unless a value or interval goes beyond."""

    metric: str
    lower_is_better: bool
    scale: float


@dataclass(frozen=True)
class HeadlineTable:
    """All results on one task, systems by metrics."""

    task: TaskView
    columns: tuple[HeadlineColumn, ...]
    rows: tuple[HeadlineRow, ...]


@dataclass(frozen=True)
class LatencyCell:
    """A probe's figure, and whether it is the best of its row."""

    probe: ProbeResult
    best: bool


@dataclass(frozen=True)
class LatencyRow:
    """One metric over the columns of its table; None where a system has no such figure.

    ``stage``: it is one stage's part of the row above.
    """

    metric: str
    title: str
    stage: bool
    cells: tuple[LatencyCell | None, ...]


@dataclass(frozen=True)
class LatencyColumn:
    """A system with its strategy, asked ``batch_size`` requests a call.

    ``n`` requests stand behind most of its figures; those with another n say so.
    """

    system: str
    strategy: str
    n: int
    batch_size: int


@dataclass(frozen=True)
class LatencyTable:
    """Latency on one task."""

    task: str
    title: str
    columns: tuple[LatencyColumn, ...]
    rows: tuple[LatencyRow, ...]


def headline_tables(view: ReportView) -> tuple[HeadlineTable, ...]:
    """One table per task, in the run's order; metrics in the task's order, then any others by name."""
    tables = []
    for task in view.tasks:
        results = [result for result in view.results if result.task == task.name]
        if not results:
            continue
        found = {result.metric for result in results}
        metrics = (*(m for m in task.metrics if m in found), *sorted(found - set(task.metrics)))
        marks = {metric: _marks([r for r in results if r.metric == metric]) for metric in metrics}
        by_key = {(result.system, result.metric): result for result in results}
        rows = []
        for system in dict.fromkeys([s.name for s in view.systems] + [r.system for r in results]):
            cells = tuple(
                HeadlineCell(by_key[system, m], marks[m].get(system, "")) if (system, m) in by_key else None
                for m in metrics
            )
            if any(cells):
                rows.append(HeadlineRow(system, cells))
        lower = {result.metric: result.lower_is_better for result in results}
        columns = tuple(HeadlineColumn(m, lower[m], _scale([r for r in results if r.metric == m])) for m in metrics)
        tables.append(HeadlineTable(task, columns, tuple(rows)))
    return tuple(tables)


def _scale(results: Sequence[Result]) -> float:
    ends = [end for result in results for end in (result.value, result.ci_high) if math.isfinite(end)]
    return max([1.0, *ends])


def _marks(results: Sequence[Result]) -> dict[str, Mark]:
    """Mark the best of one task and metric, and those that it can't be told from.

    There is no mark where all are equal or alone, nor on a difference: little lost in speaking is no merit.
    """
    usable = [result for result in results if not math.isnan(result.value) and result.system != TRUTH]
    if len({result.value for result in usable}) < 2 or metric_label(usable[0].metric).unit == "points":
        return {}
    sign = 1 if usable[0].lower_is_better else -1
    top = min(sign * result.value for result in usable)
    winners = [result for result in usable if sign * result.value == top]
    marks: dict[str, Mark] = {}
    for result in usable:
        if result in winners:
            marks[result.system] = "best"
        elif any(result.ci_low <= best.ci_high and best.ci_low <= result.ci_high for best in winners):
            marks[result.system] = "overlaps"
    return marks


def latency_tables(view: ReportView) -> tuple[LatencyTable, ...]:
    """One table per task: metrics down, systems with their strategies across."""
    order = {task.name: index for index, task in enumerate(view.tasks)}
    titles = {task.name: task.title for task in view.tasks}
    batch_sizes = {system.name: system.batch_size for system in view.systems}
    system_order = {system.name: index for index, system in enumerate(view.systems)}
    tables = []
    for task in sorted({probe.task for probe in view.probes}, key=lambda name: (order.get(name, len(order)), name)):
        probes = [probe for probe in view.probes if probe.task == task]
        keys = sorted(
            {(probe.system, probe.strategy) for probe in probes},
            key=lambda key: (system_order.get(key[0], len(system_order)), key),
        )
        by_key = {(probe.metric, probe.system, probe.strategy): probe for probe in probes}
        rows = []
        for metric in sorted({probe.metric for probe in probes}, key=_probe_rank):
            here = [by_key.get((metric, *key)) for key in keys]
            stage = metric.startswith(_STAGES) and metric not in _PROBE_ORDER
            best = frozenset() if stage else _best([probe for probe in here if probe is not None])
            cells = tuple(None if p is None else LatencyCell(p, p.system in best) for p in here)
            rows.append(LatencyRow(metric, probe_title(metric), stage, cells))
        columns = tuple(
            LatencyColumn(
                *key,
                n=mode(probe.n for probe in probes if (probe.system, probe.strategy) == key),
                batch_size=batch_sizes.get(key[0], 1),
            )
            for key in keys
        )
        title = titles.get(task, task) or "The whole run"
        tables.append(LatencyTable(task, title, columns, tuple(rows)))
    return tuple(tables)


def _probe_rank(metric: str) -> tuple[int, str]:
    """Known metrics in reading order; the stages of a real-time factor directly below the whole."""
    if metric in _PROBE_ORDER:
        return 2 * _PROBE_ORDER.index(metric), ""
    for stages in _STAGES:
        if metric.startswith(stages):
            return 2 * _PROBE_ORDER.index(stages.removesuffix("_")) + 1, metric
    return 2 * len(_PROBE_ORDER), metric


def _best(probes: Sequence[ProbeResult]) -> frozenset[str]:
    """The systems with the best median of a row: the largest throughput, the smallest of anything else.

    Those within ``TOLERANCE`` of it share the mark; where that is everybody, nobody has it.
    """
    medians = {probe.system: probe.p50 for probe in probes if not math.isnan(probe.p50)}
    if not medians:
        return frozenset()
    if probes[0].unit == "1/s":
        limit = max(medians.values()) / (1 + TOLERANCE)
        found = {system for system, median in medians.items() if median >= limit}
    else:
        limit = min(medians.values()) * (1 + TOLERANCE)
        found = {system for system, median in medians.items() if median <= limit}
    return frozenset() if len(found) == len(medians) else frozenset(found)
