"""The judge's ears: what was said in the spoken answers, and in the true recordings of the answers.

Any system that answers ``asr`` requests can listen. It hears the recordings as the run directory keeps them, at 16 kHz,
so that listening again gives the same. What it has heard of a recording is kept by the recording's hash and its recipe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tttbench.core.errors import InputError, UserError
from tttbench.core.interrupts import stop_if_asked
from tttbench.core.records import Request
from tttbench.core.registry import build_system
from tttbench.core.system import System, SystemOptions
from tttbench.data.audio import load_audio, resample
from tttbench.pipeline.generate import answer_all, message_of
from tttbench.pipeline.plan import PlannedTask
from tttbench.pipeline.progress import Listener
from tttbench.store.rows import Recording, Transcript
from tttbench.store.run_directory import RunStore

HEARING_HZ = 16_000


@dataclass(frozen=True)
class Judge:
    """A system that listens, and the recipe that names its weights and way of decoding."""

    system: System
    recipe: str
    card: Mapping[str, object]
    batch_size: int


def build_judge(name: str, device: str, batch_size: int) -> Judge:
    """Build the system called ``name`` as a judge.

    Raises:
        UserError: there is no such system, it can't be built, or it doesn't write down speech.
    """
    system = build_system(name, SystemOptions(device=device, batch_size=batch_size))
    if "asr" not in system.kinds:
        raise UserError(f"judge {name!r}: doesn't write down speech; give a system that answers asr tasks.")
    card = system.describe()
    recipe = str(card.get("recipe") or f"{name} {str(card.get('weights_sha256', ''))[:12]}".strip())
    return Judge(system, recipe, card, batch_size)


def keep_truths(task: PlannedTask, store: RunStore, listener: Listener) -> None:
    """Copy the true recordings of the task's answers into the run, where they aren't yet."""
    kept = {entry.sample.id for entry in store.samples(task.plan.name) if entry.truth is not None}
    for sample in task.samples:
        if sample.answer_audio is None or sample.id in kept:
            continue
        try:
            audio = load_audio(sample.answer_audio)
            store.save_truth(task.plan.name, sample.id, audio.samples, audio.sample_rate)
        except InputError as error:
            listener.note(f"{task.plan.name} {sample.id}: no ceiling for this sample: {error}")


def recordings(store: RunStore, tasks: Iterable[str]) -> list[Recording]:
    """Return the spoken answers and true recordings of ``tasks``, each recording once."""
    found: dict[str, Recording] = {}
    for task in tasks:
        for entry in store.samples(task):
            if entry.truth is not None:
                found[entry.truth.sha256] = entry.truth
        for recording in store.spoken_answers(task):
            found[recording.sha256] = recording
    return list(found.values())


def listen(judge: Judge, heard: Sequence[Recording], store: RunStore, listener: Listener) -> None:
    """Write down what is said in those recordings that this judge hasn't heard yet, a batch at a time."""
    for batch in _batches([entry for entry in heard if store.transcript(entry.sha256, judge.recipe) is None], judge):
        transcripts = {}
        requests = []
        for entry in batch:
            try:
                requests.append(_request(entry, store))
            except InputError as error:
                transcripts[entry.sha256] = Transcript("", str(error))
        for request, answer in zip(requests, answer_all(judge.system, requests) if requests else [], strict=True):
            if isinstance(answer, Exception):
                listener.failed("judge", answer)
                transcripts[request.id] = Transcript("", message_of(answer) or "the judge failed")
            else:
                transcripts[request.id] = Transcript(answer.text)
        stop_if_asked()
        store.save_transcripts(judge.recipe, transcripts)
        listener.advanced(len(batch), sum(bool(entry.error) for entry in transcripts.values()))


def _request(entry: Recording, store: RunStore) -> Request:
    samples, sample_rate = store.audio(entry.file)
    heard = resample(samples, sample_rate, HEARING_HZ)
    seed = int.from_bytes(hashlib.sha256(entry.sha256.encode()).digest()[:4], "big")
    return Request(id=entry.sha256, kind="asr", audio=heard, sample_rate=HEARING_HZ, seed=seed)


def _batches(pending: Sequence[Recording], judge: Judge) -> Iterator[Sequence[Recording]]:
    for start in range(0, len(pending), judge.batch_size):
        yield pending[start : start + judge.batch_size]
