"""A run that version 0.1.0 made is read as if it were of today's format, and nothing of it changes on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.derivation import Derived
from tttbench.core.errors import InputError, UserError
from tttbench.core.metric import TOPLINE
from tttbench.core.sample import AudioRef, Turn
from tttbench.data.audio import load_audio
from tttbench.store.read_model import Run
from tttbench.store.run_directory import RunStore

from .stored_runs import FORMAT_2, copy_of_format_2, edit, state_of, update


@pytest.fixture
def run() -> Iterator[Run]:
    with Run.open(FORMAT_2) as opened:
        yield opened


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return copy_of_format_2(tmp_path / "old")


def read_everything(folder: Path) -> None:
    with Run.open(folder) as run:
        answers = list(run.answers())
        assert len(answers) == 10
        assert run.samples()
        for answer in answers:
            run.transcript(answer.audio)
            if answer.audio is not None:
                run.audio(answer.audio)


def test_reading_changes_nothing(old: Path) -> None:
    before = state_of(old)
    read_everything(old)
    assert state_of(old) == before


def test_reading_a_run_that_was_killed_changes_nothing_and_misses_nothing(old: Path) -> None:
    _leave_log(old)
    before = state_of(old)
    assert set(before) >= {"journal.sqlite-wal"}
    with Run.open(old) as run:
        assert next(one for one in run.answers("faulty:often", "short_asr")).batch_size == 99
    read_everything(old)
    assert state_of(old) == before


def test_a_run_is_read_while_version_0_1_writes_it(old: Path) -> None:
    with RunStore.open(old) as store:
        n = len(list(store.answers()))
    writer = sqlite3.connect(old / "journal.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("DELETE FROM answers WHERE system = 'faulty:often' AND task = 'short_asr'")
    with Locked(old), RunStore.open(old) as store:
        assert len(list(store.answers())) == n - 2
    writer.close()


def _leave_log(folder: Path) -> None:
    """Change a row as a writer does that is killed before the log is written back."""
    writer = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE answers SET batch_size = 99 WHERE system = 'faulty:often'")
    log = (folder / "journal.sqlite-wal").read_bytes()
    journal = (folder / "journal.sqlite").read_bytes()
    writer.close()
    (folder / "journal.sqlite").write_bytes(journal)
    (folder / "journal.sqlite-wal").write_bytes(log)


class Locked:
    """The lock that a writer holds."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"

    def __enter__(self) -> None:
        import fcntl

        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_samples_have_turns_references_and_an_answer(run: Run) -> None:
    stored = run.samples("short_qa")[0]
    sample = stored.sample
    assert sample.turns[0].role == "user"
    assert isinstance(sample.audio, AudioRef)
    assert sample.audio.path.name == "qa-133.opus"
    assert sample.references == ("red", "it is red")
    assert sample.answer is not None
    assert sample.answer.audio is not None
    assert sample.answer == Turn("assistant", "Blood is red.", sample.answer.audio)
    assert sample.answer.audio.path.name == "answer-072.opus"
    assert sample.cluster == "qa-133"
    assert run.samples("short_asr")[0].sample.answer is None


def test_recordings_know_what_format_2_did_not_note(run: Run) -> None:
    for stored in run.samples("short_qa"):
        for recording in (stored.input_audio, stored.answer_audio):
            assert recording is not None
            found = load_audio(FORMAT_2 / recording.file)
            assert recording.sample_rate == found.sample_rate
            assert recording.seconds == pytest.approx(found.duration_s)
            assert (len(recording.sha256), len(recording.pcm_md5)) == (64, 32)


def test_answers_keep_text_codes_trace_and_recording(run: Run) -> None:
    answer = next(run.answers("ttt:mini", "short_qa"))
    assert (answer.key.sample, answer.key.repeat, answer.status, answer.text) == ("qa-133", 0, "ok", "Blood is red.")
    assert answer.response is not None
    trace = answer.response.trace
    assert answer.audio is not None
    assert sum(chunk.n_samples for chunk in trace.chunks) == round(answer.audio.seconds * answer.audio.sample_rate)
    assert len(trace.commit_step) == sum(trace.spans) == len(answer.response.audio_codes or ()) == 12
    assert answer.conditions is not None
    assert run.audio(answer.audio)[0].size == round(answer.audio.seconds * answer.audio.sample_rate)


def test_errors_and_empty_answers_stay_what_they_are(run: Run) -> None:
    failed, empty = run.answers("faulty:often", "short_qa")
    assert (failed.status, failed.response, failed.error) == ("error", None, "RuntimeError: this one always fails")
    assert (empty.status, empty.text, empty.error) == ("empty", "", "")


def test_transcripts_are_derivations(run: Run) -> None:
    answer = next(run.answers("ttt:mini", "short_qa"))
    assert run.transcript(answer.audio) == Derived("ok", "Blood is red.")
    assert run.transcript(answer.sample.answer_audio) == Derived("ok", "Blood is red.")


def test_scores_come_by_id(run: Run) -> None:
    scores = next(run.answers("ttt:mini", "short_qa")).scores
    assert list(scores) == ["spoken_accuracy", "text_accuracy", "self_wer"]
    assert scores["spoken_accuracy"].detail["matched"] == "red"
    assert run.topline_scores("short_qa")["qa-133"]["spoken_accuracy"].value == 1.0


def test_a_score_whose_judge_failed_has_no_value(old: Path) -> None:
    update(old, "UPDATE scores SET content = json_set(content, '$.status', 'judge_failed') WHERE metric = 'self_wer'")
    with Run.open(old) as run:
        answer = next(run.answers("ttt:mini", "short_qa"))
    assert answer.scores["self_wer"].status == answer.outcome == "derivation_failed"
    assert np.isnan(answer.scores["self_wer"].value)


def test_a_transcript_that_failed_is_a_derivation_that_failed(old: Path) -> None:
    update(old, "UPDATE transcripts SET text = '', error = 'out of memory'")
    with Run.open(old) as run:
        assert run.transcript(next(run.answers("ttt:mini", "short_qa")).audio) == Derived(
            "failed", error="out of memory"
        )


def test_a_system_called_as_the_reference_audio_is_called_today_gets_another_label(old: Path) -> None:
    update(old, f"UPDATE answers SET system = '{TOPLINE}' WHERE system = 'faulty:often'")
    update(old, f"UPDATE scores SET system = '{TOPLINE}' WHERE system = 'faulty:often'")

    def rename(values: dict[str, dict[str, object]]) -> None:
        values["systems"][TOPLINE] = values["systems"].pop("faulty:often")

    edit(old / "manifest.json", rename)
    with Run.open(old) as run:
        label = f"{TOPLINE} (system)"
        assert label in run.manifest.systems
        assert len(list(run.answers(label))) == 4
        assert set(run.topline_scores("short_qa")) == {"qa-133", "qa-121"}


def test_a_recording_that_is_gone_is_said_when_it_is_read(old: Path) -> None:
    with Run.open(old) as run:
        gone = next(run.answers("ttt:mini", "short_qa")).audio
    assert gone is not None
    (old / gone.file).unlink()
    with Run.open(old) as run:
        found = next(run.answers("ttt:mini", "short_qa")).audio
        assert found is not None
        assert (found.sha256, found.seconds, found.pcm_md5) == (gone.sha256, gone.seconds, "")
        with pytest.raises(InputError, match=f"{gone.file}: cannot be read"):
            run.audio(found)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE answers SET answer = '{' WHERE sample = 'qa-121' AND system = 'ttt:mini'",
            "system 'ttt:mini', task 'short_qa', sample 'qa-121': answer: not valid JSON: Expecting property name",
        ),
        (
            "UPDATE answers SET answer = json_remove(answer, '$.trace.packets')",
            r"table answers, system 'ttt:mini', task 'short_asr', sample 'asr-027': answer\.trace\.packets: missing",
        ),
        (
            "UPDATE answers SET status = 'fine'",
            "sample 'asr-027': status: must be 'ok', 'empty' or 'error', not 'fine'",
        ),
        ("UPDATE answers SET audio = '../../x'", "sample 'asr-027': audio: must be a path inside the run directory"),
        (
            "UPDATE samples SET content = 7",
            "table samples, task 'short_asr', sample 'asr-027': content: must be an object, not 7",
        ),
        ("UPDATE samples SET input_audio = '/etc/passwd'", "sample 'asr-027': input_audio: must be a path inside"),
        (
            "UPDATE samples SET sample = x'00ff' WHERE sample = 'asr-090'",
            "table samples, task 'short_asr', sample b'\\\\x00\\\\xff': sample: must",
        ),
        (
            "UPDATE scores SET content = '[]'",
            "task 'short_asr', sample 'asr-027', metric 'wer': content: must be an object, not an empty list",
        ),
        (
            "UPDATE scores SET content = json_set(content, '$.status', 'x')",
            r"metric 'wer': content\.status: must be 'ok', 'empty', 'unparsed', 'judge_failed' or 'error', not 'x'",
        ),
        ("UPDATE transcripts SET text = NULL", "table transcripts, audio_sha256 '[0-9a-f]{64}', recipe .*text: must"),
        ("DROP TABLE transcripts", "cannot be read .no such table: transcripts"),
        ("ALTER TABLE answers DROP COLUMN pace_s", "cannot be read .no such column: pace_s"),
    ],
)
def test_a_damaged_row_is_named(old: Path, statement: str, message: str) -> None:
    update(old, statement)
    with pytest.raises(UserError, match=rf"journal\.sqlite: .*{message}"):
        Run.open(old)
