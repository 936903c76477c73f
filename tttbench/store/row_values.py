"""Rows of the journal to and from typed values: whatever a row holds, the outcome is a value or a ``UserError``.

Its message begins with the column; ``tttbench.store.journal`` says of which row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from tttbench.core.derivation import Derived
from tttbench.core.errors import UserError
from tttbench.core.exchange import Conditions, Status
from tttbench.core.metric import Score
from tttbench.core.sample import Sample
from tttbench.core.serialize import KeptResponse, response_to_plain, to_json
from tttbench.core.tables import Document, read_table
from tttbench.store.rows import AnswerKey, NewAnswer, Recording, StoredAnswer, StoredSample

T = TypeVar("T")

Row = Sequence[object]

KEYS: Mapping[str, tuple[str, ...]] = {
    "samples": ("task", "sample"),
    "recordings": ("task", "sample", "part", "turn"),
    "answers": ("system", "task", "sample", "repeat"),
    "scores": ("system", "task", "sample", "repeat", "score"),
    "derived": ("recipe", "input_sha256"),
    "spent": ("recipe",),
}
"""The columns that name a row of each table; they stand first in the rows that are read here."""

RECORDING = ("file", "sha256", "seconds", "sample_rate", "pcm_md5")

CONDITIONS = ("calibration_s", "others_cores")

ANSWER = ("status", "error", "batch_size", "finished_at", *CONDITIONS, *RECORDING, "response")

DERIVED = ("status", "content", "error", "cost")


@dataclass(frozen=True)
class RecordingKey:
    """Which recording of a sample."""

    task: str
    sample: str
    part: str
    turn: int


@dataclass(frozen=True)
class SampleRow:
    """A row of ``samples``."""

    task: str
    sample: str
    content: Sample


@dataclass(frozen=True)
class AnswerRow:
    """A row of ``answers`` without its key, its recording and its conditions."""

    status: Status
    error: str
    batch_size: int
    finished_at: str
    response: KeptResponse | None


@dataclass(frozen=True)
class ScoreRow:
    """A row of ``scores``."""

    system: str
    task: str
    sample: str
    repeat: int
    score: str
    content: Score


@dataclass(frozen=True)
class DerivationKey:
    """Which derivation."""

    recipe: str
    input_sha256: str


@dataclass(frozen=True)
class SpentRow:
    """A row of ``spent``."""

    recipe: str
    cost: Mapping[str, float]


def columns_of(kind: type[T]) -> tuple[str, ...]:
    """The columns that a dataclass is read from, in the order of its fields."""
    return tuple(field.name for field in fields(kind))  # type: ignore[arg-type]  # a dataclass


def read_row(kind: type[T], columns: Sequence[str], row: Row, *, parsed: str = "") -> T:
    """Return a row as a ``kind``, which may leave columns out.

    Args:
        kind: a dataclass whose fields are columns.
        columns: of the row.
        row: its values.
        parsed: the column that holds a JSON document, if one does.

    Raises:
        UserError: naming the column, and where in its document.
    """
    values = dict(zip(columns, row, strict=True))
    text = values.get(parsed)
    if isinstance(text, str):
        try:
            values[parsed] = json.loads(text)
        except RecursionError:
            raise UserError(f"{parsed}: nested too deeply.") from None
        except ValueError as error:
            raise UserError(f"{parsed}: not valid JSON: {error}.") from error
    return read_table(kind, Document(values, "", "JSON"), unknown="ignore", missing="refuse")


def inside(file: str, column: str) -> str:
    """Return the name of a recording's file, which must lie inside the run directory."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise UserError(f"{column}: must be a path inside the run directory, not {file!a:.60}.")
    return file


def recording_row(recording: Recording | None) -> tuple[object, ...]:
    """Return the columns of a recording; NULL each for none."""
    return tuple(None if recording is None else getattr(recording, name) for name in RECORDING)


def recording(row: Row) -> tuple[str, int, Recording]:
    """Return part, turn and recording from a row of ``recordings``."""
    n_key = len(KEYS["recordings"])
    key = read_row(RecordingKey, KEYS["recordings"], row[:n_key])
    return key.part, key.turn, _recording(row[n_key:])


def _recording(row: Row) -> Recording:
    found = read_row(Recording, RECORDING, row)
    inside(found.file, "file")
    return found


def sample(row: Row, kept: Sequence[tuple[str, int, Recording]]) -> StoredSample:
    """Return a sample from a row of ``samples`` and its recordings."""
    found = read_row(SampleRow, (*KEYS["samples"], "content"), row, parsed="content")
    if found.content.id != found.sample:
        raise UserError(f"content.id: must be the sample's id {found.sample!a}, not {found.content.id!a}.")
    return StoredSample(
        found.task,
        found.content,
        {turn: recording for part, turn, recording in kept if part == "input"},
        next((recording for part, _, recording in kept if part == "answer"), None),
    )


def answer_key(row: Row) -> AnswerKey:
    """Return the key of a row of ``answers``."""
    return read_row(AnswerKey, KEYS["answers"], row)


def answer_row(answer: NewAnswer, recording: Recording | None) -> tuple[object, ...]:
    """Return a row of ``answers``."""
    key, conditions = answer.key, answer.conditions
    return (
        key.system,
        key.task,
        key.sample,
        key.repeat,
        answer.status,
        answer.error,
        answer.batch_size,
        answer.finished_at,
        None if conditions is None else conditions.calibration_s,
        None if conditions is None else conditions.others_cores,
        *recording_row(recording),
        None if answer.response is None else to_json(response_to_plain(answer.response)),
    )


def answer(row: Row, sample: StoredSample, scores: Mapping[str, Score]) -> StoredAnswer:
    """Return an answer from a row of ``answers``, its sample and its scores."""
    n_key = len(KEYS["answers"])
    columns = dict(zip(ANSWER, row[n_key:], strict=True))
    found = read_row(AnswerRow, tuple(columns), tuple(columns.values()), parsed="response")
    if (found.response is None) != (found.status == "error"):
        raise UserError("response: must be NULL after an error, and only then.")
    return StoredAnswer(
        key=answer_key(row[:n_key]),
        sample=sample,
        status=found.status,
        response=None if found.response is None else found.response.response(),
        error=found.error,
        batch_size=found.batch_size,
        audio=None if columns["file"] is None else _recording([columns[name] for name in RECORDING]),
        conditions=None
        if columns["calibration_s"] is None
        else read_row(Conditions, CONDITIONS, [columns[name] for name in CONDITIONS]),
        scores=scores,
        finished_at=found.finished_at,
    )


def score(row: Row) -> Score:
    """Return a score from a row of ``scores``."""
    return read_row(ScoreRow, (*KEYS["scores"], "content"), row, parsed="content").content


def derived_row(digest: str, input_sha256: str, derived: Derived) -> tuple[object, ...]:
    """Return a row of ``derived``."""
    return digest, input_sha256, derived.status, derived.content, derived.error, to_json(derived.cost)


def derived(row: Row) -> Derived:
    """Return a derivation from a row of ``derived``."""
    n_key = len(KEYS["derived"])
    read_row(DerivationKey, KEYS["derived"], row[:n_key])
    return read_row(Derived, DERIVED, row[n_key:], parsed="cost")


def spent(row: Row) -> Mapping[str, float]:
    """Return the cost from a row of ``spent``."""
    return read_row(SpentRow, (*KEYS["spent"], "cost"), row, parsed="cost").cost
