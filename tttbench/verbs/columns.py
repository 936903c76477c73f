"""Tables for the terminal: aligned columns of plain text, readable in a pipe too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


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


def percent(value: float | None) -> str:
    """Return a share of 1 as per cent with one decimal; a dash for none."""
    return "-" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def results_table(results: Sequence[dict[str, Any]]) -> str:
    """Return results, as the summary has them, as a table: value and interval in per cent, counts."""
    head = ["system", "task", "metric", "%", "95 % interval", "n", "ok", "empty", "unparsed", "judge_failed", "error"]
    rows = [head]
    for entry in results:
        interval = f"{percent(entry['ci_low'])} to {percent(entry['ci_high'])}"
        rows.append(
            [entry["system"], entry["task"], entry["metric"], percent(entry["value"]), interval]
            + [str(entry[name]) for name in head[5:]]
        )
    return columns(rows, right=frozenset(range(3, len(head))))


def probes_table(probes: Sequence[dict[str, Any]]) -> str:
    """Return probe results, as the summary has them, as a table."""
    rows = [["system", "strategy", "task", "figure", "unit", "p50", "p90", "p99", "n"]]
    for entry in probes:
        rows.append(
            [entry[name] for name in ("system", "strategy", "task", "metric", "unit")]
            + [number(entry[name]) for name in ("p50", "p90", "p99")]
            + [str(entry["n"])]
        )
    return columns(rows, right=frozenset(range(5, 9)))
