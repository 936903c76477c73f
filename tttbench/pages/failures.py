"""The failed requests of a run, and the systems without any answer: equal reasons gathered, none left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tttbench.core.exchange import Status
from tttbench.store.manifest import Unanswered

from .labels import listing
from .view import ReportView

_REASONS: dict[Status, str] = {
    "empty": "the answer is empty",
    "unparsed": "the answer could not be read",
    "derivation_failed": "what the score needs could not be made",
    "error": "no reason was given",
}


@dataclass(frozen=True)
class FailureGroup:
    """Requests of one system and task that failed for the same reason, by sample id in the run's order."""

    system: str
    task: str
    status: Status
    message: str
    ids: tuple[str, ...]


def failure_groups(view: ReportView) -> tuple[FailureGroup, ...]:
    """Return every request that is not ok, in groups, in the order of their first samples."""
    groups: dict[tuple[str, str, Status, str], list[str]] = {}
    for row in view.rows:
        if row.status != "ok":
            message = row.message or _REASONS[row.status]
            groups.setdefault((row.system, row.task, row.status, message), []).append(row.id)
    return tuple(FailureGroup(*key, ids=tuple(ids)) for key, ids in groups.items())


def without_scores(unanswered: Sequence[Unanswered], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Say of each system that answered nothing why it has no score; once where several tasks have one reason.

    Args:
        unanswered: systems and tasks.
        titles: of the tasks, by name.
    """
    groups: dict[tuple[str, str], list[Unanswered]] = {}
    for one in unanswered:
        groups.setdefault((one.system, one.reason), []).append(one)
    return tuple(_without_score(group, titles) for group in groups.values())


def _without_score(group: Sequence[Unanswered], titles: Mapping[str, str]) -> str:
    tasks = listing(titles.get(one.task, one.task) for one in group)
    return str(replace(group[0], task=tasks, n=sum(one.n for one in group)))
