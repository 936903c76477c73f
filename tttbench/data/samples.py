"""The samples of a task, listed and checked before anything else happens: ids, languages, and the files of their audio.

Every command that lists data does it here. No audio is read: a file that is missing or broken is the error of its
request.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tttbench.core.blame import blamed, named
from tttbench.core.checked import checked_sample
from tttbench.core.errors import UserError
from tttbench.core.language import language_fault
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.task import Task
from tttbench.data.files import RealPaths, why_not_regular
from tttbench.data.sources.listing import id_fault


def list_samples(task: Task, data: Path | None = None, *, allow_outside: bool = False) -> tuple[Sample, ...]:
    """List the samples of a task.

    Args:
        task: what to list.
        data: its data, a folder or a list; None for those that it brings along.
        allow_outside: whether audio may lie outside of the data's folder, as a task itself can allow.

    Raises:
        UserError: what the task has to say; an id that is empty, odd or there twice; a language that is none; audio
            that is no regular file or lies outside. The message names the row.
    """
    where = f"task {task.name!r}" + (f" ({data})" if data else "")
    if fault := language_fault(task.language):
        raise UserError(f"task {task.name!r}: language: {fault}")
    with blamed(f"task {task.name!r}: its samples"):
        listed = tuple(task.samples(data))
    samples = tuple(_of_its_types(sample, where) for sample in listed)
    seen: set[str] = set()
    paths = RealPaths()
    folder = None if task.allow_outside or allow_outside else _folder(data or task.data)
    for sample in samples:
        at = f"{where}: sample {sample.id!a:.80}"
        if fault := id_fault(sample.id):
            raise UserError(f"{where}: the id {sample.id!a:.80} of a sample {fault}")
        if sample.id in seen:
            raise UserError(f"{where}: two samples have the id {sample.id!r}; give every sample its own.")
        seen.add(sample.id)
        if fault := language_fault(sample.language):
            raise UserError(f"{at}: language: {fault}")
        for audio in _audio_of(sample):
            _check(audio, str(audio.listed or at), folder, paths)
    return samples


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


def _check(audio: AudioRef, where: str, folder: Path | None, paths: RealPaths) -> None:
    if kind := why_not_regular(audio.path):
        raise UserError(f"{where}: {audio.path} is {kind}. Name a regular file, or take it out of the list.")
    if folder is None:
        return
    lists = [audio.listed.file] if audio.listed is not None else []
    for path in (audio.path, *lists):
        if not paths.is_inside(path, folder):
            raise UserError(
                f"{where}: {path} lies outside of the data's folder {folder}. If you trust the list, say "
                "--allow-outside (in a task's file: allow_outside = true), else correct it."
            )
