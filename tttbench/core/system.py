"""What a system under test must offer: what it is capable of, what it is, and responses to batches of requests.

Knows neither tasks nor scores nor the run directory. A system is built by a factory that is registered with
``tttbench.core.registry.register_system``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tttbench.core.exchange import Request, Response, Trace
from tttbench.core.json_values import JsonObject
from tttbench.core.sample import Modality, Sample

if TYPE_CHECKING:
    from reference_model.roofline import Ceilings, Work


@dataclass(frozen=True)
class SystemOptions:
    """How a system is to be set up.

    Attributes:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` …
        batch_size: the most requests that one call of ``generate`` will carry.
        strategy: decoding strategy asked for; ``""`` means the system's own default.
        settings: decode settings by name, as the suite gives them; a system refuses names that it doesn't know with a
            ``UserError``.
        languages: BCP 47 tags of what it will be given, where they are known when its name is checked; ``""`` among
            them for samples that name none. None of them are known to whoever builds it.
        allow_outside: whether a file of answers may name audio outside of its own folder (``--allow-outside``).
    """

    device: str = "cpu"
    batch_size: int = 8
    strategy: str = ""
    settings: JsonObject = field(default_factory=dict)
    languages: frozenset[str] = frozenset()
    allow_outside: bool = False


@dataclass(frozen=True)
class Capability:
    """What a system takes and gives. Tasks that need more than that are skipped, with the reason.

    Attributes:
        accepts: of a request: ``"audio"``, ``"text"``.
        produces: of an answer: ``"text"``, ``"audio"``.
        turns: whether it takes conversations of several turns.
        streams: whether its traces hold the times of parts of the answer.
        families: families of tasks that it is made for, e.g. ``{"asr"}``; None: any.
        languages: BCP 47 tags that it claims; None: any.
        instruction: whether it takes an instruction in words; where it doesn't, the manifest says so.
        concurrency: how many requests it wants at once; more than 1 lets the ``threads`` executor overlap them.
    """

    accepts: frozenset[Modality] = frozenset({"audio", "text"})
    produces: frozenset[Modality] = frozenset({"text"})
    turns: bool = False
    streams: bool = False
    families: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    instruction: bool = True
    concurrency: int = 1


@dataclass(frozen=True)
class SystemCard:
    """What a system is: everything that can change its answers, and what is worth showing beside it.

    Attributes:
        name: full name, e.g. ``"ttt:mini"``.
        capability: what it takes and gives.
        strategy: decoding strategy in use; ``""`` for systems that have none.
        weights_sha256: of its weights; ``""`` if it has none or can't tell.
        codec: fingerprint of its codec; ``""`` if it has none.
        prompts: its own prompts, by family.
        settings: decode settings in force.
        identity: anything else that can change an answer (a file's hash, a server's model version), by name.
        details: shown and never compared: parameters, dtype, device, attention backend …
    """

    name: str
    capability: Capability = field(default_factory=Capability)
    strategy: str = ""
    weights_sha256: str = ""
    codec: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    settings: JsonObject = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)
    details: JsonObject = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over everything that can change an answer."""
        parts = [self.name, self.strategy, self.weights_sha256, self.codec]
        parts += [json.dumps(dict(one), sort_keys=True, default=str) for one in (self.prompts, self.settings)]
        parts.append(json.dumps(dict(self.identity), sort_keys=True))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @property
    def recipe(self) -> str:
        """What makes its transcripts, in words, where it serves as a transcriber."""
        return self.identity.get("recipe") or f"{self.name} {self.weights_sha256[:12] or self.digest}"


@runtime_checkable
class System(Protocol):
    """Anything that responds to requests: a model with a decoding strategy, a cascade, a server."""

    @property
    def card(self) -> SystemCard:
        """What it is."""
        ...

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Respond to a batch: one entry per request, in the same order.

        An exception in the list concerns its request alone. Times in the traces count from the call. The answer to a
        request is a function of the request alone, whatever else is in the batch.
        """
        ...


class FunctionSystem:
    """A system made of a function from one request to a response, or to the text of one."""

    def __init__(self, card: SystemCard, function: Callable[[Request], Response | str]) -> None:
        """Respond with ``function``; the time of its call becomes the trace where it returns none."""
        self.card = card
        self.function = function

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Call the function for one request after the other; what it raises is the error of that request."""
        began_s = time.perf_counter()
        answers: list[Response | Exception] = []
        for request in requests:
            try:
                answer = self.function(request)
                response = Response(answer) if isinstance(answer, str) else answer
                # What else it may be is for those who check answers.
                if isinstance(response, Response) and isinstance(response.trace, Trace) and not response.trace.end_s:
                    end_s = time.perf_counter() - began_s
                    response = replace(response, trace=replace(response.trace, end_s=end_s))
            except Exception as error:
                answers.append(error)
                continue
            answers.append(response)
        return answers


@dataclass(frozen=True)
class Lengths:
    """A request without content, for timing: so many codes of speech in; text and one span of so many codes out."""

    prompt_codes: int
    span_codes: int
    seed: int = 0


@dataclass(frozen=True)
class PassRun:
    """A forward pass of the network that a system ran.

    Attributes:
        work: its operations and bytes.
        seconds: until its tokens were written; making sound of them is left out.
        prefill: whether a prompt was run in it.
    """

    work: Work
    seconds: float
    prefill: bool


@runtime_checkable
class Sweepable(System, Protocol):
    """A system that ``tttbench probe`` can measure at other settings and at given lengths. No system has to be one."""

    @property
    def axes(self) -> frozenset[str]:
        """Names of what can be swept over with it, of those in ``tttbench.probes.axes``."""
        ...

    def tuned(self, options: SystemOptions, on_pass: Callable[[PassRun], None]) -> Sweepable:
        """Return the same system, weights shared, at other settings.

        Args:
            options: strategy and decode settings that take the place of its own; those left out stay as they are.
            on_pass: called with every pass, by systems that know what they run.

        Raises:
            UserError: settings that this system can't have.
        """
        ...

    def scheduled(self, lengths: Sequence[Lengths]) -> Callable[[], Sequence[Response | Exception]]:
        """Prepare a batch of requests without content; every call of what is returned responds as ``generate`` would.

        The answers have exactly the lengths that are asked for and cost what free answers of that length cost.

        Raises:
            UserError: lengths that this system can't have.
        """
        ...

    def ceilings(self) -> Ceilings | None:
        """Measure what its device reaches, in the dtype of its weights; None for systems that report no passes."""
        ...


@runtime_checkable
class Lossless(System, Protocol):
    """A system that may be declared to give the tokens of a slower way of decoding. No system has to be one.

    Where it is, its card says so as ``details["lossless"]``.
    """

    @property
    def lossless(self) -> str:
        """What is declared lossless, in words; ``""`` if nothing."""
        ...

    def oracle(self) -> System | None:
        """Return the same system, weights shared, by the slower way; None if nothing is declared lossless."""
        ...

    def more_exact(self) -> Lossless | None:
        """Return the same system, computed so exactly that rounding decides nothing; None if there is none such."""
        ...


@dataclass(frozen=True)
class Nats:
    """What a system needs for the tokens of one kind in one reference answer.

    Attributes:
        total: nats of all of them.
        n_tokens: how many there are, ends of spans included.
        se: standard error of ``total``; 0 where it is exact.
        exact: whether ``total`` is the negative log-likelihood itself, or an estimate of a bound from above.
    """

    total: float
    n_tokens: int
    se: float
    exact: bool


@dataclass(frozen=True)
class AnswerNats:
    """What a system needs for one reference answer, its text and its audio apart; without audio that has no tokens."""

    text: Nats
    audio: Nats


@runtime_checkable
class Scorable(System, Protocol):
    """A system that can tell how probable reference answers are. No system has to be one."""

    @property
    def objective(self) -> str:
        """What it was trained on, in a word for tables, e.g. ``"ar"``."""
        ...

    def likelihoods(self, samples: Sequence[Sample], family: str, *, n_draws: int, seed: int) -> Sequence[AnswerNats]:
        """Return what it needs for the reference answer of each sample: spoken, where there is a recording of it.

        Args:
            samples: with spoken input.
            family: of their task; it chooses the prompt of systems that have several.
            n_draws: random draws for each estimate of a bound, at least 2; without effect where all is exact.
            seed: of the draws.

        Raises:
            UserError: naming the sample that it can't take.
        """
        ...


class SystemFactory(Protocol):
    """Builds a system from what follows the colon of its name."""

    def __call__(self, spec: str, options: SystemOptions) -> System:
        """Build it. Raises ``UserError`` for an unknown ``spec`` or missing or damaged weights."""
        ...
