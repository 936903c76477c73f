"""What plug-ins give, checked before anything is done with it: types, ranges, lengths, finiteness.

A plug-in may give anything. What passes here can be kept, read back, scored and shown; what doesn't is an error of its
own request or input. Reading what a run has kept is more lenient: it is what it is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import numpy as np

from tttbench.core.blame import blamed, named
from tttbench.core.derivation import Derived, Deriver, Need
from tttbench.core.errors import UserError, kind_and_message
from tttbench.core.exchange import Response, Trace, Waveform
from tttbench.core.json_values import JsonObject
from tttbench.core.metric import MetricInfo, Score, score_fault
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.secrets import without_secrets
from tttbench.core.serialize import KeptResponse, all_escaped, bare, to_plain
from tttbench.core.system import FunctionSystem, System, SystemCard
from tttbench.core.tables import Check, Count, Document, Name, read_table
from tttbench.core.task import HubFiles, Needs, Task

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

LONGEST_TEXT = 1_000_000
"""Characters. A model that writes more has run away."""

LONGEST_WORD = 1_000
"""Characters of a reason to finish, or of a stage's name: they stand in tables."""

LONGEST_S = 1e6
"""The latest time in a trace, in seconds: eleven days."""

LOUDEST = 8.0
"""The largest sample of a waveform, whose full scale is 1: what is larger was scaled as whole numbers are."""

LOWEST_HZ, HIGHEST_HZ = 1_000, 655_350
"""Sample rates: below there is no speech, above FLAC keeps nothing."""

_SLACK_S = 1e-6
"""By so much a time may be later than the end, as sums of times are rounded."""


def checked_response(given: object) -> Response:
    """Return what a system gave for a request as a response that makes sense: lengths, ranges, the order of times.

    Raises:
        UserError: it can't be taken; each line of the message begins with a field.
    """
    found = typed_response(given)
    if fault := next(_faults(found), ""):
        raise UserError(f"{fault}.")
    return found


def typed_response(given: object) -> Response:
    """Return a response of which every field has its type, so that it can be kept and read back.

    NumPy's values and those of subclasses become Python's; the waveform is copied, so that a system may use its memory
    again.

    Raises:
        UserError: there is one that hasn't; each line of the message begins with a field.
    """
    with _readable():
        if not isinstance(given, Response):
            raise _other(given, Response)
        kept = _read(KeptResponse, given)
        return dataclasses.replace(kept.response(), waveform=_waveform(given.waveform, kept.sample_rate))


def checked_derived(given: object) -> Derived:
    """Return what a deriver gave for an input as a derivation of which every field has its type.

    Raises:
        UserError: it can't be taken; each line of the message begins with a field.
    """
    with _readable():
        if not isinstance(given, Derived):
            raise _other(given, Derived)
        found = _read(Derived, given)
    if len(found.content) > LONGEST_TEXT:
        raise UserError(f"content: must have at most {LONGEST_TEXT:,} characters, not {len(found.content):,}.")
    return found


def checked_score(given: object, info: MetricInfo) -> Score | None:
    """Return what a scorer gave for an answer as the score that is kept; None where the metric doesn't apply.

    Raises:
        UserError: it can't be used: a value that isn't finite or outside of the metric's range, details that can't be
            kept.
    """
    if given is None:
        return None
    with _readable():
        if fault := score_fault(given, info):
            raise UserError(f"{fault}.")
        return _kept(Score, given)


def checked_need(given: object) -> Need:
    """Return what a scorer says that it needs; raises ``UserError`` beginning with the field if it makes no sense."""
    with _readable():
        if not isinstance(given, Need):
            raise _other(given, Need)
        return _read(Need, given)


def checked_recipe(given: object) -> Recipe:
    """Return how a scorer says that its scores are made; raises ``UserError`` beginning with the field."""
    with _readable():
        if not isinstance(given, Recipe):
            raise _other(given, Recipe)
        return _read(Recipe, given)


def checked_sample(given: object) -> Sample:
    """Return a sample that a task lists; raises ``UserError`` beginning with the field if it can't be kept."""
    with _readable():
        if not isinstance(given, Sample):
            raise _other(given, Sample)
        return _kept(Sample, given)


def checked_card(given: object) -> SystemCard:
    """Return a system's card as a run keeps it.

    Raises:
        UserError: it can't be kept; each line of the message begins with a field.
    """
    with _readable():
        if not isinstance(given, SystemCard):
            raise _other(given, SystemCard)
        found = _kept(SystemCard, given, escape=True)
    found = dataclasses.replace(
        found,
        settings=without_secrets(found.settings),
        identity={name: str(value) for name, value in without_secrets(found.identity).items()},
        details=without_secrets(found.details),
    )
    if found.capability.concurrency < 1:
        raise UserError(f"capability.concurrency: must be 1 or more, not {found.capability.concurrency}.")
    return found


PLUGIN = "plugin_sha256"
"""Name among a card's ``identity``: the hash of the file that a system is written in, whose card says nothing else."""


def card_of(system: System, name: str) -> SystemCard:
    """Return the card of a system, checked; raises ``UserError`` naming the system if it has none that can be kept.

    A card that says nothing of what the system is made of gets the hash of the plug-in's file: edited, it is
    another system.
    """
    where = f"system {name!r}: its card"
    with blamed(where):
        card, file = system.card, _file_of(system)
    with named(where):
        found = checked_card(card)
    is_told = found.weights_sha256 or found.codec or found.prompts or found.settings or found.identity
    return found if is_told or file is None else dataclasses.replace(found, identity={PLUGIN: _sha256(file)})


def _file_of(system: System) -> Path | None:
    """The file that a system from outside was written in; None for our own, and where there is no file."""
    written = system.function if isinstance(system, FunctionSystem) else system
    module = str(getattr(written, "__module__", ""))
    file = None if module.partition(".")[0] == "tttbench" else getattr(sys.modules.get(module), "__file__", None)
    return Path(file) if isinstance(file, str) and Path(file).is_file() else None


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@dataclasses.dataclass(frozen=True)
class _DeriverFacts:
    """What a deriver says of itself."""

    name: Name
    recipe: Annotated[str, Check(filled=True)]
    batch_size: Count
    details: JsonObject


@dataclasses.dataclass(frozen=True)
class _TaskFacts:
    """What a task says of itself."""

    name: Name
    title: Name
    family: Name
    description: str
    scores: Annotated[tuple[ScoreSpec, ...], Check(fewest=1, unique=("id",))]
    instruction: str
    needs: Needs
    language: str
    max_seconds: Annotated[float, Check(above=0)]
    doubles_as: tuple[Name, ...]
    cluster: Annotated[str, Check(one_line=True)]
    data: Path | None
    size: Annotated[int, Check(least=0)]
    hours: Annotated[float, Check(least=0)]
    license: Annotated[str, Check(one_line=True)]
    get: str
    condition: Annotated[str, Check(one_line=True)]
    condition_of: Annotated[str, Check(one_line=True)]
    hub: HubFiles | None
    allow_outside: bool


def check_task_facts(task: Task) -> None:
    """Raise ``UserError`` beginning with the field if what a task says of itself can't be kept."""
    with _readable():
        plain = {field.name: to_plain(getattr(task, field.name)) for field in dataclasses.fields(_TaskFacts)}
        read_table(_TaskFacts, Document(plain, "", "JSON"))
        if not callable(task.samples):
            raise UserError(f"samples: must be a function that lists the samples, not a {type(task.samples).__name__}.")


def check_deriver_facts(deriver: Deriver) -> None:
    """Raise ``UserError`` beginning with the attribute if what a deriver says of itself can't be kept."""
    with _readable():
        facts = {name: _opened(getattr(deriver, name)) for name in ("name", "recipe", "batch_size")}
        facts["details"] = to_plain(getattr(deriver, "details", {}))
        read_table(_DeriverFacts, Document(facts, "", "JSON"))


@contextmanager
def _readable() -> Iterator[None]:
    """Attributes and containers of a plug-in's own may raise whatever they like when they are read."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"can't be read: {kind_and_message(error)}.") from error


def _other(given: object, expected: type) -> UserError:
    """The error for something else than what is expected; of objects the type, as a ``__repr__`` may do anything."""
    is_plain = given is None or isinstance(given, bool | int | float | str)
    told = f"{given!a:.60}" if is_plain else f"a {type(given).__name__}"
    return UserError(f"must be a {expected.__name__}, not {told}.")


def _kept(kind: type[T], given: object, *, escape: bool = False) -> T:
    """Return ``given`` as it is read back when it has been written as JSON, where whatever else it holds is a text."""
    plain = to_plain(given)
    return read_table(kind, Document(all_escaped(plain) if escape else plain, "", "JSON"), missing="refuse")


def _read(kind: type[T], given: object) -> T:
    """Return the fields of ``given`` that ``kind`` has as a ``kind``."""
    values = {field.name: _opened(getattr(given, field.name)) for field in dataclasses.fields(kind)}
    return read_table(kind, Document(values, "", "JSON"), missing="refuse")


def _opened(value: object) -> object:
    """Return dataclasses as objects, arrays and tensors as lists, NaN among confidences as null, the rest ``bare``."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {field.name: _opened(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Trace):
            found["commit_confidence"] = _with_null(found["commit_confidence"])
        return found
    if hasattr(value, "tolist") and not isinstance(value, type):
        return _opened(value.tolist())
    if isinstance(value, list | tuple):
        return [_opened(one) for one in value]
    if isinstance(value, Mapping):
        return {bare(key): _opened(one) for key, one in value.items()}
    return bare(value)


def _with_null(values: object) -> object:
    return [None if one != one else one for one in values] if isinstance(values, list) else values


def _waveform(given: object, sample_rate: int) -> Waveform | None:
    """Return a waveform that can be kept; raises ``UserError``."""
    if given is None:
        return None
    if not isinstance(given, np.ndarray):
        raise UserError(f"waveform: must be a NumPy array, not a {type(given).__name__}.")
    given = np.asarray(given)  # of a subclass its values
    if given.dtype.kind != "f":
        fix = f": divide it by {2 ** (8 * given.itemsize - 1)}" if given.dtype.kind == "i" else ""
        raise UserError(f"waveform: must be float32 from -1 to 1, not {given.dtype}{fix}.")
    if given.ndim != 1:
        raise UserError(f"waveform: must be mono, shape (n,), not {given.shape}.")
    if len(given) == 0:
        return given.astype(np.float32)
    if not np.isfinite(given).all():
        raise UserError("waveform: must not hold NaN or infinity.")
    peak = float(np.abs(given).max())
    if peak > LOUDEST:
        raise UserError(f"waveform: must lie from -1 to 1, but reaches {peak:g}: divide it by its full scale.")
    if not LOWEST_HZ <= sample_rate <= HIGHEST_HZ:
        raise UserError(f"sample_rate: must be from {LOWEST_HZ:,} to {HIGHEST_HZ:,} Hz, not {sample_rate}.")
    return given.astype(np.float32)


def _faults(response: Response) -> Iterator[str]:
    """What no type says: lengths, ranges, the order of times."""
    if len(response.text) > LONGEST_TEXT:
        yield f"text: must have at most {LONGEST_TEXT:,} characters, not {len(response.text):,}"
    if len(response.finish_reason) > LONGEST_WORD:
        yield f"finish_reason: must have at most {LONGEST_WORD:,} characters, not {len(response.finish_reason):,}"
    if response.audio_codes and min(response.audio_codes) < 0:
        yield f"audio_codes: must be whole numbers of 0 or more, not {min(response.audio_codes)}"
    trace = response.trace
    yield from _wrong_times(trace)
    yield from _wrong_counts(trace, 0 if response.waveform is None else len(response.waveform))


def _wrong_times(trace: Trace) -> Iterator[str]:
    latest_s = trace.end_s + _SLACK_S if trace.end_s else LONGEST_S
    end = f"the end of the answer ({trace.end_s:g} s)" if trace.end_s else f"{LONGEST_S:,.0f} s"
    series: dict[str, Sequence[float]] = {
        "end_s": (trace.end_s,),
        "prefill_end_s": () if trace.prefill_end_s is None else (trace.prefill_end_s,),
        "text_times_s": trace.text_times_s,
        "audio_commits": tuple(commit.time_s for commit in trace.audio_commits),
        "chunks": tuple(chunk.time_s for chunk in trace.chunks),
    }
    for stage, seconds in trace.stages_s.items():
        if len(stage) > LONGEST_WORD:
            yield f"trace.stages_s: a name must have at most {LONGEST_WORD:,} characters, not {len(stage):,}"
        if not 0 <= seconds <= LONGEST_S:
            yield f"trace.stages_s: must be from 0 to {LONGEST_S:,.0f} s, but {stage!a:.60} is {seconds:g}"
    if trace.compute_s is not None and not 0 <= trace.compute_s <= LONGEST_S:
        yield f"trace.compute_s: must be from 0 to {LONGEST_S:,.0f} s, not {trace.compute_s:g}"
    if trace.end_s > LONGEST_S:
        yield f"trace.end_s: must be at most {LONGEST_S:,.0f} s, not {trace.end_s:g}"
    for name, times in series.items():
        if not times:
            continue
        if min(times) < 0:
            yield f"trace.{name}: times must be 0 or more, not {min(times):g}"
        if any(later < earlier for earlier, later in pairwise(times)):
            yield f"trace.{name}: times must not decrease"
        if max(times) > latest_s:
            yield f"trace.{name}: times must not be later than {end}, but one is {max(times):g}"


def _wrong_counts(trace: Trace, n_samples: int) -> Iterator[str]:
    counts = (
        ("nfe", trace.nfe),
        ("nfe_audio", trace.nfe_audio or 0),
        *(("audio_commits", commit.n_codes) for commit in trace.audio_commits),
        *(("chunks", chunk.n_samples) for chunk in trace.chunks),
        *(("commit_step", step) for step in trace.commit_step),
        *(("spans", length) for length in trace.spans),
    )
    for name, count in counts:
        if count < 0:
            yield f"trace.{name}: must count from 0, not {count}"
    if any(not 0 <= one <= 1 + 1e-3 for one in trace.commit_confidence if one == one):
        yield "trace.commit_confidence: must be probabilities from 0 to 1"
    if (trace.nfe_audio or 0) > trace.nfe:
        yield f"trace.nfe_audio: must be at most nfe, {trace.nfe}, not {trace.nfe_audio}"
    n_text, n_steps = len(trace.text_times_s), len(trace.commit_step)
    if trace.text_tokens and len(trace.text_tokens) != n_text:
        yield f"trace.text_tokens: must be as many as text_times_s, {n_text}, not {len(trace.text_tokens)}"
    if trace.commit_confidence and len(trace.commit_confidence) != n_steps:
        yield f"trace.commit_confidence: must be as many as commit_step, {n_steps}, not {len(trace.commit_confidence)}"
    if trace.spans and sum(trace.spans) != n_steps:
        yield f"trace.spans: must sum to the length of commit_step, {n_steps}, not {sum(trace.spans)}"
    in_chunks = sum(chunk.n_samples for chunk in trace.chunks)
    if trace.chunks and in_chunks != n_samples:
        yield f"trace.chunks: must hold the waveform's {n_samples} samples in all, not {in_chunks}"
