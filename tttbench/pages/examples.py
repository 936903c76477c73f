"""Which sample is shown near the top: one that as many decoding strategies as possible gave a spoken answer to.

Pure choice on rows; draws nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median_low

from .view import ReportView, Row

MAX_EXAMPLES = 4
"""More pictures than this don't stand side by side."""


def featured(view: ReportView) -> tuple[int, ...]:
    """Return the indices into ``view.rows`` of the answers to one sample, systems in the run's order.

    Of the samples that the most systems answered with traced audio codes, those with the fewest wrong answers count,
    and of these the one whose longest answer is of median length. Empty if no answer has such a trace.
    """
    by_sample: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, row in enumerate(view.rows):
        if row.trace is not None and row.trace.commit_step:
            by_sample[row.task, row.id].append(index)
    if not by_sample:
        return ()
    rank = {sample: (-len(found), sum(view.rows[i].wrong for i in found)) for sample, found in by_sample.items()}
    best = min(rank.values())
    top = [found for sample, found in by_sample.items() if rank[sample] == best]
    lengths = [_longest(view.rows, found) for found in top]
    chosen = top[lengths.index(median_low(lengths))]
    order = {system.name: position for position, system in enumerate(view.systems)}
    chosen = sorted(chosen, key=lambda index: order.get(view.rows[index].system, len(order)))
    return tuple(chosen[:MAX_EXAMPLES])


def _longest(rows: Sequence[Row], found: Sequence[int]) -> int:
    return max(rows[index].codes for index in found)
