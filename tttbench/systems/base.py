"""What a system under test must offer: answer batches of requests, and say what it is.

Knows neither tasks nor scores nor the run directory. Adapters stand beside this file, one per kind of system, and
register a factory with ``tttbench.registry.register_system``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from tttbench.records import Request, RequestKind, Response


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


class SystemFactory(Protocol):
    """Builds a system from what follows the colon of its name."""

    def __call__(self, spec: str, options: SystemOptions) -> System:
        """Build it. Raises ``UserError`` for an unknown ``spec`` or missing or damaged weights."""
        ...
