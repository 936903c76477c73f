"""A journal of format 2, row by row into one of today's format. Reads the recordings' headers, changes nothing old."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from tttbench.core.derivation import Derived, recipe_digest
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import AudioCommit, Chunk, Response, Seconds, Trace
from tttbench.core.json_values import JsonObject
from tttbench.core.metric import TOPLINE, UNKNOWN, Score
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.serialize import response_to_plain, to_json
from tttbench.core.tables import MaybeNan
from tttbench.data.flac import read_flac_header
from tttbench.store.format2.documents import TRUE_RECORDINGS, Status2, label_of, status_of
from tttbench.store.journal import damage
from tttbench.store.row_values import Row, columns_of, derived_row, inside, read_row, recording_row
from tttbench.store.rows import Recording
from tttbench.store.schema import reading

T = TypeVar("T")

_UNKNOWN_MD5 = "0" * 32

Insertion = tuple[str, Sequence[object]]
"""A statement, and its values."""


@dataclass(frozen=True)
class Sample2:
    """``content`` of a sample."""

    id: str
    text: str
    audio: str | None
    reference: str
    aliases: tuple[str, ...]
    answer_text: str
    answer_audio: str | None
    cluster: str
    metadata: Mapping[str, str]

    def sample(self) -> Sample:
        """Return the sample in today's form."""
        has_answer = self.answer_audio or self.answer_text
        return Sample(
            id=self.id,
            turns=(Turn("user", self.text, _audio(self.audio)),),
            references=(self.reference, *self.aliases),
            answer=Turn("assistant", self.answer_text, _audio(self.answer_audio)) if has_answer else None,
            cluster=self.cluster,
            metadata=self.metadata,
        )


def _audio(path: str | None) -> AudioRef | None:
    return AudioRef(Path(path)) if path else None


@dataclass(frozen=True)
class SampleRow2:
    """A row of ``samples``."""

    task: str
    sample: str
    position: int
    content: Sample2
    input_audio: str | None
    input_s: float | None
    truth_audio: str | None
    truth_sha256: str | None


@dataclass(frozen=True)
class Trace2:
    """``trace`` of an answer: a ``Trace`` whose chunks are called packets."""

    stages_s: Mapping[str, Seconds]
    prefill_end_s: Seconds | None
    text_times_s: tuple[Seconds, ...]
    text_tokens: tuple[str, ...]
    audio_commits: tuple[AudioCommit, ...]
    packets: tuple[Chunk, ...]
    end_s: Seconds
    nfe: int
    commit_step: tuple[int, ...]
    commit_confidence: tuple[MaybeNan, ...]
    spans: tuple[int, ...]

    def trace(self) -> Trace:
        """Return the trace in today's form."""
        return Trace(
            stages_s=self.stages_s,
            prefill_end_s=self.prefill_end_s,
            text_times_s=self.text_times_s,
            text_tokens=self.text_tokens,
            audio_commits=self.audio_commits,
            chunks=self.packets,
            end_s=self.end_s,
            nfe=self.nfe,
            commit_step=self.commit_step,
            commit_confidence=self.commit_confidence,
            spans=self.spans,
        )


@dataclass(frozen=True)
class Response2:
    """``answer`` of an answer."""

    text: str
    audio_codes: tuple[int, ...] | None
    sample_rate: int
    finish_reason: str
    n_samples: int
    trace: Trace2

    def response(self) -> Response:
        """Return the response in today's form."""
        return Response(self.text, self.audio_codes, None, self.sample_rate, self.finish_reason, self.trace.trace())

    @property
    def seconds(self) -> float:
        """The length of its waveform."""
        return self.n_samples / self.sample_rate if self.sample_rate else 0.0


@dataclass(frozen=True)
class AnswerRow2:
    """A row of ``answers``."""

    system: str
    task: str
    sample: str
    status: Literal["ok", "empty", "error"]
    answer: Response2 | None
    audio: str | None
    audio_sha256: str | None
    error: str
    batch_size: int
    finished_at: str
    pace_s: float | None
    others_cores: float | None


@dataclass(frozen=True)
class TranscriptRow2:
    """A row of ``transcripts``."""

    audio_sha256: str
    recipe: str
    text: str | None
    error: str


@dataclass(frozen=True)
class Score2:
    """``content`` of a score."""

    value: MaybeNan
    numerator: MaybeNan
    denominator: MaybeNan
    status: Status2
    detail: JsonObject


@dataclass(frozen=True)
class ScoreRow2:
    """A row of ``scores``."""

    system: str
    task: str
    sample: str
    metric: str
    content: Score2


@dataclass(frozen=True)
class Kind2:
    """What ``content`` of a score says of its metric."""

    kind: str


@dataclass(frozen=True)
class KindRow2:
    """A metric, and one of its scores."""

    metric: str
    content: Kind2


@dataclass(frozen=True)
class _Table:
    """A table of format 2: its columns, of which the first ``n_key`` name a row, and what becomes of a row."""

    name: str
    columns: tuple[str, ...]
    n_key: int
    convert: Callable[[Row, Path], Iterable[Insertion]]


def migrate(old: sqlite3.Connection, new: sqlite3.Connection, path: Path) -> None:
    """Copy all rows of ``old`` into ``new``, which is empty, in one transaction.

    Args:
        old: open for reading.
        new: of today's format.
        path: of the old journal in its run directory, whose recordings are looked at.

    Raises:
        UserError: a row that can't be read, by its name.
    """
    new.execute("BEGIN")
    for table in _TABLES:
        key = table.columns[: table.n_key]
        for row in _rows(old, table, path):
            for statement, values in _named(path, table.name, key, row, table.convert, path.parent):
                try:
                    new.execute(statement, values)
                except sqlite3.IntegrityError as error:
                    raise damage(path, table.name, key, row, str(error)) from error
    new.execute("COMMIT")


def kinds_of(old: sqlite3.Connection, path: Path) -> Mapping[str, str]:
    """Return how the scores of each metric are aggregated (``rate``, ``binary``, ``value``)."""
    with reading(path):
        rows = old.execute("SELECT metric, content FROM scores GROUP BY metric").fetchall()
    return {row[0]: _named(path, "scores", ("metric",), row, _kind, path.parent) for row in rows}


def _kind(row: Row, folder: Path) -> str:
    return read_row(KindRow2, columns_of(KindRow2), row, parsed="content").content.kind


def _rows(old: sqlite3.Connection, table: _Table, path: Path) -> Iterator[Any]:
    with reading(path):
        yield from old.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY rowid")


def _named(path: Path, table: str, key: Sequence[str], row: Row, take: Callable[[Row, Path], T], folder: Path) -> T:
    try:
        return take(row, folder)
    except UserError as error:
        raise damage(path, table, key, row, str(error)) from error


def _sample(row: SampleRow2, folder: Path) -> Iterator[Insertion]:
    sample = row.content.sample()
    if sample.id != row.sample:
        raise UserError(f"content.id: must be the sample's id {row.sample!a}, not {sample.id!a}.")
    yield _insert("samples", row.task, row.sample, row.position, to_json(sample))
    if row.input_audio is not None:
        recording = _looked_at(folder, inside(row.input_audio, "input_audio"), "", row.input_s or 0.0, 0)
        yield _insert("recordings", row.task, row.sample, "input", 0, *recording_row(recording))
    if row.truth_audio is not None:
        recording = _looked_at(folder, inside(row.truth_audio, "truth_audio"), row.truth_sha256 or "", 0.0, 0)
        yield _insert("recordings", row.task, row.sample, "answer", 0, *recording_row(recording))


def _answer(row: AnswerRow2, folder: Path) -> Iterator[Insertion]:
    if (row.answer is None) != (row.status == "error"):
        raise UserError("answer: must be NULL after an error, and only then.")
    recording = None
    if row.answer is not None and row.audio is not None:
        file = inside(row.audio, "audio")
        recording = _looked_at(folder, file, row.audio_sha256 or "", row.answer.seconds, row.answer.sample_rate)
    yield _insert(
        "answers",
        label_of(row.system),
        row.task,
        row.sample,
        0,
        row.status,
        row.error,
        row.batch_size,
        row.finished_at,
        row.pace_s,
        None if row.pace_s is None else row.others_cores,
        *recording_row(recording),
        None if row.answer is None else to_json(response_to_plain(row.answer.response())),
    )


def _transcript(row: TranscriptRow2, folder: Path) -> Iterator[Insertion]:
    if row.text is None and not row.error:
        raise UserError("text: must be a string where there is no error, not NULL.")
    derived = Derived("failed", error=row.error) if row.error else Derived("ok", row.text or "")
    digest = recipe_digest(row.recipe)
    yield "INSERT OR IGNORE INTO recipes VALUES (?, ?)", (digest, row.recipe)
    yield _insert("derived", *derived_row(digest, row.audio_sha256, derived))


def _score(row: ScoreRow2, folder: Path) -> Iterator[Insertion]:
    label = TOPLINE if row.system == TRUE_RECORDINGS else label_of(row.system)
    old = row.content
    score = (
        replace(UNKNOWN, detail=old.detail)
        if old.status == "judge_failed"
        else Score(old.value, old.numerator, old.denominator, status_of(old.status), old.detail)
    )
    yield _insert("scores", label, row.task, row.sample, 0, row.metric, to_json(score))


def _looked_at(folder: Path, file: str, sha256: str, seconds: float, sample_rate: int) -> Recording:
    """Fill in what format 2 didn't note of a recording, as far as the file still tells."""
    path = folder / file
    try:
        header = read_flac_header(path)
        known_sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    except (InputError, OSError):
        return Recording(file, sha256, seconds, sample_rate)
    rate = sample_rate or header.sample_rate
    md5 = "" if header.pcm_md5 == _UNKNOWN_MD5 else header.pcm_md5
    return Recording(file, known_sha256, seconds or (header.n_samples / rate if rate else 0.0), rate, md5)


def _insert(table: str, *values: object) -> Insertion:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values


def _table(
    name: str, n_key: int, kind: type[T], convert: Callable[[T, Path], Iterator[Insertion]], parsed: str
) -> _Table:
    """The table whose rows are read as a ``kind``; ``parsed`` is the column that holds a JSON document."""
    columns = columns_of(kind)
    return _Table(
        name, columns, n_key, lambda row, folder: list(convert(read_row(kind, columns, row, parsed=parsed), folder))
    )


_TABLES = (
    _table("samples", 2, SampleRow2, _sample, "content"),
    _table("answers", 3, AnswerRow2, _answer, "answer"),
    _table("transcripts", 2, TranscriptRow2, _transcript, ""),
    _table("scores", 4, ScoreRow2, _score, "content"),
)
"""The tables of format 2."""
