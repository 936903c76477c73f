"""Answers as scorers see them, without a run: a view of plain values, with a transcript where one is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Status, Trace, Waveform
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import SpokenAudio

AUDIO = SpokenAudio("0" * 64, 1.0, 16_000)


@dataclass(frozen=True)
class Seen:
    """A ``View``. ``transcript``: of the spoken answer; None with ``spoken`` means that transcribing it failed."""

    text: str = ""
    transcript: str | None = None
    status: Status = "ok"
    spoken: bool = False
    codes: tuple[int, ...] | None = None
    codec: str = ""
    peers: dict[str, Seen] = field(default_factory=dict)
    rounds: dict[str, Seen] = field(default_factory=dict)
    trace: Trace | None = None
    finish_reason: str = "stop"
    input_s: float = 0.0
    input_audio: SpokenAudio | None = None
    reference_audio: SpokenAudio | None = None

    @property
    def audio(self) -> SpokenAudio | None:
        return AUDIO if self.spoken or self.transcript is not None else None

    def waveform(self) -> Waveform | None:
        return None

    def derived(self, need: Need) -> Derived | None:
        assert (need.deriver, need.audio_sha256) == ("transcriber:ears", AUDIO.sha256)
        return Derived("failed", error="no power") if self.transcript is None else Derived("ok", self.transcript)

    def answer_to(self, sample_id: str) -> Seen | None:
        return self.rounds.get(sample_id)

    def peer(self, system: str) -> Seen | None:
        return self.peers.get(system)


def sample(*references: str, sample_id: str = "s", cluster: str = "") -> Sample:
    """A sample of one spoken turn with these references."""
    return Sample(sample_id, (Turn("user"),), references, cluster=cluster)
