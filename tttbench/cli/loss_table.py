"""Where right answers are lost, in the terminal: a row for each system and condition, a column for each stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tttbench.cli.columns import columns
from tttbench.scorers import words

if TYPE_CHECKING:
    from tttbench.core.losses import LossPath

_NOTE = "Where right answers are lost: points of all answers, paired [95 %], and how many were lost and gained."


def loss_table(paths: Sequence[LossPath], left_out: Sequence[str] = ()) -> str:
    """Return the table of a run that asks the same questions in several ways; ``""`` for others.

    ``left_out`` says what can't be compared, a sentence each.
    """
    if not paths:
        return "\n".join([_NOTE, *left_out]) if left_out else ""
    stages = words.stages_of(paths)
    has_clean = any(one.against_clean is not None for one in paths)
    head = ["system", "questions", "asked", *stages, "right", *(["to clean speech"] if has_clean else []), "n"]
    rows = [head]
    for one in paths:
        by_stage = {loss.stage: loss for loss in one.stages}
        cells = [words.loss(by_stage[stage]) if stage in by_stage else "" for stage in stages]
        against = words.loss(one.against_clean) if one.against_clean is not None else ""
        rows.append(
            [one.system, one.condition_of, one.condition, *cells, f"{100 * one.right:.1f} %"]
            + ([against] if has_clean else [])
            + [f"{one.n:,}"]
        )
    return "\n".join(
        [_NOTE, columns(rows, right=frozenset({len(stages) + 3, len(head) - 1})), *_left_out(paths), *left_out]
    )


def _left_out(paths: Sequence[LossPath]) -> Iterator[str]:
    for one in paths:
        if one.left_out:
            answers = words.plural(one.left_out, "answer")
            yield f"{one.system} on {one.task}: {answers} without a value in some stage left out."
