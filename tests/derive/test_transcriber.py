"""What a transcriber is given of a recording, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.exchange import Request, Response
from tttbench.core.system import Capability, SystemCard
from tttbench.derive.transcriber import Transcriber


class Noting:
    """A system that keeps its requests and knows the first recording alone."""

    def __init__(self) -> None:
        self.card = SystemCard("noting", Capability(), identity={"recipe": "noting 1"})
        self.requests: list[Request] = []

    def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
        self.requests += requests
        return [Response(one.id) if one.id == "first" else ValueError("noise") for one in requests]


def test_a_recording_of_24_khz_is_transcribed_at_16_khz() -> None:
    system = Noting()
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.float32)
    need = Need("transcriber:noting", audio_sha256="first", language="zh")
    Transcriber("transcriber:noting", system, 1).derive([DerivationInput(need, tone, 24_000, seed=5)])
    (request,) = system.requests
    assert request.audio is not None
    assert (request.sample_rate, request.audio.shape) == (16_000, (16_000,))
    # A second has 440 periods, whatever its rate.
    assert np.abs(np.fft.rfft(request.audio)).argmax() == 440
    assert (request.family, request.language, request.seed) == ("asr", "zh", 5)


def test_a_recording_that_fails_leaves_the_others_their_text() -> None:
    silence = np.zeros(160, np.float32)
    inputs = [DerivationInput(Need("", audio_sha256=name), silence, 16_000) for name in ("first", "second")]
    first, second = Transcriber("transcriber:noting", Noting(), 2).derive(inputs)
    assert first == Derived("ok", "first")
    assert (type(second), str(second)) == (ValueError, "noise")
