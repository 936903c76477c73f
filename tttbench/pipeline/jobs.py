"""The unit of work that an executor runs: a worker, and what it is given. Picklable, and without the store.

A worker is a system or a deriver. It reads audio when it needs it, never before; whatever goes wrong with one item is
that item's error.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol, TypeVar, cast

from tttbench.core.checked import checked_response
from tttbench.core.derivation import Derived, Deriver, Need
from tttbench.core.errors import InputError, StorageError, UserError, kind_and_message
from tttbench.core.exchange import Conditions, Message, Request, Response, Waveform
from tttbench.core.interrupts import stop_if_asked
from tttbench.core.sample import Turn
from tttbench.core.secrets import masked
from tttbench.core.system import System, SystemOptions
from tttbench.data.audio import read_audio
from tttbench.data.flac import decode_flac, encode_flac, pcm_md5
from tttbench.probes.compute import shared
from tttbench.probes.conditions import Watch
from tttbench.store.rows import AnswerKey, Recording

T = TypeVar("T")

LONGEST_MESSAGE = 4_000
"""Characters of an error that are written down."""


class BadAnswerError(UserError):
    """A system's answer that can't be taken for one."""


@dataclass(frozen=True)
class WorkerSpec:
    """What to build: a system or a deriver, by name, with its options.

    ``timeout_s``: seconds that a call may take for each request or input in it.
    """

    kind: Literal["system", "deriver"]
    name: str
    options: SystemOptions
    timeout_s: float = 300.0


@dataclass(frozen=True)
class GenerateItem:
    """One request whose audio hasn't been read.

    Attributes:
        key: which answer it becomes.
        turns: the conversation.
        family, instruction, language, max_seconds, seed: of the request.
        kept: recordings that the run keeps of its turns, by position: a clip of other samples or another rate is
            refused.
        spoken: recordings of the system's own answers to earlier rounds that it didn't write, by position.
    """

    key: AnswerKey
    turns: tuple[Turn, ...]
    family: str
    instruction: str
    language: str
    max_seconds: float
    seed: int
    kept: Mapping[int, Recording] = field(default_factory=dict)
    spoken: Mapping[int, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Clip:
    """Audio that was read: mono float32 at its own rate (Hz)."""

    samples: Waveform
    sample_rate: int


@dataclass(frozen=True)
class Generated:
    """What became of a ``GenerateItem``.

    Attributes:
        key: which answer.
        response: None if there is an error.
        error: message; ``""`` if there is a response.
        clips: audio of turns that the run doesn't keep yet, by position.
        batch_size: requests that were worked on at once, in this call and others; 0 if it never came to a call.
        conditions: of the machine meanwhile.
        finished_at: ISO 8601, UTC.
    """

    key: AnswerKey
    response: Response | None
    error: str
    clips: Mapping[int, Clip]
    batch_size: int
    conditions: Conditions | None
    finished_at: str


@dataclass(frozen=True)
class DeriveItem:
    """One derivation: what is needed, and the file of its recording (FLAC), if it has one."""

    need: Need
    recording: Path | None = None


@dataclass(frozen=True)
class DerivationDone:
    """What became of a ``DeriveItem``."""

    need: Need
    derived: Derived


A = TypeVar("A", GenerateItem, DeriveItem)


def not_done(items: Sequence[A], done: Sequence[Generated] | Sequence[DerivationDone]) -> Sequence[A]:
    """Return the items of which nothing has become by now."""
    known = {_identity(one) for one in done}
    return [one for one in items if _identity(one) not in known]


def _identity(one: GenerateItem | Generated | DeriveItem | DerivationDone) -> AnswerKey | str:
    return one.key if isinstance(one, GenerateItem | Generated) else one.need.input_sha256


class OpenWorker(Protocol):
    """A worker that has been built by an executor."""

    @property
    def worker(self) -> System | Deriver:
        """What was built, for its card or recipe."""
        ...

    def generate(self, items: Sequence[GenerateItem], batch_size: int) -> Iterator[tuple[Generated, ...]]:
        """Respond to requests with a system, a batch at a time; any order."""
        ...

    def derive(self, items: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
        """Make derivations with a deriver, a batch at a time, each handed on as it arrives; any order."""
        ...

    def beside(self, worker: System) -> OpenWorker:
        """Return what runs another system, which shares weights with this one, in the same place."""
        ...


def as_system(worker: System | Deriver) -> System:
    """Return a worker that was opened as a system. ``isinstance`` would read its card, which may do anything."""
    return cast(System, worker)


def as_deriver(worker: System | Deriver) -> Deriver:
    """Return a worker that was opened as a deriver."""
    return cast(Deriver, worker)


def request_seed(run_seed: int, task: str, sample_id: str, repeat: int = 0) -> int:
    """Return a request's seed, 63 bits: a function of run seed, task, sample and repeat, whatever batch or order."""
    again = f"\0{repeat}" if repeat else ""
    digest = hashlib.sha256(f"{run_seed}\0{task}\0{sample_id}{again}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def read_request(item: GenerateItem) -> tuple[Request, dict[int, Clip]]:
    """Read the audio of a request.

    Returns:
        The request, and those of its clips that the run doesn't keep yet, by position of the turn.

    Raises:
        InputError: a file can't be read, or isn't what the run has kept of it; an earlier round isn't answered.
    """
    messages, clips = [], {}
    for at, turn in enumerate(item.turns):
        if turn.answer_to:
            raise InputError(
                f"{item.key.sample}: is a later round of a conversation, which is asked after the system's own answer "
                f"to {turn.answer_to}: only tttbench run can ask it."
            )
        if at in item.spoken:
            messages.append(Message(turn.role, turn.text, *decode_flac(item.spoken[at])))
            continue
        if turn.audio is None:
            messages.append(Message(turn.role, turn.text))
            continue
        audio = read_audio(turn.audio)
        messages.append(Message(turn.role, turn.text, audio.samples, audio.sample_rate))
        kept = item.kept.get(at)
        if kept is None:
            # A system may write into what it is given.
            clips[at] = Clip(audio.samples.copy(), audio.sample_rate)
        elif kept.pcm_md5 and (kept.pcm_md5, kept.sample_rate) != (pcm_md5(audio.samples), audio.sample_rate):
            raise InputError(
                f"{turn.audio}: is not the recording that the run was started with. Restore it, or give another --out."
            )
    return (
        Request(
            item.key.sample,
            tuple(messages),
            item.family,
            item.instruction,
            item.language,
            item.max_seconds,
            item.seed,
            item.key.task,
        ),
        clips,
    )


def generate_batch(
    system: System, items: Sequence[GenerateItem], watch: Watch | None, calls_at_once: int = 1
) -> tuple[Generated, ...]:
    """Read a batch's audio, let ``system`` respond, and return what became of each item.

    ``watch`` watches the machine meanwhile; ``calls_at_once`` says how many calls the system has been given.
    """
    requests: list[Request] = []
    clips: dict[int, dict[int, Clip]] = {}
    outcomes: dict[int, Response | Exception] = {}
    called: list[int] = []
    for at, item in enumerate(items):
        try:
            request, clips[at] = read_request(item)
        except StorageError:
            raise
        except Exception as error:
            outcomes[at] = error
            continue
        requests.append(request)
        called.append(at)
    conditions = None
    if requests:
        if watch is not None:
            watch.begin()
        answers = respond_all(system, requests)
        conditions = None if watch is None else watch.end()
        outcomes.update(zip(called, answers, strict=True))
    stop_if_asked()
    done_at = now()
    return tuple(
        Generated(
            item.key,
            outcome if isinstance(outcome := outcomes[at], Response) else None,
            _error_of(item.key, outcome) if isinstance(outcome, Exception) else "",
            clips.get(at, {}),
            calls_at_once * len(requests) if at in called else 0,
            conditions if at in called else None,
            done_at,
        )
        for at, item in enumerate(items)
    )


def _error_of(key: AnswerKey, error: Exception) -> str:
    return f"{_named(key)}: {error}" if isinstance(error, BadAnswerError) else message_of(error)


def _named(key: AnswerKey) -> str:
    return f"system {key.system}, task {key.task}, sample {key.sample!a}"


def where_of(items: Sequence[GenerateItem] | Sequence[DeriveItem]) -> str:
    """Say which requests or inputs a batch holds, by the first of them."""
    first = items[0]
    if isinstance(first, GenerateItem):
        named = _named(first.key)
    else:
        named = first.need.deriver + ("" if first.recording is None else f", {first.recording.name}")
    return named if len(items) == 1 else f"{named} and {len(items) - 1} more"


def without_answer(items: Sequence[GenerateItem], message: str) -> tuple[Generated, ...]:
    """Return what became of a batch that nobody waits for any longer."""
    return tuple(Generated(item.key, None, message, {}, len(items), None, now()) for item in items)


def respond_all(
    system: System, requests: Sequence[Request], clock: Callable[[], float] = time.perf_counter
) -> list[Response | Exception]:
    """Return one outcome per request; if the whole batch fails, each is tried alone, so that one can't spoil others.

    Args:
        system: is given the requests.
        requests: of one call.
        clock: monotonic seconds; a call's are shared among its answers.
    """
    began_s = clock()
    answers = all_answers(lambda: system.generate(list(requests)), len(requests))
    call_s = clock() - began_s
    if isinstance(answers, Exception):
        return [answers] if len(requests) == 1 else [respond_all(system, [request], clock)[0] for request in requests]
    return shared([_checked(answer) for answer in answers], call_s)


def attempted(call: Callable[[], T]) -> T | Exception:
    """Return what a plug-in's code returns, or as an error whatever it raises; only a wish to stop is raised."""
    try:
        return call()
    except SystemExit as error:  # what a plug-in leaves with is no reason for tttbench to leave
        return RuntimeError(f"it called sys.exit({'' if error.code is None else repr(error.code)})")
    except Exception as error:
        return error
    except BaseException as error:
        stop_if_asked()
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        return RuntimeError(kind_and_message(error))  # asyncio.CancelledError and the like


def all_answers(call: Callable[[], Sequence[T | Exception]], expected: int) -> Sequence[T | Exception] | Exception:
    """Return as many answers as there are requests, or why there are none."""
    answers = attempted(call)
    if isinstance(answers, Exception):
        return answers
    if not isinstance(answers, Sequence) or isinstance(answers, str):
        return RuntimeError(f"it returned a {type(answers).__name__}, expected a list with an answer to each request")
    found = attempted(lambda: list(answers))
    if isinstance(found, Exception):
        return found
    if len(found) != expected:
        return RuntimeError(f"it returned {len(found)} answers to {expected} request{'s' * (expected != 1)}")
    return found


def _checked(answer: Response | Exception) -> Response | Exception:
    if isinstance(answer, Exception):
        return answer
    try:
        found = checked_response(answer)
        if found.waveform is not None and len(found.waveform):
            encode_flac(found.waveform, found.sample_rate)
    except UserError as error:
        return BadAnswerError(f"the system's answer can't be kept: {first_line(error)}")
    return found


def first_line(error: UserError) -> str:
    """Return what an error says first."""
    return str(error).partition("\n")[0]


def message_of(error: BaseException) -> str:
    """Return what is written down about an error: a ``UserError``'s own words, else with the kind of error before.

    What may be a key is left out.
    """
    text = masked(str(error) if isinstance(error, UserError) else kind_and_message(error))
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} …"


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield ``items`` in their order, ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def now() -> str:
    """The time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
