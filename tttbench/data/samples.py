"""The samples of a task, listed and checked before anything else happens: ids, languages, and the files of their audio.

Every command that lists data does it here. No audio is read: a file that is missing or broken is the error of its
request.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tttbench.core.blame import blamed, named
from tttbench.core.checked import checked_sample
from tttbench.core.errors import UserError
from tttbench.core.language import language_fault
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.task import Task
from tttbench.data.files import RealPaths, is_file_itself, why_not_regular
from tttbench.data.sources.listing import id_fault


def list_samples(task: Task, data: Path | None = None, *, allow_outside: bool = False) -> tuple[Sample, ...]:
    """List the samples of a task.

    Args:
        task: what to list.
        data: its data, a folder or a list; None for those that it brings along.
        allow_outside: whether audio may lie outside of the data's folder, as a task itself can allow.

    Raises:
        UserError: what the task has to say; an id that is empty, odd or there twice; an answer to what is no earlier
            sample; a language that is none; audio that is no regular file or lies outside. The message names the row.
    """
    where = f"task {task.name!r}" + (f" ({data})" if data else "")
    if fault := language_fault(task.language):
        raise UserError(f"task {task.name!r}: language: {fault}")
    with blamed(f"task {task.name!r}: its samples"), _without_collector():
        listed = tuple(task.samples(data))
    samples = tuple(_of_its_types(sample, where) for sample in listed)
    seen: set[str] = set()
    folder = None if task.allow_outside or allow_outside else _folder(data or task.data)
    checked = _Checked(folder)
    for sample in samples:
        if fault := id_fault(sample.id):
            raise UserError(f"{where}: the id {sample.id!a:.80} of a sample {fault}")
        if sample.id in seen:
            raise UserError(f"{where}: two samples have the id {sample.id!r}; give every sample its own.")
        for turn in sample.turns:
            if turn.answer_to and turn.answer_to not in seen:
                raise UserError(
                    f"{where}: sample {sample.id!a:.80}: answer_to: {turn.answer_to!a:.80} is no sample that is listed "
                    "before it; name an earlier round."
                )
        seen.add(sample.id)
        if fault := language_fault(sample.language):
            raise UserError(f"{where}: sample {sample.id!a:.80}: language: {fault}")
        for audio in _audio_of(sample):
            if fault := checked.fault(audio):
                raise UserError(f"{audio.listed or f'{where}: sample {sample.id!a:.80}'}: {fault}")
    return samples


@contextmanager
def _without_collector() -> Iterator[None]:
    """Objects of a listing stay, by the million: looking for garbage among them takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _of_its_types(sample: object, where: str) -> Sample:
    """Return a sample whose fields can be asked for what they should hold: a plug-in may list anything."""
    if not isinstance(sample, Sample):
        raise UserError(f"{where}: listed a {type(sample).__name__}, expected a Sample.")
    if type(sample.id) is type(sample.language) is str and _has_turns(sample):
        return sample
    with named(f"{where}: sample {sample.id!a:.80}", "Correct the task's list."):
        return checked_sample(sample)


def _has_turns(sample: Sample) -> bool:
    """Whether turns and audio are what they should be."""
    answer = () if sample.answer is None else (sample.answer,)
    return isinstance(sample.turns, tuple) and all(
        isinstance(turn, Turn)
        and type(turn.answer_to) is str
        and (turn.audio is None or (isinstance(turn.audio, AudioRef) and isinstance(turn.audio.path, Path)))
        for turn in (*sample.turns, *answer)
    )


def _folder(data: Path | None) -> Path | None:
    """The folder of data that may be given as a list."""
    return data.parent if data is not None and data.is_file() else data


def _audio_of(sample: Sample) -> Iterator[AudioRef]:
    for turn in (*sample.turns, *([sample.answer] if sample.answer is not None else [])):
        if turn.audio is not None:
            yield turn.audio


class _Checked:
    """Files of audio and lists, each of which is looked at once: a table may hold all audio of a task."""

    def __init__(self, folder: Path | None) -> None:
        """Refuse what lies outside of ``folder``, if one is given."""
        self._folder = folder
        self._paths = RealPaths()
        self._last: tuple[Path, str] = (Path(), "")
        self._lists: dict[Path, str] = {}

    def fault(self, audio: AudioRef) -> str:
        """Why a file can't be that of a sample, the end of a message; ``""`` if it can."""
        if audio.made is not None:  # its file is the cache's
            return ""
        if audio.path is not self._last[0]:
            self._last = (audio.path, self._fault(audio.path))
        if self._last[1] or audio.listed is None:
            return self._last[1]
        if audio.listed.file not in self._lists:
            self._lists[audio.listed.file] = self._outside(audio.listed.file, self._paths.of(audio.listed.file))
        return self._lists[audio.listed.file]

    def _fault(self, path: Path) -> str:
        if is_file_itself(path):  # most are: one look is enough
            return self._outside(path, self._paths.beside_links(path))
        if kind := why_not_regular(path):
            return f"{path} is {kind}. Name a regular file, or take it out of the list."
        return self._outside(path, self._paths.of(path))

    def _outside(self, path: Path, real: str) -> str:
        if self._folder is None or self._paths.begins(real, self._folder):
            return ""
        return (
            f"{path} lies outside of the data's folder {self._folder}. If you trust the list, say --allow-outside (in "
            "a task's file: allow_outside = true), else correct it."
        )
