"""Rows of the journal to and from typed values: whatever a row holds, the outcome is a value or a ``PlainError``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tttbench.core.derivation import Derived
from tttbench.core.exchange import Conditions
from tttbench.core.metric import Score
from tttbench.core.serialize import (
    Fields,
    response_from_plain,
    response_to_plain,
    sample_from_plain,
    score_from_plain,
    to_json,
)
from tttbench.store.rows import AnswerKey, NewAnswer, Recording, StoredAnswer, StoredSample

Row = Sequence[object]

KEYS: Mapping[str, tuple[str, ...]] = {
    "samples": ("task", "sample"),
    "recordings": ("task", "sample", "part", "turn"),
    "answers": ("system", "task", "sample", "repeat"),
    "scores": ("system", "task", "sample", "repeat", "score"),
    "derived": ("recipe", "input_sha256"),
}
"""The columns that name a row of each table; they stand first in the rows that are read here."""

RECORDING = ("file", "sha256", "seconds", "sample_rate", "pcm_md5")

ANSWER = ("status", "error", "batch_size", "finished_at", "calibration_s", "others_cores", *RECORDING, "response")

DERIVED = ("status", "content", "error", "cost")


def fields_of(table: str, columns: Sequence[str], row: Row) -> Fields:
    """Return a row of ``table`` by column: its key, then ``columns``. The key is checked."""
    fields = Fields(dict(zip((*KEYS[table], *columns), row, strict=True)))
    for name in KEYS[table]:
        fields.whole(name) if name in ("repeat", "turn") else fields.text(name)
    return fields


def file_of(fields: Fields, key: str) -> str:
    """Return the name of a recording's file, which must lie inside the run directory."""
    file = fields.text(key)
    if Path(file).is_absolute() or ".." in Path(file).parts:
        fields.refuse(key, file, "a path inside the run directory")
    return file


def recording_row(recording: Recording | None) -> tuple[object, ...]:
    """Return the columns of a recording; NULL each for none."""
    return tuple(None if recording is None else getattr(recording, name) for name in RECORDING)


def recording(row: Row) -> tuple[str, int, Recording]:
    """Return part, turn and recording from a row of ``recordings``."""
    fields = fields_of("recordings", RECORDING, row)
    return fields.text("part"), fields.whole("turn"), _recording(fields)


def _recording(fields: Fields) -> Recording:
    return Recording(
        file_of(fields, "file"),
        fields.text("sha256"),
        fields.number("seconds"),
        fields.whole("sample_rate"),
        fields.text("pcm_md5"),
    )


def sample(row: Row, kept: Sequence[tuple[str, int, Recording]]) -> StoredSample:
    """Return a sample from a row of ``samples`` and its recordings."""
    fields = fields_of("samples", ("content",), row)
    found = fields.document("content", sample_from_plain)
    if found.id != fields.text("sample"):
        fields.refuse("content: id", found.id, f"the sample's id {row[1]!a}")
    return StoredSample(
        fields.text("task"),
        found,
        {turn: recording for part, turn, recording in kept if part == "input"},
        next((recording for part, _, recording in kept if part == "answer"), None),
    )


def answer_key(row: Row) -> AnswerKey:
    """Return the key of a row of ``answers``."""
    fields = fields_of("answers", (), row)
    return AnswerKey(fields.text("system"), fields.text("task"), fields.text("sample"), fields.whole("repeat"))


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
    fields = fields_of("answers", ANSWER, row)
    status = fields.status("status")
    response = fields.optional("response", lambda key: fields.document(key, response_from_plain))
    if (response is None) != (status == "error"):
        fields.refuse("response", row[-1], "NULL after an error, and only then")
    calibration_s = fields.optional("calibration_s", fields.number)
    return StoredAnswer(
        key=answer_key(row[:4]),
        sample=sample,
        status=status,
        response=response,
        error=fields.text("error"),
        batch_size=fields.whole("batch_size"),
        audio=None if fields.get("file") is None else _recording(fields),
        conditions=None
        if calibration_s is None
        else Conditions(calibration_s, fields.optional("others_cores", fields.number)),
        scores=scores,
        finished_at=fields.text("finished_at"),
    )


def score(row: Row) -> Score:
    """Return a score from a row of ``scores``."""
    return fields_of("scores", ("content",), row).document("content", score_from_plain)


def derived_row(digest: str, input_sha256: str, derived: Derived) -> tuple[object, ...]:
    """Return a row of ``derived``."""
    return digest, input_sha256, derived.status, derived.content, derived.error, to_json(derived.cost)


def derived(row: Row) -> Derived:
    """Return a derivation from a row of ``derived``."""
    fields = fields_of("derived", DERIVED, row)
    if (status := fields.text("status")) not in ("ok", "failed"):
        fields.refuse("status", status, "ok or failed")
    cost = Fields.of(fields.document("cost", lambda values: values), "cost")
    return Derived(
        "ok" if status == "ok" else "failed",
        fields.text("content"),
        fields.text("error"),
        {name: cost.number(name) for name in cost.values},
    )
