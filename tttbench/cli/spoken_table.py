"""Lengths, silence and clipping of spoken answers, in the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tttbench.cli.columns import columns, number

if TYPE_CHECKING:
    from tttbench.core.spoken import SpokenAnswers


def spoken_table(spoken: Sequence[SpokenAnswers]) -> str:
    """Return a row for each system and task that was answered in speech; ``""`` where none was."""
    if not spoken:
        return ""
    rows = [["system", "task", "spoken", "median s", "silence", "clipped answers", "unreadable"]]
    for one in spoken:
        silence = "-" if math.isnan(one.silence) else f"{100 * one.silence:.1f} %"
        cells = [number(one.median_s), silence, str(one.clipped), str(one.unreadable or "-")]
        rows.append([one.system, one.task, str(one.n), *cells])
    return columns(rows, right=frozenset(range(2, 7)))
