"""What ``tttbench run --dry-run`` prints: systems, tasks, transcribers and judges, and what of them isn't here."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tttbench.cli.columns import columns
from tttbench.cli.terminal import one_line

if TYPE_CHECKING:
    from tttbench.config.protocol import ProtocolNote
    from tttbench.core.json_values import JsonObject
    from tttbench.core.missing import Missing
    from tttbench.pipeline.dry_run import DeriverPreview, Preview, SystemPreview, TaskPreview

WIDTH = 120
"""Columns that a line takes at most, tables apart."""

OK, MISSING, UNCHECKED = "ok", "MISSING", "not checked"


def text(found: Preview) -> str:
    """Return the preview for people."""
    parts = [_head(found), _systems(found), _tasks(found), _derivers(found), _protocol(found.protocol), _sum(found)]
    return "\n\n".join(part for part in parts if part)


def document(found: Preview) -> JsonObject:
    """Return the JSON document of ``--json``."""
    from tttbench.core.serialize import plain_fields

    return {
        "status": "complete" if found.is_complete else "incomplete",
        "n_requests": found.n_requests,
        "n_tasks_of_unknown_size": found.n_unknown,
        **plain_fields(found),
    }


def size(n_bytes: int) -> str:
    """Return a size for people, e.g. ``"3.1 GB"``; empty for 0."""
    for unit, per in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= per:
            return f"{n_bytes / per:.3g} {unit}"
    return f"{n_bytes} B" if n_bytes else ""


def _head(found: Preview) -> str:
    from tttbench.scorers.words import plural

    unknown = f", and those of {plural(found.n_unknown, 'task')} whose size isn't known" if found.n_unknown else ""
    return (
        f"Dry run of {one_line(found.suite)}: {one_line(found.title or 'a choice of systems and tasks')}\n"
        f"{plural(len(found.systems), 'system')}, {plural(len(found.tasks), 'task')}, "
        f"{plural(found.n_requests, 'request')} at most{unknown}. "
        "Nothing is asked, fetched or written."
    )


def _systems(found: Preview) -> str:
    rows = [["system", "state", "name"]]
    for one in found.systems:
        name = f"{one.name}@{one.strategy}" if one.strategy else one.name
        rows.append([one.label, _state(one), "" if name == one.label else name])
    return _with_below(rows, [[], *(_missing(one.missing) for one in found.systems)])


def _state(one: SystemPreview | DeriverPreview) -> str:
    return MISSING if one.missing else OK if one.is_checked else UNCHECKED


def _tasks(found: Preview) -> str:
    rows = [["task", "family", "language", "samples", "hours", "size", "license", "data"]]
    below: list[list[str]] = [[]]
    for task in found.tasks:
        rows.append(_row(task))
        lines = [*_missing(task.missing)]
        for score in task.scores:
            lines += _wrapped(f"{score.id}: {score.recipe}" if score.recipe else f"{score.id}: {MISSING}")
            lines += _missing(score.missing)
            for name in score.waits_for:
                lines += _wrapped(f"missing: what {name} needs, see below")
        below.append(lines)
    note = (
        "Samples in brackets are those of the published set, as the data aren't here; hours are of the whole set; "
        "size is that of the files with the audio."
    )
    return "\n".join([_with_below(rows, below, right=frozenset({3, 4, 5})), *textwrap.wrap(note, WIDTH)])


def _row(task: TaskPreview) -> list[str]:
    n = "?" if task.n is None else f"{task.n:,}" if task.is_listed else f"({task.n:,})"
    hours = f"{task.hours:g}" if task.hours else ""
    state = MISSING if task.missing else OK
    return [task.name, task.family, task.language, n, hours, size(task.n_bytes), task.license, state]


def _derivers(found: Preview) -> str:
    from tttbench.core.judging import deriver_title

    if not found.derivers:
        return ""
    rows = [["transcriber or judge", "for", "state"]]
    for one in found.derivers:
        of = ", ".join(one.tasks) if len(one.tasks) <= 3 else f"{len(one.tasks)} tasks"
        rows.append([deriver_title(one.name), of, _state(one)])
    return _with_below(rows, [[], *(_missing(one.missing) for one in found.derivers)])


def _protocol(notes: Sequence[ProtocolNote]) -> str:
    lines = ["Protocol, part by part:"] if notes else []
    for note in notes:
        lines += _wrapped(f"{note.part}{f': {MISSING}' if note.missing else ''}", 2)
        lines += _wrapped(f"published: {note.published or 'not published'}")
        lines += _wrapped(f"here: {note.here}")
        lines += _wrapped(f"get: {note.get}") if note.get else []
    return "\n".join(lines)


def _sum(found: Preview) -> str:
    if found.is_complete and found.n_unchecked:
        return f"Nothing is known to be missing; a run finds out about {found.n_unchecked} before it asks anything."
    if found.is_complete:
        return "Everything is here."
    return "\n".join(_wrapped(f"Missing: {', '.join(_counts(found))}.", 0))


def _counts(found: Preview) -> Iterator[str]:
    from tttbench.pipeline.dry_run import fetched_bytes, n_missing
    from tttbench.scorers.words import plural

    if n := n_missing(found.systems):
        yield f"{n} of {len(found.systems)} systems"
    if n := n_missing(found.tasks):
        yield f"the data of {n} of {len(found.tasks)} tasks"
    if n := sum(any(score.missing for score in task.scores) for task in found.tasks):
        yield f"what scores of {plural(n, 'task')} need"
    if n := n_missing(found.derivers):
        yield f"{n} of {len(found.derivers)} transcribers and judges"
    if n := sum(note.missing for note in found.protocol):
        yield f"{plural(n, 'part')} of the protocol"
    if n_bytes := sum(fetched_bytes(found).values()):
        yield f"about {size(n_bytes)} of weights, as far as their size is known"


def _missing(missing: Sequence[Missing]) -> list[str]:
    lines = []
    for one in missing:
        about = f", about {size(one.n_bytes)}" if one.n_bytes else ""
        lines += _wrapped(f"missing: {one.what}{about}")
        lines += _wrapped(f"get: {one.get}") if one.get else []
    return lines


def _wrapped(line: str, indent: int = 4) -> list[str]:
    return textwrap.wrap(
        one_line(line),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _with_below(
    rows: Sequence[Sequence[str]], below: Sequence[Sequence[str]], right: frozenset[int] = frozenset()
) -> str:
    """A table with lines of its own below each row."""
    lines = columns(rows, right=right).splitlines()
    return "\n".join(one for line, more in zip(lines, below, strict=True) for one in (line, *more))
