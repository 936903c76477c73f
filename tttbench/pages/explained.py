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
        plural=plural,
        number=number,
        notes=_notes,
        style=style(),
        version=__version__,
    )


def _notes(cell: Cell, info: MetricInfo) -> str:
    """The change, and how many answers are left out, as far as there are any."""
    change = "" if math.isnan(cell.change) else number(cell.change, info, signed=True)
    return ", ".join(filter(None, [change, f"{cell.dropped} dropped" if cell.dropped else ""]))
