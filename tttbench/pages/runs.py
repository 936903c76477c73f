"""Which runs lie below a folder, and what an index says of each. Reads manifests and summaries; knows no HTML.

Nothing is left out: a run that can't be read, and a folder that can't be entered, is a line that says why.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tttbench.core.errors import UserError
from tttbench.core.records import Result, Status
from tttbench.core.serialize import result_from_plain
from tttbench.store.run_directory import RunStore, is_being_written

from .load import device_name

UNREADABLE = "unreadable"
"""The status of a line whose run can't be read."""

_FILES = ("manifest.json", "journal.sqlite")
"""A folder that holds any of them is a run, or was meant to be one."""


@dataclass(frozen=True)
class RunSystem:
    """A system of a run: the hash of its weights, empty if it tells none, and its result for each task's headline."""

    name: str
    weights_sha256: str
    results: tuple[Result, ...] = ()


@dataclass(frozen=True)
class RunLine:
    """One run, as far as it can be read.

    Attributes:
        path: relative to the folder of the index, with slashes; ``.`` for that folder itself.
        status: the manifest's, or ``UNREADABLE``; a run that nobody goes on with is ``interrupted``, not ``running``.
        note: why there are no results.
        has_report: whether ``report.html`` lies in it.
        suite, title: of the suite; empty if unknown, like all texts that follow.
        started: of the first session, ISO 8601 to the minute, UTC.
        expected: requests that the run is to make; None before its summary.
        answered: those with an answer.
        counts: answered requests by how they ended; empty before the summary.
        device, version: what it was made on, and by which tttbench.
        systems: in the order of the suite.
        tasks: titles by name.
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
    device: str = ""
    version: str = ""
    systems: tuple[RunSystem, ...] = ()
    tasks: Mapping[str, str] = field(default_factory=dict)

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
        with RunStore.open(folder) as store:
            with _reading("manifest.json"):
                line = _from_manifest(store.manifest, path)
            if line.status == "running" and not is_being_written(folder):
                line = replace(line, status="interrupted")
            line = replace(line, has_report=has_report)
            if (folder / "summary.json").exists():
                with _reading("summary.json"):
                    return _with_summary(line, store.summary, store.manifest)
            with _reading("journal.sqlite"):
                answered = sum(len(store.done(system.name, task)) for system in line.systems for task in line.tasks)
        return replace(line, answered=answered, note="no results yet: the run has not come to its end")
    except UserError as error:
        # Paths stand relative to the run, whose own path the line tells; the page may be passed on.
        reason = str(error).replace(f"{folder}/", "").removeprefix(f"{folder}: ")
        return RunLine(path, UNREADABLE, reason, has_report)


@contextmanager
def _reading(file: str) -> Iterator[None]:
    """Turn what goes wrong with values of the wrong form into a message that names the file."""
    try:
        yield
    except KeyError as error:
        raise UserError(f"{file}: has no {error}; restore it, or run again.") from error
    except (TypeError, ValueError, AttributeError, sqlite3.DatabaseError) as error:
        raise UserError(
            f"{file}: is not of the form this version writes ({error}); restore it, or run again."
        ) from error


def _from_manifest(manifest: Mapping[str, Any], path: str) -> RunLine:
    sessions = manifest["sessions"]
    started = datetime.fromisoformat(sessions[0]["started_at"]).astimezone(UTC) if sessions else None
    return RunLine(
        path,
        manifest["status"],
        suite=manifest["suite"]["name"],
        title=manifest["suite"].get("title", ""),
        started=f"{started:%Y-%m-%d %H:%M}" if started else "",
        device=device_name(manifest.get("machine", {})),
        version=str(manifest.get("versions", {}).get("tttbench", "")),
        systems=tuple(
            RunSystem(label, str(entry["card"].get("weights_sha256", "")))
            for label, entry in manifest["systems"].items()
        ),
        tasks={name: entry.get("title") or name for name, entry in manifest["tasks"].items()},
    )


def _with_summary(line: RunLine, summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> RunLine:
    headlines = [(name, entry["metrics"][0]) for name, entry in manifest["tasks"].items() if entry.get("metrics")]
    found = {(r.system, r.task, r.metric): r for r in map(result_from_plain, summary["results"])}
    systems = tuple(
        replace(system, results=tuple(found[key] for h in headlines if (key := (system.name, *h)) in found))
        for system in line.systems
    )
    counts = dict(summary["counts"])
    return replace(
        line, systems=systems, counts=counts, expected=int(summary["expected"]), answered=int(summary["answered"])
    )
