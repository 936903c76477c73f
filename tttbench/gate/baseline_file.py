"""Baselines: snapshots as small files for a repository, a line an entry, so that a small change is a small difference.

Compares nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tttbench import __version__
from tttbench.core.errors import UserError
from tttbench.core.serialize import to_json
from tttbench.data.atomic import write_atomic
from tttbench.gate.snapshot import (
    Metric,
    Outcome,
    Peace,
    Said,
    SampleFacts,
    Snapshot,
    SystemFacts,
    TaskFacts,
    Timing,
)

FORMAT = 1
_KIND = "tttbench baseline"
_DIGITS = 6
"""Significant digits of a time: a microsecond of a second."""


@dataclass(frozen=True)
class Promotion:
    """How a file became the baseline: when, from which run, what the gate had said, and why it was accepted anyway."""

    at: str
    source: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Baseline:
    """A snapshot in a file, with the version that wrote it and how it came there, the latest first."""

    snapshot: Snapshot
    written_by: str
    promotions: tuple[Promotion, ...]


def write_baseline(path: Path, snapshot: Snapshot, promotions: Sequence[Promotion] = ()) -> None:
    """Write ``snapshot`` to ``path``; the folder is made.

    Raises:
        StorageError: it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _text(snapshot, promotions).encode())


def read_baseline(path: Path) -> Baseline:
    """Read what ``write_baseline`` wrote.

    Raises:
        UserError: not there, not a baseline, of another format, or damaged; names the field.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; write it with 'tttbench baseline save RUN'.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON: {error}. Restore it, or save the baseline again.") from error
    if not isinstance(values, dict) or values.get("kind") != _KIND:
        raise UserError(f"{path}: not a baseline; 'tttbench baseline save RUN' writes one.")
    if values.get("format") != FORMAT:
        raise UserError(
            f"{path}: field 'format' is {values.get('format')!r}, this version reads {FORMAT}; save the baseline again."
        )
    try:
        return Baseline(
            snapshot=_snapshot(path, values),
            written_by=values["tttbench"],
            promotions=tuple(Promotion(**one) for one in values["promotions"]),
        )
    except KeyError as error:
        raise UserError(f"{path}: field {error} is missing. Restore it, or save the baseline again.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: damaged: {error}. Restore it, or save the baseline again.") from error


def _text(snapshot: Snapshot, promotions: Sequence[Promotion]) -> str:
    head = {
        "kind": _KIND,
        "format": FORMAT,
        "tttbench": __version__,
        **{
            name: getattr(snapshot, name)
            for name in (
                *("made_at", "suite", "seed", "status", "expected", "answered", "judge", "versions", "machine"),
                "systems",
            )
        },
        "promotions": list(promotions),
    }
    lines = [f"{json.dumps(name)}: {to_json(value)}" for name, value in head.items()]
    for name, entries in _lists(snapshot):
        rows = ",\n".join(f" {to_json(entry)}" for entry in entries)
        lines.append(f"{json.dumps(name)}: [\n{rows}\n]" if rows else f"{json.dumps(name)}: []")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lists(snapshot: Snapshot) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The long parts: an entry a line, columns in the order of the task's samples."""
    samples = {name: list(task.samples) for name, task in snapshot.tasks.items()}
    yield (
        "tasks",
        [
            {
                "name": name,
                **{key: getattr(task, key) for key in ("kind", "instruction", "data_sha256", "metrics", "own_data")},
                "samples": samples[name],
                "references": [one.reference for one in task.samples.values()],
                "clusters": _or_none([one.cluster for one in task.samples.values()]),
            }
            for name, task in snapshot.tasks.items()
        ],
    )
    yield "metrics", [_metric_columns(one, samples[one.task]) for one in snapshot.metrics]
    yield (
        "timings",
        [
            {
                **{key: getattr(one, key) for key in ("system", "task", "figure", "unit")},
                "values": [_rounded(one.values.get(sample)) for sample in samples[one.task]],
                "calls": [one.calls.get(sample) for sample in samples[one.task]] if one.calls else None,
            }
            for one in snapshot.timings
        ],
    )
    yield "peace", [{"system": key[0], "task": key[1], **asdict(one)} for key, one in snapshot.peace.items()]
    yield (
        "answers",
        [
            {
                "system": system,
                "task": task,
                "text": [one.text if (one := said.get(sample)) else None for sample in samples[task]],
                "heard": _or_none([one.heard if (one := said.get(sample)) else "" for sample in samples[task]]),
                "errors": _or_none([one.error if (one := said.get(sample)) else "" for sample in samples[task]]),
            }
            for (system, task), said in snapshot.said.items()
        ],
    )


def _metric_columns(metric: Metric, samples: Sequence[str]) -> dict[str, Any]:
    outcomes = [metric.outcomes.get(sample) for sample in samples]
    return {
        **{key: getattr(metric, key) for key in ("system", "task", "name", "kind", "lower_is_better", "recipe")},
        "numerators": [None if one is None else _whole(one.numerator) for one in outcomes],
        "denominators": [None if one is None else _whole(one.denominator) for one in outcomes],
        "not_ok": {
            sample: one.status for sample, one in zip(samples, outcomes, strict=True) if one and one.status != "ok"
        },
        "missing": [sample for sample, one in zip(samples, outcomes, strict=True) if one is None],
    }


def _snapshot(path: Path, values: Mapping[str, Any]) -> Snapshot:
    tasks = {entry["name"]: _task(entry) for entry in values["tasks"]}
    return Snapshot(
        source=str(path),
        **{
            name: values[name]
            for name in ("made_at", "suite", "seed", "status", "expected", "answered", "judge", "versions", "machine")
        },
        systems={
            label: SystemFacts(**{**entry, "batch_sizes": tuple(entry["batch_sizes"])})
            for label, entry in values["systems"].items()
        },
        tasks=tasks,
        metrics=tuple(_metric(entry, list(tasks[entry["task"]].samples)) for entry in values["metrics"]),
        timings=tuple(
            Timing(
                **{key: entry[key] for key in ("system", "task", "figure", "unit")},
                values={s: v for s, v in _columns(tasks[entry["task"]].samples, entry["values"]) if v is not None},
                calls={s: v for s, v in _columns(tasks[entry["task"]].samples, entry["calls"]) if v is not None},
            )
            for entry in values["timings"]
        ),
        peace={
            (entry["system"], entry["task"]): Peace(entry["pace_s"], entry["others_cores"]) for entry in values["peace"]
        },
        said={
            (entry["system"], entry["task"]): {
                sample: Said(text, heard or "", error or "")
                for sample, text, heard, error in _columns(
                    tasks[entry["task"]].samples, entry["text"], entry["heard"], entry["errors"]
                )
                if text is not None
            }
            for entry in values["answers"]
        },
    )


def _task(entry: Mapping[str, Any]) -> TaskFacts:
    facts = _columns(entry["samples"], entry["references"], entry["clusters"])
    return TaskFacts(
        kind=entry["kind"],
        instruction=entry["instruction"],
        data_sha256=entry["data_sha256"],
        metrics=tuple(entry["metrics"]),
        samples={sample: SampleFacts(reference, cluster or "") for sample, reference, cluster in facts},
        own_data=entry["own_data"],
    )


def _metric(entry: Mapping[str, Any], samples: Sequence[str]) -> Metric:
    missing = set(entry["missing"])
    nan = float("nan")
    return Metric(
        **{key: entry[key] for key in ("system", "task", "name", "kind", "lower_is_better", "recipe")},
        outcomes={
            sample: Outcome(
                nan if numerator is None else float(numerator),
                nan if denominator is None else float(denominator),
                entry["not_ok"].get(sample, "ok"),
            )
            for sample, numerator, denominator in _columns(samples, entry["numerators"], entry["denominators"])
            if sample not in missing
        },
    )


def _columns(samples: Mapping[str, object] | Sequence[str], *columns: Sequence[Any] | None) -> list[tuple[Any, ...]]:
    """Rows of columns that all are as long as there are samples; a column that is None holds nothing but None."""
    return list(zip(samples, *([None] * len(samples) if one is None else one for one in columns), strict=True))


def _or_none(texts: Sequence[str]) -> Sequence[str] | None:
    return texts if any(texts) else None


def _whole(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
