"""A written answer as scorers see it, outside of a run. Nothing was spoken, nothing was timed, nothing is derived."""

from __future__ import annotations

from dataclasses import dataclass

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Status, Trace, Waveform
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import SpokenAudio, View


@dataclass(frozen=True)
class WrittenView:
    """A ``View`` of text alone."""

    text: str
    status: Status = "ok"
    audio: SpokenAudio | None = None
    codes: tuple[int, ...] | None = None
    codec: str = ""
    trace: Trace | None = None
    finish_reason: str = "stop"
    input_s: float = 0.0
    input_audio: SpokenAudio | None = None
    reference_audio: SpokenAudio | None = None

    def waveform(self) -> Waveform | None:
        return None

    def derived(self, need: Need) -> Derived | None:
        return None

    def answer_to(self, sample_id: str) -> View | None:
        return None

    def peer(self, system: str) -> View | None:
        return None


def dictated(sample_id: str, reference: str) -> Sample:
    """A sample of one spoken turn whose reference is its transcript; there is no recording of it."""
    return Sample(sample_id, (Turn("user"),), (reference,))
