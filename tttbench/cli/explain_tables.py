"""Explanations for the terminal: a table of presets, a table of steps, and the samples that moved most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tttbench.cli.columns import columns
from tttbench.core.metric import MetricInfo
from tttbench.scorers.explained import Cell, Explanation, Row, number
from tttbench.scorers.words import plural

_LONGEST = 100
"""Characters of what differs in a sample."""


def show(explanation: Explanation) -> str:
    """Return the tables of a task."""
    head = f"{explanation.task}: {explanation.what}, {plural(explanation.n_samples, 'sample')}"
    change = f"vs. {explanation.base}" if explanation.base else "change"
    parts = [head, _table("preset", explanation.presets, explanation.columns, change)]
    if explanation.steps:
        parts += [
            f"{explanation.steps_of}, one step after the other:",
            _table("step", explanation.steps, explanation.columns, "change"),
        ]
    if explanation.steps_problem:
        parts.append(f"{explanation.steps_of} isn't taken apart here: {explanation.steps_problem}")
    parts += _examples(explanation)
    return "\n\n".join(parts) + "\n"


def _table(what: str, rows: Sequence[Row], labels: Sequence[str], change: str) -> str:
    has_dropped = any(cell.dropped for row in rows for cell in row.cells)
    heads = [head for label in labels for head in (label, change, *(["dropped"] if has_dropped else []))]
    table = [[what, *heads]]
    for row in rows:
        if row.problem:
            table.append([row.name, *["-"] * len(heads)])
            continue
        cells = [text for cell in row.cells for text in _cell(cell, row.info, has_dropped=has_dropped)]
        table.append([row.name, *cells])
    problems = [f"{row.name}: {row.problem}" for row in rows if row.problem]
    return "\n".join([columns(table, right=frozenset(range(1, len(heads) + 1))), *problems])


def _cell(cell: Cell, info: MetricInfo, *, has_dropped: bool) -> Iterator[str]:
    yield number(cell.value, info)
    yield "" if math.isnan(cell.change) else number(cell.change, info, signed=True)
    if has_dropped:
        yield str(cell.dropped) if cell.dropped else ""


def _examples(explanation: Explanation) -> Iterator[str]:
    """The samples that each step, or else preset, moved most, of the first system."""
    lines = []
    unit, what = (" errors", "step") if explanation.steps else ("", "preset")
    for row in explanation.steps or explanation.presets:
        for cell in row.cells[:1]:
            if cell.moved:
                lines.append(f"{row.name}: {plural(cell.n_moved, 'sample')}, e.g.")
            for one in cell.moved:
                lines.append(f"  {one.id}: {one.before:g} → {one.now:g}{unit}")
                lines.append(f"    before: {_short(one.differed)}")
                lines.append(f"    now:    {_short(one.differs)}")
    if lines:
        yield f"What each {what} moved most in {explanation.columns[0]}, reference → answer:"
        yield "\n".join(lines)


def _short(text: str) -> str:
    if not text:
        return "nothing differs"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
