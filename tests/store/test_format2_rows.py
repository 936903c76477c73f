"""Every column of a journal of format 2, and the row of today's journal that becomes of it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tttbench.core.derivation import recipe_digest
from tttbench.core.errors import UserError
from tttbench.core.metric import TOPLINE
from tttbench.data.flac import encode_flac, pcm_md5
from tttbench.store import schema
from tttbench.store.format2.rows import kinds_of, migrate

OLD = """
CREATE TABLE samples (task, sample, position, content, input_audio, input_s, truth_audio, truth_sha256);
CREATE TABLE answers (system, task, sample, status, answer, audio, audio_sha256, error, batch_size, finished_at,
    pace_s, others_cores);
CREATE TABLE transcripts (audio_sha256, recipe, text, error);
CREATE TABLE scores (system, task, sample, metric, content);
"""

CLIP = np.linspace(-0.5, 0.5, 400, dtype=np.float32)
FLAC = encode_flac(CLIP, 8_000)
SHA, MD5 = hashlib.sha256(FLAC).hexdigest(), pcm_md5(CLIP)

SAMPLE = {
    "id": "a",
    "text": "written",
    "audio": "in.wav",
    "reference": "one",
    "aliases": ["uno", "un"],
    "answer_text": "",
    "answer_audio": "out.wav",
    "cluster": "c",
    "metadata": {"voice": "joe"},
}

TRACE = {
    "stages_s": {"decode": 0.5},
    "prefill_end_s": 0.25,
    "text_times_s": [0.5],
    "text_tokens": ["x"],
    "audio_commits": [{"time_s": 0.5, "n_codes": 2}],
    "packets": [{"time_s": 0.75, "n_samples": 400}],
    "end_s": 1.5,
    "nfe": 3,
    "commit_step": [1, 2],
    "commit_confidence": [0.5, 0.25],
    "spans": [2],
}

ANSWER = {
    "text": "hi",
    "audio_codes": [4, 5],
    "sample_rate": 8_000,
    "finish_reason": "length",
    "n_samples": 400,
    "trace": TRACE,
}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    (tmp_path / "a.flac").write_bytes(FLAC)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(OLD)
        yield connection


def put(old: sqlite3.Connection, table: str, *values: object) -> None:
    plain = [json.dumps(value) if isinstance(value, dict) else value for value in values]
    old.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(plain))})", plain)


def rows(old: sqlite3.Connection, folder: Path, table: str) -> list[tuple[Any, ...]]:
    """What becomes of a journal: all rows of a table of today's, their documents parsed."""
    with closing(schema.create()) as new:
        migrate(old, new, folder / "journal.sqlite")
        assert not new.in_transaction
        found = new.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
    return [
        tuple(json.loads(value) if isinstance(value, str) and value[:1] == "{" else value for value in row)
        for row in found
    ]


def test_a_sample(old: sqlite3.Connection, tmp_path: Path) -> None:
    put(old, "samples", "t", "a", 7, SAMPLE, None, None, None, None)

    def audio(path: str) -> dict[str, object]:
        return {"path": path, "member": "", "start_s": 0.0, "end_s": None, "made": None}

    expected = {
        "id": "a",
        "turns": [{"role": "user", "text": "written", "audio": audio("in.wav"), "answer_to": ""}],
        "references": ["one", "uno", "un"],
        "answer": {"role": "assistant", "text": "", "audio": audio("out.wav"), "answer_to": ""},
        "language": "",
        "cluster": "c",
        "metadata": {"voice": "joe"},
        "renditions": None,
    }
    assert rows(old, tmp_path, "samples") == [("t", "a", 7, expected)]
    assert rows(old, tmp_path, "recordings") == []


@pytest.mark.parametrize(
    ("text", "audio", "has_answer"), [("", None, False), ("x", None, True), ("", "x.wav", True), ("x", "x.wav", True)]
)
def test_a_sample_has_an_answer_in_words_or_sound(
    old: sqlite3.Connection, tmp_path: Path, text: str, audio: str | None, has_answer: bool
) -> None:
    content = {**SAMPLE, "audio": None, "answer_text": text, "answer_audio": audio}
    put(old, "samples", "t", "a", 0, content, None, None, None, None)
    ((*_, found),) = rows(old, tmp_path, "samples")
    assert found["turns"][0]["audio"] is None
    assert (found["answer"] is not None) == has_answer
    if has_answer:
        assert (found["answer"]["text"], found["answer"]["audio"] is not None) == (text, audio is not None)


@pytest.mark.parametrize(
    ("input_s", "truth_sha256", "seconds", "sha256"),
    [(0.5, "ff", 0.5, "ff"), (None, None, 0.05, SHA)],
)
def test_recordings_of_a_sample(
    old: sqlite3.Connection,
    tmp_path: Path,
    input_s: float | None,
    truth_sha256: str | None,
    seconds: float,
    sha256: str,
) -> None:
    put(old, "samples", "t", "a", 0, SAMPLE, "a.flac", input_s, "a.flac", truth_sha256)
    assert rows(old, tmp_path, "recordings") == [
        ("t", "a", "input", 0, "a.flac", SHA, seconds, 8_000, MD5),
        ("t", "a", "answer", 0, "a.flac", sha256, 0.05, 8_000, MD5),
    ]


def test_recordings_that_are_gone_are_what_was_noted_of_them(old: sqlite3.Connection, tmp_path: Path) -> None:
    put(old, "samples", "t", "a", 0, SAMPLE, "gone.flac", None, "gone.flac", "ff")
    put(old, "samples", "t", "b", 0, {**SAMPLE, "id": "b"}, "gone.flac", 0.5, None, None)
    assert rows(old, tmp_path, "recordings") == [
        ("t", "a", "input", 0, "gone.flac", "", 0.0, 0, ""),
        ("t", "a", "answer", 0, "gone.flac", "ff", 0.0, 0, ""),
        ("t", "b", "input", 0, "gone.flac", "", 0.5, 0, ""),
    ]


@pytest.mark.parametrize(("zeroed", "recording"), [(range(26, 42), (0.05, 8_000, "")), (range(18, 21), (0.0, 0, MD5))])
def test_a_header_may_leave_things_out(
    old: sqlite3.Connection, tmp_path: Path, zeroed: range, recording: tuple[float, int, str]
) -> None:
    data = bytearray(FLAC)
    for at in zeroed:
        data[at] = data[at] & 0x0F if at == 20 else 0
    (tmp_path / "a.flac").write_bytes(data)
    put(old, "samples", "t", "a", 0, SAMPLE, "a.flac", None, None, None)
    ((*_, seconds, rate, md5),) = rows(old, tmp_path, "recordings")
    assert (seconds, rate, md5) == recording


def test_an_answer(old: sqlite3.Connection, tmp_path: Path) -> None:
    put(old, "answers", "s", "t", "a", "ok", ANSWER, "a.flac", "ff", "", 4, "then", 0.25, 1.5)
    kept = {name: value for name, value in TRACE.items() if name != "packets"}
    trace = kept | {"chunks": TRACE["packets"], "nfe_audio": None, "compute_s": None}
    response = {name: value for name, value in ANSWER.items() if name != "n_samples"} | {"trace": trace}
    assert rows(old, tmp_path, "answers") == [
        ("s", "t", "a", 0, "ok", "", 4, "then", 0.25, 1.5, "a.flac", "ff", 0.05, 8_000, MD5, response)
    ]


def test_an_answer_of_which_little_was_noted(old: sqlite3.Connection, tmp_path: Path) -> None:
    silent = {**ANSWER, "audio_codes": None, "sample_rate": 0, "n_samples": 0}
    put(old, "answers", TOPLINE, "t", "a", "ok", silent, None, None, "", 1, "then", None, 1.5)
    put(old, "answers", "s", "t", "a", "ok", silent, "a.flac", None, "", 1, "then", 0.5, None)
    put(old, "answers", "s", "t", "b", "error", None, "a.flac", "ff", "no power", 1, "then", None, None)
    first, second, third = rows(old, tmp_path, "answers")
    assert first[:-1] == (f"{TOPLINE} (system)", "t", "a", 0, "ok", "", 1, "then", *[None] * 7)
    assert second[8:-1] == (0.5, None, "a.flac", SHA, 0.05, 8_000, MD5)
    assert third == ("s", "t", "b", 0, "error", "no power", 1, "then", *[None] * 8)


def test_a_noted_length_and_rate_count_more_than_the_header(old: sqlite3.Connection, tmp_path: Path) -> None:
    longer = {**ANSWER, "sample_rate": 16_000, "n_samples": 4_000}
    put(old, "answers", "s", "t", "a", "ok", longer, "a.flac", None, "", 1, "then", None, None)
    assert rows(old, tmp_path, "answers")[0][12:14] == (0.25, 16_000)


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        ("hello", "", ("ok", "hello", "")),
        ("", "", ("ok", "", "")),
        (None, "no memory", ("failed", "", "no memory")),
        ("hello", "no memory", ("failed", "", "no memory")),
    ],
)
def test_a_transcript(
    old: sqlite3.Connection, tmp_path: Path, text: str | None, error: str, expected: tuple[str, str, str]
) -> None:
    put(old, "transcripts", "ff", "whisper-1", text, error)
    put(old, "transcripts", "ee", "whisper-1", text, error)
    digest = recipe_digest("whisper-1")
    with closing(schema.create()) as new:
        migrate(old, new, tmp_path / "journal.sqlite")
        assert new.execute("SELECT * FROM recipes").fetchall() == [(digest, "whisper-1")]
        found = new.execute("SELECT * FROM derived ORDER BY input_sha256").fetchall()
    assert found == [(digest, sha, *expected, "{}") for sha in ("ee", "ff")]


def test_scores(old: sqlite3.Connection, tmp_path: Path) -> None:
    content = {"value": 0.5, "numerator": 1.0, "denominator": 2.0, "status": "unparsed", "detail": {"hits": 1}}
    put(old, "scores", "true recordings", "t", "a", "wer", {**content, "kind": "rate"})
    put(old, "scores", TOPLINE, "t", "a", "wer", {**content, "kind": "rate"})
    put(old, "scores", "s", "t", "a", "cer", {**content, "status": "judge_failed", "kind": "binary"})
    unknown = {"value": None, "numerator": None, "denominator": 1.0, "status": "derivation_failed"}
    assert rows(old, tmp_path, "scores") == [
        (TOPLINE, "t", "a", 0, "wer", content),
        (f"{TOPLINE} (system)", "t", "a", 0, "wer", content),
        ("s", "t", "a", 0, "cer", {**unknown, "detail": {"hits": 1}}),
    ]
    assert kinds_of(old, tmp_path / "journal.sqlite") == {"wer": "rate", "cer": "binary"}


@pytest.mark.parametrize(
    ("table", "values", "says"),
    [
        ("samples", ("t", "b", 0, SAMPLE, None, None, None, None), "task 't', sample 'b': content.id: must be the"),
        (
            "answers",
            ("s", "t", "a", "ok", None, None, None, "", 1, "x", None, None),
            "sample 'a': answer: must be NULL",
        ),
        (
            "answers",
            ("s", "t", "a", "error", ANSWER, None, None, "", 1, "x", None, None),
            "sample 'a': answer: must be",
        ),
        ("transcripts", ("ff", "r", None, ""), "audio_sha256 'ff', recipe 'r': text: must be a string where there"),
        ("scores", ("s", "t", "a", "wer", "{"), "sample 'a', metric 'wer': content: not valid JSON"),
    ],
)
def test_a_row_that_is_wrong_is_named_by_its_key_alone(
    old: sqlite3.Connection, tmp_path: Path, table: str, values: tuple[object, ...], says: str
) -> None:
    put(old, table, *values)
    with pytest.raises(UserError) as caught:
        rows(old, tmp_path, table)
    assert str(caught.value).startswith(f"{tmp_path / 'journal.sqlite'}: table {table}, ")
    assert says in str(caught.value)
    assert str(caught.value).endswith(schema.RESTORE)


def test_a_row_that_stands_twice_is_named(old: sqlite3.Connection, tmp_path: Path) -> None:
    for _ in range(2):
        put(old, "samples", "t", "a", 0, SAMPLE, None, None, None, None)
    with pytest.raises(UserError, match=r"table samples, task 't', sample 'a': UNIQUE constraint failed: samples"):
        rows(old, tmp_path, "samples")
