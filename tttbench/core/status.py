"""How a request ended, seen over all its scores. Knows statuses alone.

A score has a status of its own: an answer that was written but not spoken is ``ok`` for the metrics of the text and
``empty`` for those of the speech. The request as a whole has the worst of them, so that every request is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable

from tttbench.core.exchange import STATUSES, Status


def worst_status(statuses: Iterable[Status]) -> Status:
    """Return the worst of ``statuses``, in the order of ``STATUSES``; ``ok`` if there are none."""
    return max(statuses, key=STATUSES.index, default="ok")


def request_status(answer: Status, scores: Iterable[Status]) -> Status:
    """Return how a request ended: the worst status of its scores; the answer's own if it is an error or unscored.

    Args:
        answer: the answer's own status: ``ok``, ``empty`` or ``error``.
        scores: the statuses of its scores, one a metric.
    """
    found = tuple(scores)
    return answer if answer == "error" or not found else worst_status(found)
