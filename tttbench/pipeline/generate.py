"""One system asked one task: audio loaded request by request, batches answered, every outcome written down.

Whatever goes wrong with one request is that request's error; only a full disk and Ctrl-C stop the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tttbench.core.errors import InputError, StorageError, UserError
from tttbench.core.interrupts import stop_if_asked
from tttbench.core.records import Conditions, Request, Response, Sample
from tttbench.core.system import System
from tttbench.core.task import Task
from tttbench.data.audio import load_audio
from tttbench.data.flac import encode_flac
from tttbench.pipeline.progress import Listener
from tttbench.probes.conditions import Watch
from tttbench.store.rows import NewAnswer
from tttbench.store.run_directory import RunStore


def request_seed(run_seed: int, task: str, sample_id: str) -> int:
    """Return the seed of a request, 63 bits: a function of run seed, task and sample, whatever the batch or order."""
    digest = hashlib.sha256(f"{run_seed}\0{task}\0{sample_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@dataclass(frozen=True)
class Asking:
    """What stays the same while a system answers a task.

    Attributes:
        label: name of the system in the run directory.
        task: what is asked.
        run_seed: the run's seed.
        batch_size: the most requests a call may carry.
        device: that the system runs on.
    """

    label: str
    task: Task
    run_seed: int
    batch_size: int
    device: str = "cpu"


def ask(system: System, asking: Asking, samples: Sequence[Sample], store: RunStore, listener: Listener) -> None:
    """Let ``system`` answer those of ``samples`` that it hasn't answered yet, and write every outcome to ``store``.

    Raises:
        StorageError: the run directory can't be written.
    """
    done = store.done(asking.label, asking.task.name)
    watch = Watch(asking.device)
    kept_inputs = {entry.sample.id for entry in store.samples(asking.task.name) if entry.input_audio is not None}
    pending = [sample for sample in samples if sample.id not in done]
    for batch in _batches(pending, asking.batch_size):
        requests: list[Request] = []
        outcomes: dict[str, Response | Exception] = {}
        for sample in batch:
            try:
                request = make_request(sample, asking)
                if request.audio is not None and sample.id not in kept_inputs:
                    store.save_input(asking.task.name, sample.id, request.audio, request.sample_rate)
                requests.append(request)
            except StorageError:
                raise
            except Exception as error:
                outcomes[sample.id] = error
        conditions = None
        if requests:
            watch.begin()
            answers = answer_all(system, requests)
            conditions = watch.end()
            outcomes.update({request.id: answer for request, answer in zip(requests, answers, strict=True)})
        stop_if_asked()
        rows = [_row(sample.id, outcomes[sample.id], len(requests), conditions) for sample in batch]
        for sample in batch:
            outcome = outcomes[sample.id]
            if isinstance(outcome, Exception):
                listener.failed(f"{asking.label} · {asking.task.name} · {sample.id}", outcome)
        store.save_answers(asking.label, asking.task.name, rows)
        listener.advanced(len(rows), sum(row.status == "error" for row in rows))


def fail_all(message: str, asking: Asking, samples: Sequence[Sample], store: RunStore, listener: Listener) -> None:
    """Write down that none of the pending ``samples`` could be answered, e.g. because the system can't be built."""
    done = store.done(asking.label, asking.task.name)
    pending = [sample for sample in samples if sample.id not in done]
    rows = [NewAnswer(sample.id, "error", None, message, 0, _now()) for sample in pending]
    store.save_answers(asking.label, asking.task.name, rows)
    listener.advanced(len(rows), len(rows))


def make_request(sample: Sample, asking: Asking) -> Request:
    """Read the sample's audio and return the request; raises ``InputError`` if the file can't be used."""
    audio = None if sample.audio is None else load_audio(sample.audio)
    return Request(
        id=sample.id,
        kind=sample.kind,
        audio=None if audio is None else audio.samples,
        sample_rate=0 if audio is None else audio.sample_rate,
        text=sample.text,
        instruction=asking.task.instruction,
        max_seconds=asking.task.max_seconds,
        seed=request_seed(asking.run_seed, asking.task.name, sample.id),
    )


def answer_all(system: System, requests: Sequence[Request]) -> list[Response | Exception]:
    """Return one outcome per request; if the whole batch fails, each is tried alone, so that one can't spoil others."""
    answers = _attempt(lambda: system.answer(requests), len(requests))
    if isinstance(answers, Exception):
        if len(requests) == 1:
            return [answers]
        return [answer_all(system, [request])[0] for request in requests]
    return [_checked(answer) for answer in answers]


def _attempt(
    call: Callable[[], Sequence[Response | Exception]], expected: int
) -> Sequence[Response | Exception] | Exception:
    try:
        answers = call()
    except Exception as error:
        return error
    if len(answers) != expected:
        return RuntimeError(f"the system gave {len(answers)} answers to {expected} requests")
    return answers


def _checked(answer: Response | Exception) -> Response | Exception:
    if isinstance(answer, Exception) or answer.waveform is None or len(answer.waveform) == 0:
        return answer
    try:
        encode_flac(answer.waveform, answer.sample_rate)
    except InputError as error:
        return RuntimeError(f"the system's spoken answer can't be kept: {error}")
    return answer


def _row(sample_id: str, outcome: Response | Exception, batch_size: int, conditions: Conditions | None) -> NewAnswer:
    if isinstance(outcome, Exception):
        return NewAnswer(sample_id, "error", None, message_of(outcome), batch_size, _now(), conditions)
    said = outcome.waveform is not None and len(outcome.waveform) > 0
    status = "ok" if said or outcome.text.strip() else "empty"
    return NewAnswer(sample_id, "ok" if status == "ok" else "empty", outcome, "", batch_size, _now(), conditions)


def message_of(error: Exception) -> str:
    """Return what is written down about an error: a ``UserError``'s own words, else with the kind of error before."""
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"


def _batches(samples: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
