"""The run directory: manifest, journal of answers, recordings, summary.

The journal gets a row when a request is done, in one transaction, after its recording is on the disk: a killed run
loses only what was in flight. Raw answers are never changed; transcripts and scores are kept in tables of their own
and can be made again. The schema is described in ``docs/run_directory.md``. Knows no system, task or metric.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tttbench.core.errors import StorageError, UserError
from tttbench.core.records import Conditions, Sample, Score, Waveform
from tttbench.core.serialize import (
    response_from_plain,
    response_to_plain,
    sample_from_plain,
    score_from_plain,
    to_json,
)
from tttbench.data.atomic import storage_error, write_atomic
from tttbench.data.flac import decode_flac, encode_flac, file_stem
from tttbench.store.rows import NewAnswer, Recording, StoredAnswer, StoredSample, Transcript

FORMAT = 2
"""Version of the layout; written to the manifest and to the journal's ``user_version``."""

TRUTH = "true recordings"
"""The system name under which the scores of the true answer recordings stand (the ceiling)."""

_FIRST_FILES = {".lock", "audio", "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"}
"""What a run leaves that couldn't even write its manifest, which comes last: nothing worth keeping."""

_SCHEMA = """
CREATE TABLE samples (
    task TEXT, sample TEXT, position INTEGER, content TEXT, input_audio TEXT, input_s REAL, truth_audio TEXT,
    truth_sha256 TEXT,
    PRIMARY KEY (task, sample));
CREATE TABLE answers (
    system TEXT, task TEXT, sample TEXT, status TEXT, answer TEXT, audio TEXT, audio_sha256 TEXT, error TEXT,
    batch_size INTEGER, finished_at TEXT, pace_s REAL, others_cores REAL,
    PRIMARY KEY (system, task, sample));
CREATE TABLE transcripts (
    audio_sha256 TEXT, recipe TEXT, text TEXT, error TEXT,
    PRIMARY KEY (audio_sha256, recipe));
CREATE TABLE scores (
    system TEXT, task TEXT, sample TEXT, metric TEXT, content TEXT,
    PRIMARY KEY (system, task, sample, metric));
"""


class RunStore:
    """An open run directory. Use ``create``, ``resume`` or ``open``, and close it (or use it with ``with``)."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: Any) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = lock

    @classmethod
    def create(cls, folder: Path, manifest: Mapping[str, object]) -> RunStore:
        """Start a run in ``folder``, which may exist but must be empty.

        Raises:
            UserError: the folder holds another run, or other files.
            StorageError: it can't be written.
        """
        if (folder / "manifest.json").exists():
            raise UserError(f"--out {folder}: holds another run; continue it with --resume, or give another folder.")
        if folder.exists() and (
            not folder.is_dir() or any(entry.name not in _FIRST_FILES for entry in folder.iterdir())
        ):
            raise UserError(f"--out {folder}: is not an empty folder; give another one.")
        try:
            (folder / "audio").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error
        lock = _lock(folder)
        for left_over in folder.glob("journal.sqlite*"):
            left_over.unlink()
        connection = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
        with _writing(folder / "journal.sqlite"):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version={FORMAT}")
        store = cls(folder, connection, lock)
        store.write_manifest({"format": FORMAT, **manifest})
        return store

    @classmethod
    def open(cls, folder: Path, *, write: bool = False) -> RunStore:
        """Open a run that exists: to read it, or with ``write`` to go on with it or to score it again.

        Raises:
            UserError: there is no run, it has another format, is damaged, or another process is writing to it.
        """
        journal = folder / "journal.sqlite"
        if not (folder / "manifest.json").is_file() or not journal.is_file():
            raise UserError(f"{folder}: holds no run (no manifest.json and journal.sqlite).")
        lock = _lock(folder) if write else None
        if write:
            for partial in folder.rglob("*.partial"):
                partial.unlink()
        connection = sqlite3.connect(journal, isolation_level=None)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise UserError(f"{journal}: damaged ({error}); restore it, or run again in another folder.") from error
        if version != FORMAT:
            raise UserError(f"{journal}: has format {version}, this version reads {FORMAT}; run again.")
        return cls(folder, connection, lock)

    def __enter__(self) -> RunStore:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the journal and let other processes write."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def manifest(self) -> dict[str, Any]:
        """What was run, on what, by which versions."""
        return _read_json(self.folder / "manifest.json")

    def write_manifest(self, manifest: Mapping[str, object]) -> None:
        """Replace the manifest."""
        write_atomic(self.folder / "manifest.json", to_json(manifest, indent=2).encode())

    @property
    def summary(self) -> dict[str, Any]:
        """Results, probes and counts of the run."""
        return _read_json(self.folder / "summary.json")

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Replace the summary."""
        write_atomic(self.folder / "summary.json", to_json(summary, indent=2).encode())

    def add_samples(self, task: str, samples: Sequence[Sample]) -> None:
        """Note the samples of a task, in their order; those that are there stay as they are."""
        rows = [(task, sample.id, at, to_json(sample)) for at, sample in enumerate(samples)]
        with self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO samples (task, sample, position, content) VALUES (?, ?, ?, ?)", rows
            )

    def samples(self, task: str | None = None) -> list[StoredSample]:
        """Return the samples of one task, or of all, in order."""
        rows = self._connection.execute(
            "SELECT task, content, input_audio, truth_audio, truth_sha256 FROM samples "
            "WHERE ?1 IS NULL OR task = ?1 ORDER BY task, position",
            (task,),
        )
        return [
            StoredSample(name, sample_from_plain(json.loads(content)), heard, Recording(truth, sha) if truth else None)
            for name, content, heard, truth, sha in rows
        ]

    def save_input(self, task: str, sample_id: str, samples: Waveform, sample_rate: int) -> None:
        """Keep the spoken input of a sample (mono, float32, Hz)."""
        recording = self._write_audio(samples, sample_rate, task, sample_id, "input")
        with self._transaction():
            self._connection.execute(
                "UPDATE samples SET input_audio = ?, input_s = ? WHERE task = ? AND sample = ?",
                (recording.file, len(samples) / sample_rate, task, sample_id),
            )

    def save_truth(self, task: str, sample_id: str, samples: Waveform, sample_rate: int) -> Recording:
        """Keep the true recording of a sample's answer (mono, float32, Hz)."""
        recording = self._write_audio(samples, sample_rate, task, sample_id, "truth")
        with self._transaction():
            self._connection.execute(
                "UPDATE samples SET truth_audio = ?, truth_sha256 = ? WHERE task = ? AND sample = ?",
                (recording.file, recording.sha256, task, sample_id),
            )
        return recording

    def done(self, system: str, task: str) -> set[str]:
        """Return the ids of the samples that ``system`` has answered (or failed to answer)."""
        rows = self._connection.execute("SELECT sample FROM answers WHERE system = ? AND task = ?", (system, task))
        return {row[0] for row in rows}

    def was_asked(self, task: str) -> bool:
        """Whether any system has been asked this task."""
        return self._connection.execute("SELECT 1 FROM answers WHERE task = ? LIMIT 1", (task,)).fetchone() is not None

    def save_answers(self, system: str, task: str, answers: Sequence[NewAnswer]) -> None:
        """Write answers to the journal, their recordings first.

        Raises:
            InputError: a waveform that can't be kept; check with ``encode_flac`` beforehand.
            StorageError: the disk is full.
        """
        rows = []
        for answer in answers:
            recording = None
            response = answer.response
            if response is not None and response.waveform is not None and len(response.waveform):
                recording = self._write_audio(response.waveform, response.sample_rate, task, answer.sample_id, system)
            rows.append(
                (
                    system,
                    task,
                    answer.sample_id,
                    answer.status,
                    None if response is None else to_json(response_to_plain(response)),
                    recording and recording.file,
                    recording and recording.sha256,
                    answer.error,
                    answer.batch_size,
                    answer.finished_at,
                    answer.conditions and answer.conditions.pace_s,
                    answer.conditions and answer.conditions.others_cores,
                )
            )
        with self._transaction():
            self._connection.executemany(f"INSERT INTO answers VALUES ({', '.join('?' * 12)})", rows)

    def spoken_answers(self, task: str) -> list[Recording]:
        """Return the recordings of all systems' spoken answers to a task."""
        rows = self._connection.execute(
            "SELECT audio, audio_sha256 FROM answers WHERE task = ? AND audio IS NOT NULL ORDER BY system, sample",
            (task,),
        )
        return [Recording(*row) for row in rows]

    def forget_errors(self) -> int:
        """Take back all answers that ended with an error, so that they are asked again; return how many."""
        with self._transaction():
            return self._connection.execute("DELETE FROM answers WHERE status = 'error'").rowcount

    def audio(self, file: str) -> tuple[Waveform, int]:
        """Return the samples (float32, mono) and the sample rate (Hz) of a recording of the run."""
        return decode_flac(self.folder / file)

    def transcript(self, audio_sha256: str, recipe: str) -> Transcript | None:
        """Return what the judge called ``recipe`` heard in a recording, if it has listened to it."""
        row = self._connection.execute(
            "SELECT text, error FROM transcripts WHERE audio_sha256 = ? AND recipe = ?", (audio_sha256, recipe)
        ).fetchone()
        return None if row is None else Transcript(*row)

    def save_transcripts(self, recipe: str, transcripts: Mapping[str, Transcript]) -> None:
        """Keep transcripts by the sha256 of their recordings."""
        rows = [(sha, recipe, entry.text, entry.error) for sha, entry in transcripts.items()]
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO transcripts VALUES (?, ?, ?, ?)", rows)

    def replace_scores(self, system: str, task: str, scores: Iterable[tuple[str, Score]]) -> None:
        """Replace all scores of a system on a task by ``(sample id, score)`` pairs."""
        rows = [(system, task, sample, score.metric, to_json(score)) for sample, score in scores]
        with self._transaction():
            self._connection.execute("DELETE FROM scores WHERE system = ? AND task = ?", (system, task))
            self._connection.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?)", rows)

    def scores(self, system: str, task: str) -> dict[str, tuple[Score, ...]]:
        """Return the scores of a system on a task by sample id; ``TRUTH`` as system gives the ceiling's."""
        found: dict[str, tuple[Score, ...]] = {}
        rows = self._connection.execute(
            "SELECT sample, content FROM scores WHERE system = ? AND task = ?", (system, task)
        )
        for sample, content in rows:
            found[sample] = (*found.get(sample, ()), score_from_plain(json.loads(content)))
        return found

    def answers(self, system: str | None = None, task: str | None = None) -> Iterator[StoredAnswer]:
        """Yield the answers, of one system or task if given, each system's in the order of the samples."""
        recipe = self.manifest.get("judge", {}).get("recipe", "")
        rows = self._connection.execute(
            "SELECT a.system, a.task, s.content, a.status, a.answer, a.error, a.batch_size, a.audio, "
            "coalesce(a.audio_sha256, ''), s.input_audio, coalesce(s.input_s, 0.0), s.truth_audio, h.text, "
            "coalesce(h.error, ''), t.text, a.pace_s, a.others_cores "
            "FROM answers a JOIN samples s ON s.task = a.task AND s.sample = a.sample "
            "LEFT JOIN transcripts h ON h.audio_sha256 = a.audio_sha256 AND h.recipe = ?1 "
            "LEFT JOIN transcripts t ON t.audio_sha256 = s.truth_sha256 AND t.recipe = ?1 "
            "WHERE (?2 IS NULL OR a.system = ?2) AND (?3 IS NULL OR a.task = ?3) "
            "ORDER BY a.system, a.task, s.position",
            (recipe, system, task),
        ).fetchall()
        scores: dict[tuple[str, str], dict[str, tuple[Score, ...]]] = {}
        for label, name, content, status, answer, error, batch_size, *rest in rows:
            audio, sha, input_audio, input_s, truth_audio, heard, heard_error, truth_heard, pace_s, others_cores = rest
            if (label, name) not in scores:
                scores = {(label, name): self.scores(label, name)}
            sample = sample_from_plain(json.loads(content))
            plain = None if answer is None else json.loads(answer)
            yield StoredAnswer(
                system=label,
                task=name,
                sample=sample,
                status=status,
                response=None if plain is None else response_from_plain(plain),
                error=error,
                batch_size=batch_size,
                audio=audio,
                audio_sha256=sha,
                answer_s=plain["n_samples"] / plain["sample_rate"] if plain and plain["n_samples"] else 0.0,
                input_audio=input_audio,
                input_s=input_s,
                truth_audio=truth_audio,
                heard=None if heard_error else heard,
                heard_error=heard_error,
                truth_heard=truth_heard,
                conditions=None if pace_s is None else Conditions(pace_s, others_cores),
                scores=scores[label, name].get(sample.id, ()),
            )

    def _write_audio(self, samples: Waveform, sample_rate: int, *names: str) -> Recording:
        data = encode_flac(samples, sample_rate)
        file = f"audio/{file_stem(*names)}.flac"
        write_atomic(self.folder / file, data)
        return Recording(file, hashlib.sha256(data).hexdigest())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _writing(self.folder / "journal.sqlite"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise storage_error(path, error) from error


def _lock(folder: Path) -> Any:
    try:
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise storage_error(folder / ".lock", error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise UserError(
            f"{folder}: another process is writing to this run; wait for it, or give another folder."
        ) from error
    except OSError as error:
        file.close()
        raise StorageError(f"{folder}: cannot be locked: {error}. Give a folder on another file system.") from error
    return file


def is_being_written(folder: Path) -> bool:
    """Whether a process is writing to the run in ``folder`` now; where that can't be found out, it is taken to be."""
    try:
        with (folder / ".lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: not there; the run has not come so far. Continue it with --resume.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}. Restore it, or run again.") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: must hold a JSON object. Restore it, or run again.")
    return values
