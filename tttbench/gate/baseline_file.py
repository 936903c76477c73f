"""Baselines: snapshots as small files for a repository, a line an entry, so that a small change is a small difference.

Compares nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tttbench import __version__
from tttbench.core.errors import UserError
from tttbench.core.serialize import plain_fields, to_json
from tttbench.core.tables import read_table
from tttbench.data.atomic import write_atomic
from tttbench.data.documents import read_json
from tttbench.gate.baseline_form import (
    FORMAT,
    KIND,
    LISTS,
    AnswerColumns,
    BaselineForm,
    LoadEntry,
    MetricColumns,
    Promotion,
    TaskColumns,
    TimingColumns,
    disagreements,
)
from tttbench.gate.baseline_format1 import upgraded
from tttbench.gate.snapshot import AnswerText, Metric, Outcome, SampleFacts, Snapshot, TaskFacts, Timing
from tttbench.probes.machine_load import MachineLoad

_DIGITS = 6
"""Significant digits of a time: a microsecond of a second."""

T = TypeVar("T")


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
    write_atomic(path, _text(_form(snapshot, promotions)).encode())


def read_baseline(path: Path) -> Baseline:
    """Read what ``write_baseline`` wrote, also in format 1.

    Raises:
        UserError: not there, not a baseline, of another format, or damaged; names the field.
    """
    document = read_json(path, absent="Write it with 'tttbench baseline save RUN'.")
    values = document.values
    if not isinstance(values, Mapping) or values.get("kind") != KIND:
        raise UserError(f"{path}: not a baseline; 'tttbench baseline save RUN' writes one.")
    if values.get("format") == 1:
        document = upgraded(document)
    elif values.get("format") != FORMAT:
        what = f"is {values.get('format')!r:.20}, this version reads 1 and {FORMAT}; save the baseline again."
        raise document.error("format", what)
    try:
        form = read_table(BaselineForm, document, unknown="ignore")
        for where, what in disagreements(form):
            raise document.error(where, what)
    except UserError as error:
        raise UserError(f"{error} Restore the file, or save the baseline again.") from error
    return Baseline(_snapshot(path, form), form.tttbench, form.promotions)


def _text(form: BaselineForm) -> str:
    lines = []
    for name, value in vars(form).items():
        if name == "machine":  # of what isn't known nothing is written
            value = {fact: known for fact, known in plain_fields(form.machine).items() if known}
        rows = ",\n".join(f" {to_json(entry)}" for entry in value) if name in LISTS else ""
        lines.append(f"{json.dumps(name)}: " + (f"[\n{rows}\n]" if rows else to_json(value)))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _form(snapshot: Snapshot, promotions: Sequence[Promotion]) -> BaselineForm:
    samples = {name: list(task.samples) for name, task in snapshot.tasks.items()}
    return BaselineForm(
        kind=KIND,
        format=FORMAT,
        tttbench=__version__,
        made_at=snapshot.made_at,
        suite=snapshot.suite,
        seed=snapshot.seed,
        status=snapshot.status,
        expected=snapshot.expected,
        answered=snapshot.answered,
        transcribers=snapshot.transcribers,
        versions=snapshot.versions,
        machine=snapshot.machine,
        systems=snapshot.systems,
        promotions=tuple(promotions),
        tasks=tuple(_task_columns(name, task) for name, task in snapshot.tasks.items()),
        metrics=tuple(_metric_columns(one, samples[one.task]) for one in snapshot.metrics),
        timings=tuple(_timing_columns(one, samples[one.task]) for one in snapshot.timings),
        loads=tuple(LoadEntry(*key, one.calibration_s, one.others_cores) for key, one in snapshot.loads.items()),
        answers=tuple(_answer_columns(*key, texts, samples[key[1]]) for key, texts in snapshot.answers.items()),
    )


def _task_columns(name: str, task: TaskFacts) -> TaskColumns:
    return TaskColumns(
        name=name,
        family=task.family,
        instruction=task.instruction,
        listing_sha256=task.listing_sha256,
        metrics=task.metrics,
        own_data=task.own_data,
        samples=tuple(task.samples),
        references=tuple(one.reference for one in task.samples.values()),
        clusters=_or_none([one.cluster for one in task.samples.values()]),
        cluster=task.cluster,
    )


def _metric_columns(metric: Metric, samples: Sequence[str]) -> MetricColumns:
    outcomes = [metric.outcomes.get(sample) for sample in samples]
    ended = zip(samples, outcomes, strict=True)
    return MetricColumns(
        system=metric.system,
        task=metric.task,
        name=metric.name,
        info=metric.info,
        recipe=metric.recipe,
        numerators=tuple(None if one is None else _whole(one.numerator) for one in outcomes),
        denominators=tuple(None if one is None else _whole(one.denominator) for one in outcomes),
        not_ok={sample: one.status for sample, one in ended if one and one.status != "ok"},
        missing=tuple(sample for sample in samples if sample not in metric.outcomes),
    )


def _timing_columns(timing: Timing, samples: Sequence[str]) -> TimingColumns:
    return TimingColumns(
        system=timing.system,
        task=timing.task,
        figure=timing.figure,
        unit=timing.unit,
        values=tuple(_rounded(timing.values.get(sample)) for sample in samples),
    )


def _answer_columns(system: str, task: str, texts: Mapping[str, AnswerText], samples: Sequence[str]) -> AnswerColumns:
    answers = [texts.get(sample) for sample in samples]
    return AnswerColumns(
        system=system,
        task=task,
        text=tuple(one.text if one else None for one in answers),
        transcripts=_or_none([one.transcript if one else "" for one in answers]),
        errors=_or_none([one.error if one else "" for one in answers]),
        cut=tuple(sample for sample, one in zip(samples, answers, strict=True) if one and one.cut) or None,
    )


def _snapshot(path: Path, form: BaselineForm) -> Snapshot:
    return Snapshot(
        source=str(path),
        made_at=form.made_at,
        suite=form.suite,
        seed=form.seed,
        status=form.status,
        expected=form.expected,
        answered=form.answered,
        transcribers=form.transcribers,
        versions=form.versions,
        machine=form.machine,
        systems=form.systems,
        tasks={one.name: _task(one) for one in form.tasks},
        metrics=tuple(_metric(one, form.samples(one.task)) for one in form.metrics),
        timings=tuple(_timing(one, form.samples(one.task)) for one in form.timings),
        loads={(one.system, one.task): MachineLoad(one.calibration_s, one.others_cores) for one in form.loads},
        answers={(one.system, one.task): dict(_answers(one, form.samples(one.task))) for one in form.answers},
    )


def _task(columns: TaskColumns) -> TaskFacts:
    facts = zip(columns.samples, columns.references, _texts(columns.clusters, columns.samples), strict=True)
    return TaskFacts(
        family=columns.family,
        instruction=columns.instruction,
        listing_sha256=columns.listing_sha256,
        metrics=columns.metrics,
        samples={sample: SampleFacts(reference, cluster) for sample, reference, cluster in facts},
        own_data=columns.own_data,
        cluster=columns.cluster,
    )


def _metric(columns: MetricColumns, samples: Sequence[str]) -> Metric:
    missing, nan = set(columns.missing), math.nan
    return Metric(
        system=columns.system,
        task=columns.task,
        name=columns.name,
        info=columns.info,
        recipe=columns.recipe,
        outcomes={
            sample: Outcome(
                nan if numerator is None else float(numerator),
                nan if denominator is None else float(denominator),
                columns.not_ok.get(sample, "ok"),
            )
            for sample, numerator, denominator in zip(samples, columns.numerators, columns.denominators, strict=True)
            if sample not in missing
        },
    )


def _timing(columns: TimingColumns, samples: Sequence[str]) -> Timing:
    return Timing(
        system=columns.system,
        task=columns.task,
        figure=columns.figure,
        unit=columns.unit,
        values=dict(_there(samples, columns.values)),
    )


def _answers(columns: AnswerColumns, samples: Sequence[str]) -> Iterator[tuple[str, AnswerText]]:
    transcripts, errors = _texts(columns.transcripts, samples), _texts(columns.errors, samples)
    for sample, text, transcript, error in zip(samples, columns.text, transcripts, errors, strict=True):
        if text is not None:
            yield sample, AnswerText(text, transcript, error, sample in (columns.cut or ()))


def _there(samples: Sequence[str], column: Sequence[T | None]) -> Iterator[tuple[str, T]]:
    """The samples that have a value, with it."""
    return ((sample, value) for sample, value in zip(samples, column, strict=True) if value is not None)


def _texts(column: Sequence[str] | None, samples: Sequence[str]) -> Sequence[str]:
    return [""] * len(samples) if column is None else column


def _or_none(texts: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(texts) if any(texts) else None


def _whole(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
