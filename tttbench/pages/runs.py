"""Which runs lie below a folder, and what an index says of each. Reads manifests and summaries; knows no HTML.

Nothing is left out: a run that can't be read, and a folder that can't be entered, is a line that says why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo, Result
from tttbench.store.manifest import Manifest, Summary, Unanswered
from tttbench.store.read_model import Run
from tttbench.store.run_directory import is_being_written

from .failures import without_scores
from .load import device_name

UNREADABLE = "unreadable"
"""The status of a line whose run can't be read."""

_FILES = ("manifest.json", "journal.sqlite")
"""A folder that holds any of them is a run, or was meant to be one."""


@dataclass(frozen=True)
class RunSystem:
    """A system of a run: the hash of its weights, empty if unknown, and its result for each task's primary metric.

    ``unanswered``: tasks of which it answered not a single request.
    """

    name: str
    weights_sha256: str
    results: tuple[Result, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()

    def reason(self, task: str, title: str = "") -> str:
        """Why it has no result for a task, called by its title: all its requests ended as errors; ``""`` if not so."""
        return next((str(replace(one, task=title or task)) for one in self.unanswered if one.task == task), "")


@dataclass(frozen=True)
class RunLine:
    """One run, as far as it can be read.

    Attributes:
        path: relative to the folder of the index, with slashes; ``.`` for that folder itself.
        status: the manifest's, or ``UNREADABLE``; a run that nobody is writing to is ``interrupted``, not ``running``.
        note: why there are no results, or none of some systems.
        has_report: whether ``report.html`` lies in it.
        suite, title: of the suite; empty if unknown, like all texts that follow.
        started: of the first session, ISO 8601 to the minute, UTC.
        expected: requests that the run is to make; None before its summary.
        answered: those with an answer.
        counts: answered requests by how they ended; empty before the summary.
        cut: those of them, of any status, whose answer a length limit cut.
        device, version: what it was made on, and by which tttbench.
        systems: in the order of the suite.
        tasks: titles by name.
        metrics: by score id.
    """

    path: str
    status: str
    note: str = ""
    has_report: bool = False
    suite: str = ""
    title: str = ""
    started: str = ""
    expected: int | None = None
    answered: int | None = None
    counts: Mapping[Status, int] = field(default_factory=dict)
    cut: int = 0
    device: str = ""
    version: str = ""
    systems: tuple[RunSystem, ...] = ()
    tasks: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, MetricInfo] = field(default_factory=dict)

    @property
    def failures(self) -> int | None:
        """Answered requests that did not end ok; None before the summary."""
        return sum(number for status, number in self.counts.items() if status != "ok") if self.counts else None


def read_runs(folder: Path) -> tuple[RunLine, ...]:
    """Read all runs below ``folder``, at any depth: newest first, then those without a date, by path.

    Runs are not searched for runs; hidden folders and links to folders are passed over.
    """
    lines = sorted(_lines(folder, folder), key=lambda line: line.path)
    return tuple(sorted(lines, key=lambda line: line.started, reverse=True))


def _lines(folder: Path, top: Path) -> Iterator[RunLine]:
    path = os.fsencode(folder.relative_to(top).as_posix()).decode("utf-8", "replace")
    try:
        if any((folder / name).is_file() for name in _FILES):
            yield _line(folder, path)
            return
        inside = [Path(e.path) for e in os.scandir(folder) if e.is_dir(follow_symlinks=False) and e.name[0] != "."]
    except OSError as error:
        yield RunLine(path, UNREADABLE, f"the folder can't be entered: {error.strerror}")
        return
    for child in inside:
        yield from _lines(child, top)


def _line(folder: Path, path: str) -> RunLine:
    has_report = (folder / "report.html").is_file()
    try:
        for name in _FILES:
            if not (folder / name).is_file():
                raise UserError(f"{name}: is missing; restore it, or run again.")
        with Run.open(folder) as run:
            line = replace(_from_manifest(run.manifest, path), has_report=has_report)
            if line.status == "running" and not is_being_written(folder):
                line = replace(line, status="interrupted")
            if run.summary is not None:
                return _with_summary(line, run.summary, run.manifest)
            answered = sum(1 for _ in run.answers())
        return replace(line, answered=answered, note="no results yet: the run has not come to its end")
    except UserError as error:
        # Paths stand relative to the run, whose own path the line tells; the page may be passed on.
        reason = str(error).replace(f"{folder}/", "").removeprefix(f"{folder}: ")
        return RunLine(path, UNREADABLE, reason, has_report)


def _from_manifest(manifest: Manifest, path: str) -> RunLine:
    return RunLine(
        path,
        manifest.status,
        suite=manifest.suite.name,
        title=manifest.suite.title,
        started=_minute(manifest.sessions[0].started_at) if manifest.sessions else "",
        device=device_name(manifest.machine),
        version=manifest.versions.get("tttbench", ""),
        systems=tuple(
            RunSystem(label, "" if entry.card is None else entry.card.weights_sha256)
            for label, entry in manifest.systems.items()
        ),
        tasks={name: entry.title or name for name, entry in manifest.tasks.items()},
    )


def _minute(moment: str) -> str:
    try:
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M}"
    except ValueError:
        raise UserError(
            f"manifest.json: field 'sessions[0].started_at' is {moment!r}, not a time. Restore it."
        ) from None


def _with_summary(line: RunLine, summary: Summary, manifest: Manifest) -> RunLine:
    primary = [(name, entry.scores[0].id) for name, entry in manifest.tasks.items() if entry.scores]
    found = {(r.system, r.task, r.metric): r for r in summary.results}
    systems = tuple(
        replace(
            system,
            results=tuple(found[key] for h in primary if (key := (system.name, *h)) in found),
            unanswered=tuple(one for one in summary.unanswered if one.system == system.name),
        )
        for system in line.systems
    )
    return replace(
        line,
        note=" ".join(without_scores(summary.unanswered, line.tasks)),
        systems=systems,
        metrics=summary.metrics,
        counts=summary.counts,
        cut=summary.cut,
        expected=summary.expected,
        answered=summary.answered,
    )
