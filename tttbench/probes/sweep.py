"""A sweep: points measured interleaved, each until it is known well enough. Knows no system, no disk and no terminal.

Points take turns, so that whatever else the machine does meets all of them alike. The clock comes in from outside.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tttbench.core.metric import ProbeResult
from tttbench.probes.axes import Point
from tttbench.probes.latency import figures, latency_probes
from tttbench.probes.machine_load import load_of, reasons
from tttbench.probes.stopping import Ended, Stopping, ended, share_s, width
from tttbench.probes.turn import Turn
from tttbench.stats.median import MedianInterval, median_interval
from tttbench.stats.percentiles import percentiles

if TYPE_CHECKING:
    from reference_model.roofline import Ceilings


@dataclass(frozen=True)
class Subject:
    """What is measured at one point.

    Attributes:
        point: its values.
        strategy: decoding strategy in use; ``""`` for none.
        turn: asks every request once; True gives free memory back first.
    """

    point: Point
    strategy: str
    turn: Callable[[bool], Turn]


@dataclass(frozen=True)
class Measured:
    """A point, the repeats that count, and what ended them.

    Attributes:
        subject: the point.
        turns: the repeats.
        ended: what ended them.
        warm: the last repeat of the warm-up, which began without free memory, so that its peak is the point's own; None
            without a warm-up.
        spent_s: seconds of all repeats, warm-up included.
    """

    subject: Subject
    turns: tuple[Turn, ...]
    ended: Ended
    warm: Turn | None = None
    spent_s: float = 0.0


@dataclass(frozen=True)
class PointResult:
    """What a point came to.

    Attributes:
        point: its values, by the axes' names.
        strategy: decoding strategy in use.
        ended: what ended the repeats.
        repeats: how many there were.
        intervals: of every figure of a repeat (``latency`` in seconds, ``rtf``, ``answers_per_s``,
            ``percent_of_limit`` …) the median over the repeats with its 95 % interval; what the answers don't show is
            left out.
        latencies_s: of each repeat the median over its requests; none where requests were generated together.
        probes: every figure over all requests (over all repeats where it belongs to one), with its percentiles.
        errors: messages of requests that failed.
        together: requests a call.
        empty, cut: answers that are left out, as they are empty, or a length limit cut them.
        busy: why the machine was too busy for the times to be relied on; ``""`` where it wasn't.
        spent_s: seconds that all repeats took, warm-up included.
        known_within: width of the 95 % interval of what was measured, over its median; None without an interval.
    """

    point: Point
    strategy: str
    ended: Ended
    repeats: int
    intervals: Mapping[str, MedianInterval]
    latencies_s: tuple[float, ...]
    probes: tuple[ProbeResult, ...]
    errors: tuple[str, ...]
    together: int = 1
    empty: int = 0
    cut: int = 0
    busy: str = ""
    spent_s: float = 0.0
    known_within: float | None = None

    def probe(self, metric: str) -> ProbeResult | None:
        """The figure called ``metric``, if there is one."""
        return next((probe for probe in self.probes if probe.metric == metric), None)


class _Running:
    """A point on its way."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.turns: list[Turn] = []
        self.spent_s = 0.0
        self.ended: Ended | None = None
        self.warm: Turn | None = None

    def turn(self, clock: Callable[[], float], *, afresh: bool = False) -> Turn:
        before_s = clock()
        turn = self.subject.turn(afresh)
        self.spent_s += clock() - before_s
        return turn


def measured_s(turns: Sequence[Turn]) -> list[float]:
    """Return what is measured of every turn in which a request was answered."""
    return [turn.measured_s for turn in turns if not math.isnan(turn.measured_s)]


def sweep(
    subjects: Sequence[Subject],
    rule: Stopping,
    warmup: int,
    clock: Callable[[], float],
    on_end: Callable[[Measured], None] | None = None,
) -> list[Measured]:
    """Measure every point, interleaved; a ``KeyboardInterrupt`` ends it early; points without a repeat are left out.

    Args:
        subjects: the points.
        rule: when a point has been measured enough.
        warmup: turns of each point that don't count.
        clock: monotonic seconds.
        on_end: called with every point that ends.
    """
    points = [_Running(subject) for subject in subjects]
    try:
        for number in range(1, warmup + 1):
            for point in points:
                point.warm = point.turn(clock, afresh=number == warmup)
        while any(point.ended is None for point in points):
            for point in points:
                if point.ended is None:
                    point.turns.append(point.turn(clock))
                    _end(point, points, rule, on_end)
    except KeyboardInterrupt:
        for point in points:
            point.ended = point.ended or "interrupted"
    return [_measured(point) for point in points if point.turns]


def _end(
    point: _Running, points: Sequence[_Running], rule: Stopping, on_end: Callable[[Measured], None] | None
) -> None:
    """End the point if its turn was the last."""
    finished_s = [one.spent_s for one in points if one.ended is not None]
    share = share_s(rule.budget_s, finished_s, len(points) - len(finished_s))
    point.ended = ended(rule, measured_s(point.turns), len(point.turns), point.spent_s, share)
    if point.ended is not None and on_end is not None:
        on_end(_measured(point))


def _measured(point: _Running) -> Measured:
    return Measured(point.subject, tuple(point.turns), point.ended or "interrupted", point.warm, point.spent_s)


_UNITS = {"answers_per_s": "1/s", "throughput_codes_per_s": "1/s", "percent_of_limit": "%"}


def results_of(measured: Sequence[Measured], system: str, task: str, ceilings: Ceilings | None) -> list[PointResult]:
    """Return the figures of all points of a sweep; calibration times are compared with the shortest of them.

    Args:
        measured: the points.
        system, task: names for the figures.
        ceilings: what the device reaches; None where passes aren't told.
    """
    why = reasons([load_of(turn.conditions for turn in one.turns) for one in measured])
    return [_result(one, system, task, ceilings, busy) for one, busy in zip(measured, why, strict=True)]


def _result(measured: Measured, system: str, task: str, ceilings: Ceilings | None, busy: str) -> PointResult:
    turns, strategy = measured.turns, measured.subject.strategy
    rates = {
        "answers_per_s": [turn.answers_per_s for turn in turns],
        "throughput_codes_per_s": [turn.codes_per_s for turn in turns],
        "percent_of_limit": [turn.percent_of_limit(ceilings) for turn in turns],
    }
    known = {name: found for name, values in rates.items() if (found := [v for v in values if not math.isnan(v)])}
    watched = turns if measured.warm is None else (measured.warm,)
    memory = {"peak_memory": max(turn.peak_bytes for turn in watched) / 1e6}
    on_device = [turn.device_peak_bytes for turn in watched if turn.device_peak_bytes is not None]
    if on_device:
        memory["peak_memory_device"] = max(on_device) / 1e6
    probes = latency_probes(system, strategy, task, [one for turn in turns for one in turn.timed], busy)
    of_repeats = {**_medians(probes, turns), **known}
    probes += [_probe(system, strategy, task, name, _UNITS[name], values, busy) for name, values in known.items()]
    probes += [_probe(system, strategy, task, name, "MB", [value], "") for name, value in memory.items()]
    main, together = measured_s(turns), int(measured.subject.point.get("batch_size", 1))
    return PointResult(
        measured.subject.point,
        strategy,
        measured.ended,
        len(turns),
        {name: median_interval(values) for name, values in of_repeats.items()},
        tuple(turn.latency_s for turn in turns) if together == 1 else (),
        tuple(probes),
        tuple(error for turn in turns for error in turn.errors),
        together,
        sum(turn.empty for turn in turns),
        sum(turn.cut for turn in turns),
        busy,
        measured.spent_s,
        width(main) if main else None,
    )


def _medians(probes: Sequence[ProbeResult], turns: Sequence[Turn]) -> dict[str, list[float]]:
    """Of every figure of requests the median in each repeat that has it."""
    found: dict[str, list[float]] = {probe.metric: [] for probe in probes}
    for turn in turns:
        of_turn: dict[str, list[float]] = {}
        for one in turn.timed:
            for figure in figures(one):
                of_turn.setdefault(figure.metric, []).append(figure.value)
        for metric, values in of_turn.items():
            if metric in found:
                found[metric].append(statistics.median(values))
    return found


def _probe(
    system: str, strategy: str, task: str, metric: str, unit: str, values: Sequence[float], busy: str
) -> ProbeResult:
    over = percentiles(values)
    return ProbeResult(system, strategy, task, metric, unit, over.p50, over.p90, over.p99, over.n, busy)
