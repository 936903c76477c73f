"""The answering voice keeps time: a word lasts whole codes, at the pitch it was spoken at."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.data.voices.engines import SAMPLE_RATE_HZ
from tttbench.miniworld.second.rhythm import SAMPLES_PER_CODE, bounds, stretched, whole_codes, word_in_time

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


def test_bounds_keep_a_little_of_the_silence_around_a_word() -> None:
    assert bounds("pau:0.2 t:0.3 uw:0.45 pau:0.6", "two") == pytest.approx((0.18, 0.49))
    assert bounds("pau:0.01 t:0.3 uw:0.45", "two") == pytest.approx((0.0, 0.49))
    assert bounds("t:0.3 uw:0.45 pau:0.6", "two") == pytest.approx((0.0, 0.49))


@pytest.mark.parametrize("timing", ["", "pau:0.2", "pau:0.2 pau:0.3"])
def test_a_word_for_which_nothing_is_said_is_an_error(timing: str) -> None:
    with pytest.raises(UserError, match="says nothing for the word '-'"):
        bounds(timing, "-")


@given(st.floats(1, 40_000))
def test_a_word_is_stretched_by_less_than_a_code(n_samples: float) -> None:
    made = whole_codes(n_samples) * SAMPLES_PER_CODE
    assert made == SAMPLES_PER_CODE or -0.35 * SAMPLES_PER_CODE <= made - n_samples <= 0.65 * SAMPLES_PER_CODE


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
def test_a_word_lasts_whole_codes_and_is_silent_at_its_ends(speed: float) -> None:
    wave = word_in_time("slt", "seven", {"duration_stretch": 1 / speed})
    assert len(wave) % SAMPLES_PER_CODE == 0
    assert 3 <= len(wave) // SAMPLES_PER_CODE <= 8
    assert 0.1 < float(np.abs(wave).max()) <= 1
    assert (wave[0], wave[-1]) == (0, 0)
    assert np.array_equal(wave, word_in_time("slt", "seven", {"duration_stretch": 1 / speed}))


@needs_flite
def test_a_missing_voice_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="install Debian's package `flite`"):
        word_in_time("slt", "one", {})
