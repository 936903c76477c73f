"""``transcriber:SYSTEM``: any system that makes text of audio, writing down what is spoken in recordings.

It is given the recordings as the run directory keeps them, at 16 kHz, so that transcribing again gives the same, and
the language of each sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import UserError
from tttbench.core.exchange import Message, Request
from tttbench.core.missing import Missing, lacking
from tttbench.core.plugins import build_system, check_system, make_ready, register_deriver, systems
from tttbench.core.system import System, SystemOptions
from tttbench.data.audio import resample

TRANSCRIBED_HZ = 16_000


class Transcriber:
    """A system that transcribes. Its recipe is its card's."""

    def __init__(self, name: str, system: System, batch_size: int) -> None:
        """Transcribe with ``system``, ``batch_size`` recordings a call."""
        self.name = name
        self.batch_size = batch_size
        self.recipe = system.card.recipe
        self.details = {"system": system.card.name, "weights_sha256": system.card.weights_sha256, **system.card.details}
        self._system = system

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Transcribe recordings, one text each."""
        return [
            answer if isinstance(answer, Exception) else Derived("ok", answer.text)
            for answer in self._system.generate([_request(one) for one in inputs])
        ]


def _request(given: DerivationInput) -> Request:
    assert given.audio is not None  # a transcriber's needs name a recording
    audio = resample(given.audio, given.sample_rate, TRANSCRIBED_HZ)
    message = Message("user", audio=audio, sample_rate=TRANSCRIBED_HZ)
    return Request(given.need.audio_sha256, (message,), "asr", language=given.need.language, seed=given.seed)


def check(spec: str, options: SystemOptions) -> None:
    """Find systems that there are not, and those that can't transcribe one of the languages."""
    check_system(spec, replace(options, languages=frozenset()))
    for language in sorted(options.languages):
        check_system(spec, replace(options, languages=frozenset({language})))


def ready(spec: str, options: SystemOptions) -> None:
    """Make the system's weights be there."""
    make_ready(spec, options, systems)


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing] | None:
    """What of the system isn't there."""
    return lacking(spec, options, systems)


@register_deriver(
    "transcriber",
    check=check,
    ready=ready,
    lacks=lacks,
    recipe_of=lambda spec: spec,  # the hash of its weights is known only when they have been read
    summary="transcripts by any system that makes text of audio",
)
def build(spec: str, options: SystemOptions) -> Transcriber:
    """Build ``transcriber:spec``; raises ``UserError`` for a system that doesn't make text of audio."""
    system = build_system(spec, options)
    capability = system.card.capability
    families = capability.families
    if "audio" not in capability.accepts or (families is not None and "asr" not in families):
        raise UserError(f"transcriber {spec!r}: doesn't transcribe speech; give a system that takes asr tasks.")
    return Transcriber(f"transcriber:{spec}", system, options.batch_size)
