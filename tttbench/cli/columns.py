"""Tables for the terminal: aligned columns of plain text, readable in a pipe too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tttbench.core.metric import MetricInfo, ProbeResult, Result
    from tttbench.gate.verdict import QualityVerdict, SpeedVerdict
    from tttbench.probes.sweep import PointResult


def columns(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Return ``rows`` (the first is the head) as text; the columns in ``right`` are flush right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[at]) if at in right else cell.ljust(widths[at]) for at, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def number(value: float | None, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits; a dash for none."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0 or abs(value) >= 10**digits:
        return f"{value:.0f}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def results_table(results: Sequence[Result], metrics: Mapping[str, MetricInfo]) -> str:
    """Return results as a table: value and interval in the metric's own unit, counts."""
    counts = ("n", "ok", "empty", "unparsed", "derivation_failed", "error")
    rows = [["system", "task", "metric", "value", "95 % interval", "unit", *counts]]
    for entry in results:
        info = metrics[entry.metric]
        value, low, high = (in_unit(one, info) for one in (entry.value, entry.ci_low, entry.ci_high))
        rows.append(
            [entry.system, entry.task, entry.metric, value, f"{low} to {high}", info.unit]
            + [str(getattr(entry, name)) for name in counts]
        )
    return columns(rows, right=frozenset({3, 4, *range(6, 12)}))


def in_unit(value: float, info: MetricInfo) -> str:
    """Return a metric's value in its unit: shares with one decimal, others with three digits; a dash for none."""
    if math.isnan(value):
        return "-"
    return f"{info.shown(value):.1f}" if info.unit in ("%", "points") else number(value)


def probes_table(probes: Sequence[ProbeResult]) -> str:
    """Return probe results, as the summary has them, as a table."""
    rows = [["system", "strategy", "task", "metric", "unit", "p50", "p90", "p99", "n"]]
    for entry in probes:
        rows.append(
            [getattr(entry, name) for name in ("system", "strategy", "task", "metric", "unit")]
            + [number(getattr(entry, name)) for name in ("p50", "p90", "p99")]
            + [str(entry.n)]
        )
    return columns(rows, right=frozenset(range(5, 9)))


_FIGURES: tuple[tuple[str, str, float], ...] = (
    ("prefill", "prefill", 1000),
    ("TTFT", "ttft", 1000),
    ("TTFA", "ttfa_codes", 1000),
    ("sound", "ttfa_wave", 1000),
    ("codes/s", "codes_per_s", 1),
    ("answers/s", "answers_per_s", 1),
    ("NFE", "nfe", 1),
    ("a code", "nfe_per_code", 1),
    ("MB", "peak_memory", 1),
    ("% of limit", "percent_of_limit", 1),
)
"""Head, metric and factor of the columns behind the latency; times are shown in milliseconds."""


def points_table(results: Sequence[PointResult]) -> str:
    """Return the points of a sweep as a table, a row each: what they differ in, latency in ms, medians of the rest."""
    from tttbench.probes.axes import shown, swept

    axes = swept([result.point for result in results])
    # A column of dashes says nothing.
    figures = [figure for figure in _FIGURES if any(result.probe(figure[1]) for result in results)]
    head = [axis.title for axis in axes] + ["ms P50", "95 % interval", "P90", "P99", "n"]
    rows = [[*head, *(title for title, _, _ in figures), "repeats", "ended by"]]
    for result in results:
        cells = [shown(result.point.get(axis.name)) for axis in axes] + _latency_cells(result)
        probes = [(result.probe(metric), factor) for _, metric, factor in figures]
        cells += ["-" if probe is None else number(factor * probe.p50) for probe, factor in probes]
        rows.append([*cells, str(result.repeats), result.ended])
    return columns(rows, right=frozenset(range(len(axes), len(rows[0]) - 1)))


def _latency_cells(result: PointResult) -> list[str]:
    latency, interval = result.probe("latency"), result.intervals.get("latency")
    if latency is None or interval is None:
        return ["-", "-", "-", "-", "0"]
    # Of fewer than six repeats no interval holds the median with 95 %.
    bounds = f"{number(1000 * interval.low)} to {number(1000 * interval.high)}" if interval.coverage >= 0.95 else "-"
    p50, p90, p99 = (number(1000 * value) for value in (latency.p50, latency.p90, latency.p99))
    return [p50, bounds, p90, p99, str(latency.n)]


def latency_line(result: PointResult) -> str:
    """Return how well the latency of a point is known, and what ended its repeats, as a sentence."""
    _, bounds, *_ = _latency_cells(result)
    known = "no 95 % interval of fewer than 6" if bounds == "-" else f"95 % interval {bounds} ms"
    return f"Median latency: {known}; {result.repeats} repeats, ended by {result.ended}."


def gate_table(verdicts: Sequence[QualityVerdict | SpeedVerdict]) -> str:
    """Return a gate's verdicts as a table, a row each; a star marks those that gate."""
    from tttbench.gate.formats.words import difference_text, quality_value, sentence, speed_value
    from tttbench.gate.verdict import QualityVerdict

    rows = [["", "system", "task", "metric", "baseline", "run", "difference [95 %]", "verdict"]]
    for one in verdicts:
        if isinstance(one, QualityVerdict):
            name, values = one.metric, [quality_value(one, value) for value in (one.baseline, one.run)]
        else:
            name, values = one.figure, [speed_value(one, value) for value in (one.baseline, one.run)]
        rows.append(
            ["*" if one.gates else "", one.system, one.task, name, *values, difference_text(one), sentence(one)]
        )
    return columns(rows, right=frozenset((4, 5, 6)))
