"""Tables for the terminal: aligned columns of plain text, readable in a pipe too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tttbench.cli.terminal import one_line
from tttbench.core.exchange import STATUSES

if TYPE_CHECKING:
    from tttbench.core.metric import Ablated, Comparison, MetricInfo, Result
    from tttbench.gate.verdict import QualityVerdict, SpeedVerdict


def columns(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Return ``rows`` (the first is the head) as text; the columns in ``right`` are flush right."""
    rows = [[one_line(cell) for cell in row] for row in rows]
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


def results_table(
    results: Sequence[Result], metrics: Mapping[str, MetricInfo], comparisons: Sequence[Comparison] = ()
) -> str:
    """Return results as a table: value and interval in the metric's own unit, counts, and the standing of each.

    The last two columns are there if systems were compared: the paired difference to the best, and what the test says.
    """
    from tttbench.scorers import words

    compared = {(one.system, one.task, one.metric): one for one in comparisons}
    head = ["system", "task", "metric", "value", "95 % interval", "unit", "over", "n", "not ok"]
    rows = [[*head, *(("to the best [95 %]", "standing") if comparisons else ())]]
    for entry in results:
        info = metrics[entry.metric]
        named = (*(name for name in STATUSES if name != "ok"), "cut")
        statuses = ", ".join(f"{k} {name}" for name in named if (k := getattr(entry, name)))
        cells = [entry.system, entry.task, entry.metric, info.text(entry.value), words.interval(entry, info), info.unit]
        cells += [words.units(entry), str(entry.n), statuses or "-"]
        if comparisons:
            one = compared.get((entry.system, entry.task, entry.metric))
            cells += ["", ""] if one is None else [words.difference(one, info), words.standing_in_full(one)]
        rows.append(cells)
    return columns(rows, right=frozenset({3, 4, 7, 9}))


def ablations_table(ablations: Sequence[Ablated], results: Sequence[Result], metrics: Mapping[str, MetricInfo]) -> str:
    """Return what each switch is worth as a table: value with and without it, paired difference, what the test says."""
    from tttbench.scorers import words

    values = {(one.system, one.task, one.metric): one.value for one in results}
    rows = [["base", "without", "task", "metric", "base", "without it", "unit", "difference [95 %]", "standing"]]
    for entry in ablations:
        one, info = entry.comparison, metrics[entry.comparison.metric]
        both = [info.text(values.get((label, one.task, one.metric), math.nan)) for label in (one.best, one.system)]
        cells = [one.best, entry.switch, one.task, one.metric, *both, info.unit]
        rows.append([*cells, words.difference(one, info), words.standing_in_full(one)])
    return columns(rows, right=frozenset({4, 5, 7}))


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
