"""The failed requests of a run, equal reasons gathered; none is left out."""

from __future__ import annotations

from dataclasses import dataclass

from tttbench.core.exchange import Status

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
