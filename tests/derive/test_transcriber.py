"""What a transcriber is given of a recording, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.plugins import build_deriver, check_deriver
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.derive.transcriber import Transcriber, build


class Noting:
    """A system that keeps its requests and knows the first recording alone."""

    def __init__(self, capability: Capability | None = None) -> None:
        self.card = SystemCard(
            "noting",
            capability or Capability(),
            weights_sha256="f" * 64,
            identity={"recipe": "noting 1"},
            details={"beam": 5},
        )
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


@pytest.mark.parametrize(
    ("capability", "transcribes"),
    [
        (Capability(), True),
        (Capability(accepts=frozenset({"audio"}), families=frozenset({"asr"})), True),
        (Capability(families=frozenset({"qa", "asr"})), True),
        (Capability(families=frozenset({"qa"})), False),
        (Capability(families=frozenset()), False),
        (Capability(accepts=frozenset({"text"})), False),
        (Capability(accepts=frozenset({"text"}), families=frozenset({"asr"})), False),
    ],
)
def test_a_transcriber_is_a_system_that_takes_speech_and_asr_tasks(
    monkeypatch: pytest.MonkeyPatch, capability: Capability, transcribes: bool
) -> None:
    asked: list[tuple[str, SystemOptions]] = []

    def build_system(name: str, options: SystemOptions) -> Noting:
        asked.append((name, options))
        return Noting(capability)

    monkeypatch.setattr("tttbench.derive.transcriber.build_system", build_system)
    options = SystemOptions(batch_size=3)
    if transcribes:
        made = build("noting:tiny", options)
        assert isinstance(made, Transcriber)
        assert (made.name, made.recipe, made.batch_size) == ("transcriber:noting:tiny", "noting 1", 3)
        assert made.details == {"system": "noting", "weights_sha256": "f" * 64, "beam": 5}
    else:
        with pytest.raises(UserError) as refused:
            build("noting:tiny", options)
        assert str(refused.value) == (
            "transcriber 'noting:tiny': doesn't transcribe speech; give a system that takes asr tasks."
        )
    assert asked == [("noting:tiny", options)]


def test_a_mistyped_transcriber_is_found_before_anything_is_built() -> None:
    with pytest.raises(UserError, match=r"Unknown system 'wisper:tiny.en'. Did you mean 'whisper:tiny.en'"):
        check_deriver("transcriber:wisper:tiny.en", SystemOptions())
    with pytest.raises(UserError, match=r"Unknown system 'wisper:tiny.en'. Did you mean 'whisper:tiny.en'"):
        build_deriver("transcriber:wisper:tiny.en", SystemOptions())
