"""What a system under test must offer: answer batches of requests, and say what it is.

Knows neither tasks nor scores nor the run directory. Adapters stand beside this file, one per kind of system, and
register a factory with ``tttbench.core.registry.register_system``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tttbench.core.records import Request, RequestKind, Response

if TYPE_CHECKING:
    from reference_model.roofline import Ceilings, Work


@dataclass(frozen=True)
class SystemOptions:
    """How a system is to be set up.

    Attributes:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` …
        batch_size: the most requests one call of ``answer`` will carry.
        threads: CPU threads; None leaves the machine's default.
        strategy: decoding strategy asked for; ``""`` means the system's own default.
        decode: decode settings by name, as the suite gives them; a system refuses names that it doesn't know with a
            ``UserError``.
    """

    device: str = "cpu"
    batch_size: int = 8
    threads: int | None = None
    strategy: str = ""
    decode: Mapping[str, object] = field(default_factory=dict)


@runtime_checkable
class System(Protocol):
    """Anything that answers requests: a model with a decoding strategy, a cascade, a server."""

    @property
    def name(self) -> str:
        """Full name, e.g. ``"ttt:mini"`` or ``"whisper:tiny.en"``."""
        ...

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The kinds of request that it can answer; tasks of other kinds are skipped."""
        ...

    @property
    def strategy(self) -> str:
        """Decoding strategy in use, e.g. ``"topk"``; ``""`` for systems that have none."""
        ...

    def describe(self) -> Mapping[str, object]:
        """Return the model card: plain JSON values (parameters, dtype, weights' sha256, attention backend, decode …).

        Keys with a meaning of their own: ``"weights_sha256"`` is compared when a run is resumed; ``"recipe"`` names a
        system that serves as judge; ``"speaks": False`` says that spoken answers are not to be expected, so that
        metrics of the spoken answer are left out instead of counted as wrong.
        """
        ...

    def answer(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Answer a batch: one entry per request, in the same order.

        An exception in the list concerns its request alone. Times in the traces count from the call. The answer to a
        request is a function of the request alone, whatever else is in the batch.
        """
        ...


@dataclass(frozen=True)
class Lengths:
    """A request without content, for timing: so many codes of speech in; text and one span of so many codes out."""

    prompt_codes: int
    span_codes: int
    seed: int = 0


@dataclass(frozen=True)
class PassRun:
    """A pass of the network that a system ran.

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

    def scheduled(self, asked: Sequence[Lengths]) -> Callable[[], Sequence[Response | Exception]]:
        """Prepare a batch of requests without content; every call of what is returned answers it as ``answer`` would.

        The answers have exactly the lengths that are asked for and cost what free answers of that length cost.

        Raises:
            UserError: lengths that this system can't have.
        """
        ...

    def ceilings(self) -> Ceilings | None:
        """Measure what its device reaches, in the dtype of its weights; None for systems that tell no passes."""
        ...


class SystemFactory(Protocol):
    """Builds a system from what follows the colon of its name."""

    def __call__(self, spec: str, options: SystemOptions) -> System:
        """Build it. Raises ``UserError`` for an unknown ``spec`` or missing or damaged weights."""
        ...
