"""The page of ``tttbench explain``: every way of scoring with its value, and the samples that each step moves most."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tttbench import __version__
from tttbench.core.metric import MetricInfo
from tttbench.pages.assets import style, template
from tttbench.scorers.explained import Cell, Explanation, number
from tttbench.scorers.words import plural


def explained_page(explanations: Sequence[Explanation]) -> str:
    """Return the page."""
    return template("explain.html.j2").render(
        explanations=explanations,
        has_other_units=_has_other_units(explanations),
        plural=plural,
        number=_number,
        notes=_notes,
        style=style(),
        version=__version__,
    )


def _has_other_units(explanations: Sequence[Explanation]) -> bool:
    """Whether a row with a value counts other units, and so is set against none."""
    rows = [row for one in explanations for row in (*one.presets, *one.steps) if row.counts_others]
    return any(not math.isnan(cell.value) for row in rows for cell in row.cells)


def _number(value: float, info: MetricInfo, *, signed: bool = False) -> str:
    """As in the terminal, with a true minus; a dash for none stays one."""
    text = number(value, info, signed=signed)
    return text if text == "-" else text.replace("-", "\u2212")


def _notes(cell: Cell, info: MetricInfo) -> str:
    """The change, and how many answers are left out, as far as there are any."""
    change = "" if math.isnan(cell.change) else _number(cell.change, info, signed=True)
    return ", ".join(filter(None, [change, f"{cell.dropped} dropped" if cell.dropped else ""]))
