"""The run directory: manifest, journal of answers, recordings, summary.

An answer's row is written when its request is done, after its recording is on the disk: a killed run loses only what
was in flight. Answers are never changed; derivations and scores are kept beside them and can be made again. The layout
is described in ``docs/run_directory.md``. Knows no system, task or metric.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tttbench.core.checked import checked_sample, typed_response
from tttbench.core.derivation import Derived
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Waveform
from tttbench.core.metric import TOPLINE, Score
from tttbench.core.sample import Sample
from tttbench.core.serialize import escaped
from tttbench.core.tables import odd_character, read_table
from tttbench.data.atomic import storage_error, write_atomic
from tttbench.data.flac import decode_flac, encode_flac, file_stem, pcm_md5
from tttbench.store import json_files, schema
from tttbench.store.format2 import conversion as format2
from tttbench.store.format2.documents import manifest_of, summary_of
from tttbench.store.journal import Journal
from tttbench.store.json_files import MANIFEST, SUMMARY
from tttbench.store.lock import LOCK, is_being_written, lock
from tttbench.store.manifest import FORMAT, Manifest, Summary
from tttbench.store.rows import NewAnswer, Recording, StoredAnswer, StoredSample
from tttbench.store.schema import JOURNAL, RESTORE

__all__ = ["FORMAT", "TOPLINE", "RunStore", "is_being_written"]

AUDIO = "audio"

_FIRST_FILES = {LOCK, AUDIO, JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", f"{JOURNAL}-journal"}
"""What a run leaves that couldn't even write its manifest, which comes last: nothing worth keeping."""


class RunStore:
    """An open run directory. Use ``create`` or ``open``, and close it (or use it with ``with``).

    Attributes:
        folder: of the run.
        format_on_disk: the format in which it lies there; older ones are read as if they were of this format.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        lock_file: IO[str] | None,
        format_on_disk: int = FORMAT,
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.format_on_disk = format_on_disk
        self._kinds = kinds or {}
        self._journal = journal
        self._lock = lock_file

    @classmethod
    def create(cls, folder: Path, manifest: Manifest) -> Self:
        """Start a run in ``folder``, which may exist but must be empty.

        Raises:
            UserError: the folder holds another run, or other files.
            StorageError: it can't be written.
        """
        refuse_taken(folder)
        try:
            (folder / AUDIO).mkdir(parents=True, exist_ok=True)
            lock_file = lock(folder)
            for left_over in folder.glob(f"{JOURNAL}*"):
                left_over.unlink()
        except OSError as error:
            raise storage_error(folder, error) from error
        connection = schema.create_to_write(folder / JOURNAL)
        store = cls(folder, Journal(connection, folder / JOURNAL), lock_file)
        store.write_manifest(manifest)
        return store

    @classmethod
    def open(cls, folder: Path | str, *, write: bool = False) -> Self:
        """Open a run that exists: to read it, or with ``write`` to resume it or to score it again.

        Raises:
            UserError: there is no run, it has an unknown format, is damaged, or another process is writing to it.
        """
        folder = Path(folder)
        path = folder / JOURNAL
        try:
            is_there = (folder / MANIFEST).is_file() and path.is_file()
        except (OSError, ValueError) as error:
            raise UserError(f"{folder}: cannot be read ({error}). Check the path and its permissions.") from error
        if not is_there:
            raise UserError(f"{folder}: holds no run (no {MANIFEST} and {JOURNAL}).")
        if write:
            return cls._open_to_write(folder)._checked()
        _, its_format = json_files.read_object(folder / MANIFEST)
        if its_format == FORMAT:
            return cls(folder, Journal(schema.open_to_read(path), path), None)._checked()
        opened = format2.open_to_read(folder)
        return cls(folder, Journal(opened.connection, path), None, its_format, opened.kinds)._checked()

    @classmethod
    def _open_to_write(cls, folder: Path) -> Self:
        lock_file = lock(folder)
        try:
            _remove_partial(folder)
            _, its_format = json_files.read_object(folder / MANIFEST)
            if its_format != FORMAT:
                format2.convert(folder)
            path = folder / JOURNAL
            return cls(folder, Journal(schema.open_to_write(path), path), lock_file)
        except BaseException:
            lock_file.close()
            raise

    def _checked(self) -> Self:
        if self._journal.has_recordings() and not (self.folder / AUDIO).is_dir():
            self.close()
            raise UserError(f"{self.folder / AUDIO}: not there, though the run has recordings. {RESTORE}")
        return self

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the journal and let other processes write."""
        self._journal.close(written=self._lock is not None)
        if self._lock is not None:
            self._lock.close()

    @property
    def manifest(self) -> Manifest:
        """What was run, on what, by which versions; read anew each time."""
        path = self.folder / MANIFEST
        document, its_format = json_files.read_object(path)
        return manifest_of(document) if its_format != FORMAT else read_table(Manifest, document)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest."""
        json_files.write(self.folder / MANIFEST, replace(manifest, format=FORMAT))

    @property
    def summary(self) -> Summary | None:
        """Results, probes and counts of the run, read anew each time; None if the run has none yet."""
        path = self.folder / SUMMARY
        if not path.exists():
            return None
        document, its_format = json_files.read_object(path)
        return summary_of(document, self._kinds) if its_format != FORMAT else read_table(Summary, document)

    def write_summary(self, summary: Summary) -> None:
        """Replace the summary."""
        json_files.write(self.folder / SUMMARY, replace(summary, format=FORMAT))

    def add_samples(self, task: str, samples: Sequence[Sample], *, replace: bool = False) -> None:
        """Note the samples of a task, in their order; those that are there stay as they are unless ``replace`` is set.

        Raises:
            InputError: a field that can't be kept, such as a path with NUL or a lone surrogate in it.
        """
        for sample in samples:
            with _named(f"task {task}, sample {sample.id!a}", "correct the list, or rename the file"):
                checked_sample(sample)
        self._journal.add_samples(task, samples, replace=replace)

    def samples(self, task: str | None = None) -> list[StoredSample]:
        """Return the samples of one task, or of all, in order."""
        return self._journal.samples(task)

    def save_input(self, task: str, sample_id: str, turn: int, waveform: Waveform, sample_rate: int) -> Recording:
        """Keep the audio of a sample's turn (mono, float32, Hz), once; later calls compare.

        Raises:
            InputError: the audio isn't what was kept for an earlier request, or can't be kept.
            StorageError: the disk refuses.
        """
        where = f"task {task}, sample {sample_id!r}, turn {turn}"
        return self._save_clip(where, (task, sample_id, "input", turn), waveform, sample_rate)

    def save_reference_audio(self, task: str, sample_id: str, waveform: Waveform, sample_rate: int) -> Recording:
        """Keep the recording of a sample's reference answer (mono, float32, Hz), once; later calls compare.

        Raises:
            InputError: the audio isn't what was kept before, or can't be kept.
            StorageError: the disk refuses.
        """
        where = f"task {task}, sample {sample_id!r}, reference audio"
        return self._save_clip(where, (task, sample_id, "answer", 0), waveform, sample_rate)

    def _save_clip(self, where: str, key: tuple[str, str, str, int], waveform: Waveform, sample_rate: int) -> Recording:
        task, sample_id, part, turn = key
        kept = self._journal.recording(task, sample_id, part, turn)
        if kept is not None:
            # Of a file that was missing when a run of format 2 was converted nothing is known.
            if kept.pcm_md5 and (kept.pcm_md5, kept.sample_rate) != (pcm_md5(waveform), sample_rate):
                raise InputError(
                    f"{where}: the audio has changed since the run kept it as {kept.file}. Put the old audio back, or "
                    "run again in another folder."
                )
            if kept.pcm_md5 and (self.folder / kept.file).is_file():
                return kept
        recording = self._write_audio(waveform, sample_rate, part, task, sample_id, str(turn))
        self._journal.save_recording(task, sample_id, part, turn, recording)
        return recording

    def done(self, system: str, task: str) -> set[tuple[str, int]]:
        """Return sample id and repeat of all answers of ``system``, errors included."""
        return self._journal.done(system, task)

    def was_generated(self, task: str) -> bool:
        """Whether any system has been given this task."""
        return self._journal.has_answers(task)

    def save_answers(self, answers: Sequence[NewAnswer]) -> None:
        """Write answers, their recordings first, then all rows in one transaction.

        Raises:
            InputError: a response that can't be kept; ``typed_response`` and ``encode_flac`` find out beforehand.
            StorageError: the disk is full.
        """
        rows = []
        for answer in answers:
            key, response, recording = answer.key, answer.response, None
            if response is not None:
                with _named(f"system {key.system}, task {key.task}, sample {key.sample!r}: the response can't be kept"):
                    typed_response(response)
                if response.waveform is not None and len(response.waveform):
                    names = ("output", key.task, key.sample, key.system, str(key.repeat))
                    recording = self._write_audio(response.waveform, response.sample_rate, *names)
            rows.append((replace(answer, error=escaped(answer.error)), recording))
        self._journal.save_answers(rows)

    def forget_errors(self) -> int:
        """Take back answers that ended with an error, and derivations that failed, so that they are made anew.

        Returns:
            The number of those answers.
        """
        return self._journal.forget_errors()

    def forget_failed_derivations(self) -> int:
        """Take back derivations that failed, so that they are made anew; return how many."""
        return self._journal.forget_failed_derivations()

    def spent(self, recipe: str) -> Mapping[str, float]:
        """Return what derivations by the deriver whose recipe is ``recipe`` cost that were taken back, by name."""
        return self._journal.spent(recipe)

    def answers(self, system: str | None = None, task: str | None = None) -> Iterator[StoredAnswer]:
        """Yield the answers with their scores, of one system or task if given.

        By system and task; within, in the order of the samples, then of repeats.
        """
        return self._journal.answers(system, task)

    def audio(self, file: str) -> tuple[Waveform, int]:
        """Return the samples (float32, mono) and the sample rate (Hz) of a recording of the run.

        Raises:
            InputError: the file is missing or damaged.
        """
        return decode_flac(self.folder / file)

    def derived(self, recipe: str, input_sha256: str) -> Derived | None:
        """Return the derivation of an input (``Need.input_sha256``) by the deriver whose recipe is ``recipe``."""
        return self._journal.derived(recipe, input_sha256)

    def derived_all(self, recipe: str) -> Mapping[str, Derived]:
        """Return all derivations by the deriver whose recipe is ``recipe``, by the hash of their input."""
        return self._journal.derived_all(recipe)

    def save_derived(self, recipe: str, derived: Mapping[str, Derived]) -> None:
        """Keep derivations by the hash of their input; content that can't be kept is a derivation that failed."""
        self._journal.save_derived(recipe, {sha: _storable(one) for sha, one in derived.items()})

    def forget_scores(self, score_ids: Collection[str]) -> None:
        """Drop all scores of these ids."""
        self._journal.forget_scores(score_ids)

    def replace_scores(self, system: str, task: str, scores: Iterable[tuple[str, int, str, Score]]) -> None:
        """Replace all scores of a system on a task by ``(sample id, repeat, score id, score)``.

        ``TOPLINE`` as system stands for the reference audio.
        """
        self._journal.replace_scores(system, task, scores)

    def scores(self, system: str, task: str) -> dict[tuple[str, int], dict[str, Score]]:
        """Return the scores of a system on a task, by sample id and repeat, then by score id."""
        return self._journal.scores(system, task)

    def _write_audio(self, waveform: Waveform, sample_rate: int, *names: str) -> Recording:
        data = encode_flac(waveform, sample_rate)
        file = f"{AUDIO}/{file_stem(*names)}.flac"
        write_atomic(self.folder / file, data)
        seconds = len(waveform) / sample_rate
        return Recording(file, hashlib.sha256(data).hexdigest(), seconds, sample_rate, pcm_md5(waveform))


def _remove_partial(folder: Path) -> None:
    """Remove what a killed write has left; a folder of such a name is none of ours."""
    for place in (folder, folder / AUDIO):
        for partial in place.glob("*.partial*"):
            if partial.is_dir() and not partial.is_symlink():
                continue
            try:
                partial.unlink()
            except OSError as error:
                raise storage_error(partial, error) from error


def refuse_taken(folder: Path) -> None:
    """Raise ``UserError`` unless a run may be started in ``folder``, whose place must be one that can be written."""
    try:
        if (folder / MANIFEST).exists():
            raise UserError(f"--out {folder}: holds another run; continue it with --resume, or give another folder.")
        if folder.exists() and (
            not folder.is_dir() or any(entry.name not in _FIRST_FILES for entry in folder.iterdir())
        ):
            raise UserError(f"--out {folder}: is not an empty folder; give another one.")
        above = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            raise UserError(f"--out {folder}: {above} cannot be written. Make it writable, or give another folder.")
    except (OSError, ValueError) as error:
        # ValueError: a path with NUL.
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"--out {str(folder)!a}: cannot be used ({why}). Give another folder.") from error


@contextmanager
def _named(where: str, fix: str = "") -> Iterator[None]:
    """Say of what a fault is; the first is enough."""
    try:
        yield
    except UserError as error:
        first = str(error).partition("\n")[0].removesuffix(".")
        raise InputError(f"{where}: {first}{fix and '; '}{fix}.") from error


def _storable(derived: Derived) -> Derived:
    if odd := odd_character(derived.content):
        return replace(derived, status="failed", content="", error=f"the content: holds the character {odd.group()!a}")
    return replace(derived, error=escaped(derived.error))
