"""A journal of format 2, row by row into one of today's format. Reads the recordings' headers, changes nothing old."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from tttbench.core.derivation import Derived, recipe_digest
from tttbench.core.errors import InputError
from tttbench.core.exchange import Response
from tttbench.core.metric import TOPLINE, UNKNOWN, Score
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.serialize import (
    Fields,
    PlainError,
    response_from_plain,
    response_to_plain,
    to_json,
)
from tttbench.data.flac import read_flac_header
from tttbench.store.format2.documents import TRUE_RECORDINGS, Status2, label_of, status_of
from tttbench.store.journal import damage
from tttbench.store.row_values import Row, derived_row, file_of, recording_row
from tttbench.store.rows import Recording
from tttbench.store.schema import reading

T = TypeVar("T")

_UNKNOWN_MD5 = "0" * 32

_STATUSES = ("ok", "empty", "unparsed", "judge_failed", "error")


@dataclass(frozen=True)
class _Table:
    """A table of format 2: its columns, of which the first ``n_key`` name a row, and what becomes of a row."""

    name: str
    columns: tuple[str, ...]
    n_key: int
    convert: Callable[[Fields, Path], Iterator[tuple[str, Sequence[object]]]]
    order: str = "rowid"


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
        for row in _rows(old, table, path):
            for statement, values in _converted(table, row, path):
                try:
                    new.execute(statement, values)
                except sqlite3.IntegrityError as error:
                    raise damage(path, table.name, table.columns[: table.n_key], row, str(error)) from error
    new.execute("COMMIT")


def kinds_of(old: sqlite3.Connection, path: Path) -> Mapping[str, str]:
    """Return how the scores of each metric are aggregated (``rate``, ``binary``, ``value``)."""
    with reading(path):
        rows = old.execute("SELECT metric, content FROM scores GROUP BY metric").fetchall()
    found = {}
    for row in rows:
        fields = Fields(dict(zip(("metric", "content"), row, strict=True)))
        found[row[0]] = _named(path, "scores", ("metric",), row, partial(fields.document, "content", _kind_of))
    return found


def _kind_of(values: object) -> str:
    return Fields.of(values).text("kind")


def _rows(old: sqlite3.Connection, table: _Table, path: Path) -> Iterator[Any]:
    query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {table.order}"
    with reading(path):
        yield from old.execute(query)


def _converted(table: _Table, row: Row, path: Path) -> list[tuple[str, Sequence[object]]]:
    fields = Fields(dict(zip(table.columns, row, strict=True)))
    return _named(path, table.name, table.columns[: table.n_key], row, lambda: list(table.convert(fields, path.parent)))


def _named(path: Path, table: str, key: Sequence[str], row: Row, take: Callable[[], T]) -> T:
    try:
        return take()
    except PlainError as error:
        raise damage(path, table, key, row, str(error)) from error


def _sample(fields: Fields, folder: Path) -> Iterator[tuple[str, Sequence[object]]]:
    task, sample_id = fields.text("task"), fields.text("sample")
    sample = fields.document("content", _sample_of)
    if sample.id != sample_id:
        fields.refuse("content: id", sample.id, f"the sample's id {sample_id!a}")
    yield _insert("samples", task, sample_id, fields.whole("position"), to_json(sample))
    if fields.get("input_audio") is not None:
        seconds = fields.optional("input_s", fields.number) or 0.0
        recording = _looked_at(folder, file_of(fields, "input_audio"), "", seconds, 0)
        yield _insert("recordings", task, sample_id, "input", 0, *recording_row(recording))
    if fields.get("truth_audio") is not None:
        recording = _looked_at(folder, file_of(fields, "truth_audio"), fields.text("truth_sha256"), 0.0, 0)
        yield _insert("recordings", task, sample_id, "answer", 0, *recording_row(recording))


def _sample_of(values: object) -> Sample:
    old = Fields.of(values)
    audio, answer_audio = old.optional("audio", old.text), old.optional("answer_audio", old.text)
    answer_text = old.text("answer_text")
    answer = Turn("assistant", answer_text, _audio(answer_audio)) if answer_audio or answer_text else None
    return Sample(
        id=old.text("id"),
        turns=(Turn("user", old.text("text"), _audio(audio)),),
        references=(old.text("reference"), *old.texts("aliases")),
        answer=answer,
        cluster=old.text("cluster"),
        metadata=old.mapping("metadata", Fields.text),
    )


def _audio(path: str | None) -> AudioRef | None:
    return AudioRef(Path(path)) if path else None


def _answer(fields: Fields, folder: Path) -> Iterator[tuple[str, Sequence[object]]]:
    status = fields.text("status")
    if status not in ("ok", "empty", "error"):
        fields.refuse("status", status, "ok, empty or error")
    found = fields.optional("answer", lambda key: fields.document(key, _response_of))
    if (found is None) != (status == "error"):
        fields.refuse("answer", fields.get("answer"), "NULL after an error, and only then")
    recording = None
    if found is not None and fields.get("audio") is not None:
        response, seconds = found
        file, sha = file_of(fields, "audio"), fields.text("audio_sha256")
        recording = _looked_at(folder, file, sha, seconds, response.sample_rate)
    pace_s = fields.optional("pace_s", fields.number)
    yield _insert(
        "answers",
        label_of(fields.text("system")),
        fields.text("task"),
        fields.text("sample"),
        0,
        status,
        fields.text("error"),
        fields.whole("batch_size"),
        fields.text("finished_at"),
        pace_s,
        None if pace_s is None else fields.optional("others_cores", fields.number),
        *recording_row(recording),
        None if found is None else to_json(response_to_plain(found[0])),
    )


def _response_of(values: object) -> tuple[Response, float]:
    """The response, and the seconds of its waveform."""
    old = Fields.of(values)
    trace = dict(old.inner("trace").values)
    trace["chunks"] = old.inner("trace").get("packets")
    response = response_from_plain({**old.values, "trace": trace})
    n_samples = old.whole("n_samples")
    return response, n_samples / response.sample_rate if response.sample_rate else 0.0


def _transcript(fields: Fields, folder: Path) -> Iterator[tuple[str, Sequence[object]]]:
    recipe, sha, error = fields.text("recipe"), fields.text("audio_sha256"), fields.text("error")
    derived = Derived("failed", error=error) if error else Derived("ok", fields.text("text"))
    digest = recipe_digest(recipe)
    yield "INSERT OR IGNORE INTO recipes VALUES (?, ?)", (digest, recipe)
    yield _insert("derived", *derived_row(digest, sha, derived))


def _score(fields: Fields, folder: Path) -> Iterator[tuple[str, Sequence[object]]]:
    system, metric = fields.text("system"), fields.text("metric")
    label = TOPLINE if system == TRUE_RECORDINGS else label_of(system)
    score = fields.document("content", _score_of)
    yield _insert("scores", label, fields.text("task"), fields.text("sample"), 0, metric, to_json(score))


def _score_of(values: object) -> Score:
    old = Fields.of(values)
    status, detail = old.text("status"), old.inner("detail").values
    if status not in _STATUSES:
        old.refuse("status", status, f"one of {', '.join(_STATUSES)}")
    if status == "judge_failed":
        return replace(UNKNOWN, detail=detail)
    value, numerator, denominator = (
        old.number(name, null_is_nan=True) for name in ("value", "numerator", "denominator")
    )
    return Score(value, numerator, denominator, status_of(cast(Status2, status)), detail)


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
    return Recording(file, known_sha256, seconds or header.n_samples / max(1, rate), rate, md5)


def _insert(table: str, *values: object) -> tuple[str, Sequence[object]]:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values


_TABLES = (
    _Table(
        "samples",
        ("task", "sample", "position", "content", "input_audio", "input_s", "truth_audio", "truth_sha256"),
        2,
        _sample,
    ),
    _Table(
        "answers",
        (
            *("system", "task", "sample", "status", "answer", "audio", "audio_sha256", "error", "batch_size"),
            *("finished_at", "pace_s", "others_cores"),
        ),
        3,
        _answer,
    ),
    _Table("transcripts", ("audio_sha256", "recipe", "text", "error"), 2, _transcript),
    _Table("scores", ("system", "task", "sample", "metric", "content"), 4, _score),
)
"""The tables of format 2."""
