"""The tables of latency: which number stands where, and which one is marked as the best.

Pure functions on the suite's records; numbers are passed through untouched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mode

from tttbench.core.metric import ProbeResult, TimedAnswers
from tttbench.store.timings import in_words

from .labels import is_stage
from .view import ReportView

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


@dataclass(frozen=True)
class LatencyCell:
    """A metric, and whether it is the best of its column."""

    probe: ProbeResult
    best: bool


@dataclass(frozen=True)
class LatencyRow:
    """A system with its strategy, and its metrics; None where it has none.

    Attributes:
        system, strategy: which.
        n: complete answers behind most of the metrics; those with another n say so.
        left_out: the other answers, in words; ``""`` if there are none.
        busy: why the machine was too busy for the times; ``""`` where it wasn't.
        cells: one a metric of the table.
        stages: the parts of its real-time factor, by name.
    """

    system: str
    strategy: str
    n: int
    left_out: str
    busy: str
    cells: tuple[LatencyCell | None, ...]
    stages: tuple[ProbeResult, ...]


@dataclass(frozen=True)
class LatencyTable:
    """Metrics on one task: systems down, ``metrics`` across.

    ``together``: how many requests were generated at a time; above 1 there are metrics of compute alone, and ``why``
    says why.
    """

    task: str
    title: str
    metrics: tuple[str, ...]
    rows: tuple[LatencyRow, ...]
    together: int = 1
    why: str = ""

    @property
    def is_of_answers(self) -> bool:
        """Whether its figures are medians over answers; memory is one figure of the whole run."""
        return bool(self.task)

    @property
    def has_best(self) -> bool:
        """Whether any figure is marked as the best."""
        return any(cell.best for row in self.rows for cell in row.cells if cell)

    @property
    def has_p90(self) -> bool:
        """Whether any figure rests on enough answers for a 90th percentile."""
        return any(cell.probe.p90 == cell.probe.p90 for row in self.rows for cell in row.cells if cell)

    @property
    def has_stages(self) -> bool:
        """Whether any system says how its compute is shared among stages."""
        return any(row.stages for row in self.rows)


def latency_tables(view: ReportView) -> tuple[LatencyTable, ...]:
    """One table a task, and one more for each number of requests that were generated together."""
    order = {task.name: index for index, task in enumerate(view.tasks)}
    titles = {task.name: task.title for task in view.tasks}
    timed = {(one.system, one.task): one for one in view.timed}
    tables = []
    for task in sorted({probe.task for probe in view.probes}, key=lambda name: (order.get(name, len(order)), name)):
        by_number: dict[int, list[ProbeResult]] = {}
        for probe in view.probes:
            if probe.task == task:
                one = timed.get((probe.system, task))
                by_number.setdefault(1 if one is None else one.together, []).append(probe)
        title = titles.get(task, task) or "The whole run"
        for together, probes in sorted(by_number.items()):
            tables.append(_latency_table(view, task, title, together, probes, timed))
    return tuple(tables)


@dataclass(frozen=True)
class Untimed:
    """A system without any figure of time on some tasks, for one and the same reason."""

    system: str
    tasks: tuple[str, ...]
    why: str


def without_latency(view: ReportView) -> tuple[Untimed, ...]:
    """Where there is no figure of time, and why: no answer was complete, or none of them came with times."""
    there = {(probe.system, probe.task) for probe in view.probes}
    found: dict[tuple[str, str], list[str]] = {}
    for one in view.timed:
        if (one.system, one.task) not in there and (why := _why_untimed(one)):
            found.setdefault((one.system, why), []).append(one.task)
    return tuple(Untimed(system, tuple(tasks), why) for (system, why), tasks in found.items())


def _why_untimed(one: TimedAnswers) -> str:
    if one.n:
        return "its answers came without times, as recorded ones do"
    return f"none of its answers is complete ({in_words(one)})" if in_words(one) else ""


def _latency_table(
    view: ReportView,
    task: str,
    title: str,
    together: int,
    probes: Sequence[ProbeResult],
    timed: Mapping[tuple[str, str], TimedAnswers],
) -> LatencyTable:
    metrics = tuple(sorted({probe.metric for probe in probes if not is_stage(probe.metric)}, key=_probe_rank))
    best = {metric: _best([probe for probe in probes if probe.metric == metric]) for metric in metrics}
    why = next((one.why_no_latency for (_, of), one in timed.items() if of == task and one.together == together), "")
    return LatencyTable(task, title, metrics, tuple(_latency_rows(view, probes, metrics, best, timed)), together, why)


def _latency_rows(
    view: ReportView,
    probes: Sequence[ProbeResult],
    metrics: Sequence[str],
    best: Mapping[str, frozenset[str]],
    timed: Mapping[tuple[str, str], TimedAnswers],
) -> Iterator[LatencyRow]:
    place = {system.name: index for index, system in enumerate(view.systems)}
    keys = {(probe.system, probe.strategy) for probe in probes}
    for system, strategy in sorted(keys, key=lambda key: (place.get(key[0], len(place)), key)):
        own = {probe.metric: probe for probe in probes if (probe.system, probe.strategy) == (system, strategy)}
        answers = timed.get((system, probes[0].task))
        yield LatencyRow(
            system,
            strategy,
            n=mode(probe.n for probe in own.values()) if answers is None else answers.n,
            left_out="" if answers is None else in_words(answers),
            busy=next((probe.busy for probe in own.values() if probe.busy), ""),
            cells=tuple(LatencyCell(own[m], system in best[m]) if m in own else None for m in metrics),
            stages=tuple(own[metric] for metric in sorted(own) if is_stage(metric)),
        )


def _probe_rank(metric: str) -> tuple[int, str]:
    """Known metrics in reading order, others after them by name."""
    known = metric in _PROBE_ORDER
    return (_PROBE_ORDER.index(metric), "") if known else (len(_PROBE_ORDER), metric)


def _best(probes: Sequence[ProbeResult]) -> frozenset[str]:
    """The systems with the best median of a column: the largest throughput, the smallest of anything else.

    Those within ``TOLERANCE`` of it share the mark; where that is everybody, nobody has it. Nor has anybody where the
    machine was busy for one of them: what it would have come to isn't known. Memory is one figure of a process in which
    other systems ran before, so no system is named the best by it.
    """
    medians = {probe.system: probe.p50 for probe in probes if not math.isnan(probe.p50)}
    if not medians or any(probe.busy or not probe.task for probe in probes):
        return frozenset()
    if probes[0].unit == "1/s":
        limit = max(medians.values()) / (1 + TOLERANCE)
        found = {system for system, median in medians.items() if median >= limit}
    else:
        limit = min(medians.values()) * (1 + TOLERANCE)
        found = {system for system, median in medians.items() if median <= limit}
    return frozenset() if len(found) == len(medians) else frozenset(found)
