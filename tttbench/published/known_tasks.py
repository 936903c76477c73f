"""What tables need to know of the tasks that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tttbench.published import Column


@dataclass(frozen=True)
class KnownTask:
    """A task that there is.

    Attributes:
        size: of its published set; 0 if unknown.
        missing: what its published score lacks here; ``""`` for nothing.
        scores: ids of its own scores: those by a judge where it has such, else all. Empty if unknown.
    """

    size: int = 0
    missing: str = ""
    scores: tuple[str, ...] = ()

    def metrics_in(self, column: Column) -> tuple[str, ...]:
        """The metrics of a column by which the task enters its mean: its own score alone, if the column has that."""
        metrics = (column.metric, *column.instead)
        return tuple(one for one in metrics if one in self.scores) or metrics

    def may_own(self, metric: str) -> bool:
        """Whether a metric is one of its own scores, or those aren't known."""
        return not self.scores or metric in self.scores


def known(tasks: Mapping[str, KnownTask], name: str) -> KnownTask:
    """Return a task by name; of one that there is not, nothing is known."""
    return tasks.get(name, KnownTask())
