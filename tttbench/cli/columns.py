"""Tables for the terminal: aligned columns of plain text, readable in a pipe too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tttbench.core.metric import MetricInfo, Result
    from tttbench.gate.verdict import QualityVerdict, SpeedVerdict


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
    """Return results as a table: value and interval in the metric's own unit, counts by status, and of cut answers."""
    counts = ["n", "ok", "empty", "unparsed", "derivation_failed", "error"]
    counts += ["cut"] if any(entry.cut for entry in results) else []
    rows = [["system", "task", "metric", "value", "95 % interval", "unit", *counts]]
    for entry in results:
        info = metrics[entry.metric]
        value, low, high = (in_unit(one, info) for one in (entry.value, entry.ci_low, entry.ci_high))
        rows.append(
            [
                entry.system,
                entry.task,
                entry.metric,
                value,
                "-" if low == high == "-" else f"{low} to {high}",
                info.unit,
            ]
            + [str(getattr(entry, name)) for name in counts]
        )
    return columns(rows, right=frozenset({3, 4, *range(6, 6 + len(counts))}))


def in_unit(value: float, info: MetricInfo) -> str:
    """Return a metric's value in its unit: shares with one decimal, others with three digits; a dash for none."""
    if math.isnan(value):
        return "-"
    return f"{info.shown(value):.1f}" if info.unit in ("%", "points") else number(value)


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
