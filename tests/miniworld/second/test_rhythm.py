"""The answering voice keeps time: words begin on codes' boundaries, at the pitch they were spoken at."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.data.voices.engines import SAMPLE_RATE_HZ
from tttbench.miniworld.second import rhythm
from tttbench.miniworld.second.rhythm import SAMPLES_PER_CODE, speak_in_time, stretched, whole_codes, word_edges

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


def test_edges_are_those_of_words_and_pauses() -> None:
    phones = [("pau", 0.2), ("t", 0.3), ("uw", 0.45), ("pau", 0.6), ("w", 0.7), ("ah", 0.8), ("n", 0.9), ("pau", 1.1)]
    assert word_edges(phones, [2, 3], "two, one") == [
        (0.2, True), (0.45, False), (0.6, True), (0.9, False), (1.1, True),
    ]  # fmt: skip


@pytest.mark.parametrize("counts", [[2, 2], [2, 4], [2], [2, 3, 1]])
def test_other_phones_than_the_words_have_are_an_error(counts: list[int]) -> None:
    phones = [("pau", 0.2), ("t", 0.3), ("uw", 0.4), ("w", 0.5), ("ah", 0.6), ("n", 0.7), ("pau", 0.9)]
    with pytest.raises(UserError, match="'two one' with other phones"):
        word_edges(phones, counts, "two one")


@given(st.lists(st.tuples(st.floats(0.02, 0.9), st.booleans()), min_size=1, max_size=12))
def test_every_word_and_pause_lasts_whole_codes(parts: list[tuple[float, bool]]) -> None:
    ends = np.cumsum([0.3] + [length for length, _ in parts] + [0.4])
    kinds = [True, *(pause for _, pause in parts), True]
    spoken, wanted = whole_codes(list(zip(ends.tolist(), kinds, strict=True)))
    assert (np.diff(spoken) >= 0).all()
    lengths = np.diff(wanted)
    assert (lengths % SAMPLES_PER_CODE == 0).all()
    assert (lengths >= SAMPLES_PER_CODE).all()
    assert (lengths[0], lengths[-1]) == (SAMPLES_PER_CODE, 2 * SAMPLES_PER_CODE)
    for (length, _), made in zip(parts, lengths[1:-1], strict=True):
        assert (
            made == SAMPLES_PER_CODE
            or -0.65 * SAMPLES_PER_CODE <= made - length * SAMPLE_RATE_HZ <= 0.65 * SAMPLES_PER_CODE
        )


@given(st.floats(0.7, 1.4), st.floats(100, 400))
def test_stretched_sound_keeps_its_pitch_and_its_loudness(factor: float, hz: float) -> None:
    wave = np.sin(2 * np.pi * hz * np.arange(16_000) / SAMPLE_RATE_HZ).astype(np.float32)
    wanted = np.array([0.0, 16_000 * factor])
    made = stretched(wave, np.array([0.0, 16_000.0]), wanted)[1000:-1000]
    strengths = np.abs(np.fft.rfft(made * np.hanning(len(made)), 1 << 17))
    assert np.argmax(strengths) * SAMPLE_RATE_HZ / (1 << 17) == pytest.approx(hz, rel=0.03)
    assert np.sqrt(np.mean(made**2)) == pytest.approx(np.sqrt(0.5), rel=0.1)


def test_moments_come_where_they_are_wanted() -> None:
    wave = np.zeros(9600, np.float32)
    wave[3200:6400] = np.random.default_rng(0).normal(0, 0.3, 3200)
    made = stretched(wave, np.array([0.0, 3200, 6400, 9600]), np.array([0.0, 2560, 6400, 8960]))
    assert len(made) == 8960
    assert np.abs(made[: 2560 - 400]).max() < 0.01
    assert np.abs(made[2560 + 400 : 6400 - 400]).std() > 0.05
    assert np.abs(made[6400 + 400 :]).max() < 0.01


@needs_flite
@pytest.mark.parametrize("speed", [0.85, 1.0, 1.08])
def test_a_spoken_word_begins_with_a_code(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def kept(wave: np.ndarray, spoken: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        asked.append(wanted)
        return stretched(wave, spoken, wanted)

    monkeypatch.setattr(rhythm, "stretched", kept)
    wave = speak_in_time("slt", "Seven, eight nine twenty, thirty one.", {"duration_stretch": 1 / speed})
    assert len(wave) % SAMPLES_PER_CODE == 0
    assert float(np.abs(wave).max()) == pytest.approx(0.5, abs=1e-6)
    (wanted,) = asked
    assert len(wanted) == 1 + 1 + 6 + 2 + 1  # silence in front, six words, two pauses, silence behind
    assert (wanted % SAMPLES_PER_CODE == 0).all()
    assert np.abs(wave[: SAMPLES_PER_CODE - 400]).max() < 0.02  # silence before the first word
    assert (
        wave.tolist()
        == speak_in_time("slt", "Seven, eight nine twenty, thirty one.", {"duration_stretch": 1 / speed}).tolist()
    )


@needs_flite
def test_a_missing_voice_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="install Debian's package `flite`"):
        speak_in_time("slt", "One.", {})
