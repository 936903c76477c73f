"""Derivations: whatever costs more than a function. Transcripts, a judge's replies, quality predictions, embeddings.

A scorer names what it needs (``Need``); the pipeline has it made by a ``Deriver`` once for every input and recipe, and
keeps it, so that nothing is paid for twice. Knows no scorer and no run directory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from tttbench.core.exchange import Waveform


@dataclass(frozen=True)
class Need:
    """One derivation that a score can't do without.

    Attributes:
        deriver: name of the deriver, e.g. ``"transcriber:whisper:tiny.en"``, ``"judge:openai_chat:gpt-4o"``.
        audio_sha256: the recording that goes in; ``""`` if none does.
        fields: texts that go in by name (question, reference, answer …).
        language: BCP 47 tag; ``""`` if unknown.
    """

    deriver: str
    audio_sha256: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    language: str = ""

    @property
    def input_sha256(self) -> str:
        """Hash of all that goes in; for a recording alone it is the recording's own."""
        if self.audio_sha256 and not self.fields and not self.language:
            return self.audio_sha256
        values = json.dumps([self.audio_sha256, dict(self.fields), self.language], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(values.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True)
class DerivationInput:
    """A need with its recording read: mono float32 at ``sample_rate`` (Hz); ``seed`` is a function of the input."""

    need: Need
    audio: Waveform | None = None
    sample_rate: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Derived:
    """What came of it.

    Attributes:
        status: ``ok``, or ``failed``: then ``error`` says why, and scores that need it are ``derivation_failed``.
        content: the transcript, the judge's reply, a number as text … as the deriver defines it.
        error: why it failed.
        cost: whatever it cost, by name: ``seconds``, ``tokens_in``, ``tokens_out``, ``usd``.
    """

    status: Literal["ok", "failed"]
    content: str = ""
    error: str = ""
    cost: Mapping[str, float] = field(default_factory=dict)


class Deriver(Protocol):
    """Makes derivations in batches. Built like a system, by ``tttbench.core.plugins.build_deriver``."""

    @property
    def name(self) -> str:
        """Full name, as in ``Need.deriver``."""
        ...

    @property
    def recipe(self) -> str:
        """What makes its content, in words: model, hash of its weights, versions, prompt."""
        ...

    @property
    def batch_size(self) -> int:
        """The most inputs that one call of ``derive`` may carry."""
        ...

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Make one derivation per input, in the same order; an exception concerns its input alone.

        All are kept when the call ends: one that works input by input takes a ``batch_size`` of 1, and one that has
        several under way at once is a ``DeriverOfEach``.
        """
        ...


@runtime_checkable
class DeriverOfEach(Protocol):
    """A deriver that hands on each derivation when it arrives, so that a killed run loses none that has been made.

    For those that are waited for one by one, as replies of a server are. ``derive`` may still be called.
    """

    def derive_each(self, inputs: Sequence[DerivationInput]) -> Iterator[tuple[int, Derived | Exception]]:
        """Yield the place of each input in ``inputs``, and what was made of it, in any order, each once."""
        ...


def recipe_digest(recipe: str) -> str:
    """Return the key under which derivations of ``recipe`` are kept: 16 hexadecimal digits."""
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]
