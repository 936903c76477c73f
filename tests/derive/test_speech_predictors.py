"""DNSMOS, PLCMOS and Resemblyzer on real speech, and what is said where a package or its weights are missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform
from tttbench.core.extras import is_installed
from tttbench.core.plugins import build_deriver, check_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.audio import load_audio
from tttbench.derive import speaker, speech_quality

OPTIONS = SystemOptions()


def derived(name: str, *waves: tuple[Waveform, int]) -> list[Derived | Exception]:
    inputs = [DerivationInput(Need(name, f"{at}"), wave, rate, seed=at) for at, (wave, rate) in enumerate(waves)]
    return list(build_deriver(name, OPTIONS).derive(inputs))


def numbers(found: Derived | Exception) -> dict[str, float]:
    assert isinstance(found, Derived), found
    values: dict[str, float] = json.loads(found.content)
    return values


@pytest.fixture
def speech(shared_data: Path) -> tuple[Waveform, int]:
    path = sorted((shared_data / "ljspeech" / "wavs").glob("*.wav"))[1]
    audio = load_audio(path)
    return audio.samples, audio.sample_rate


def state() -> str:
    """Of NumPy's one generator."""
    return repr(np.random.get_state())


def noisy(speech: tuple[Waveform, int]) -> tuple[Waveform, int]:
    wave, rate = speech
    noise = 0.1 * np.random.default_rng(0).standard_normal(len(wave))
    return np.asarray(wave + noise, np.float32), rate


@pytest.mark.slow
@pytest.mark.skipif(not is_installed("speechmos"), reason="needs the extra speech")
def test_noise_costs_opinion_and_the_same_is_predicted_again(speech: tuple[Waveform, int]) -> None:
    clean, worse = map(numbers, derived("speech_quality:dnsmos", speech, noisy(speech)))
    assert set(clean) == {"ovrl", "sig", "bak", "p808"}
    assert all(worse[name] < clean[name] - 0.5 for name in clean)
    before = state()
    first, again = (derived("speech_quality:plcmos", noisy(speech), speech) for _ in range(2))
    assert first == again
    assert state() == before
    assert numbers(first[0])["plcmos"] < numbers(first[1])["plcmos"]


@pytest.mark.slow
@pytest.mark.skipif(not is_installed("resemblyzer"), reason="needs the extra speaker")
def test_one_speaker_is_nearer_than_another(shared_data: Path) -> None:
    paths = [*sorted((shared_data / "ljspeech" / "wavs").glob("*.wav"))[:2], *(shared_data / "speakers").glob("*.flac")]
    waves = [(audio.samples, audio.sample_rate) for audio in map(load_audio, paths[:4])]
    found = derived("speaker:resemblyzer", *waves, (np.zeros(16_000, np.float32), 16_000))
    vectors = [np.array(json.loads(one.content)) for one in found[:4] if isinstance(one, Derived)]
    assert all(len(one) == 256 for one in vectors)
    same, *others = (float(vectors[0] @ one) for one in vectors[1:])
    assert same > max(others) + 0.1
    assert "too little to tell a speaker" in str(found[4])


@pytest.mark.parametrize(
    ("name", "extra", "module"),
    [("speech_quality:dnsmos", "speech", "speechmos"), ("speaker:resemblyzer", "speaker", "resemblyzer")],
)
def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, name: str, extra: str, module: str) -> None:
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda one: one != module)
    with pytest.raises(UserError, match=rf"(?i){name} needs {module}.*tttbench\[{extra}\]"):
        check_deriver(name, OPTIONS)


@pytest.mark.parametrize(
    ("module", "name", "says"),
    [
        (
            "speech_quality",
            "speech_quality:dnsmos",
            r"its weights dnsmos_models/sig_bak_ovr\.onnx \(1\.2 MB",
        ),
        ("speech_quality", "speech_quality:plcmos", r"its weights plcmos_models/plcmos_v2\.onnx \(1\.3 MB"),
        ("speaker", "speaker:resemblyzer", r"its weights pretrained\.pt \(17\.1 MB, of the package Resemblyzer\)"),
    ],
)
def test_missing_weights_are_named_with_their_size(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, name: str, says: str
) -> None:
    class Found:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda one: True)
    monkeypatch.setattr({"speech_quality": speech_quality, "speaker": speaker}[module], "find_spec", lambda one: Found)
    with pytest.raises(UserError, match=says):
        check_deriver(name, OPTIONS)


@pytest.mark.parametrize("name", ["speech_quality:dnsmoss", "speaker:wavlm"])
def test_predictors_that_there_are_not(name: str) -> None:
    with pytest.raises(UserError, match=f"{name}: no such"):
        check_deriver(name, OPTIONS)
