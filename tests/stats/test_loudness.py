"""Silence and clipping of recordings, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.stats.loudness import loudness


def tone(seconds: float, level: float) -> np.ndarray:
    return (level * np.sign(np.sin(np.arange(int(16_000 * seconds)) / 5))).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(16_000 * seconds), np.float32)


def test_silence_is_what_is_far_below_the_loudest_frame() -> None:
    wave = np.concatenate([silence(0.5), tone(1.0, 0.5), tone(0.24, 0.5 * 10 ** (-39 / 20)), tone(0.24, 0.004)])
    assert loudness(wave, 16_000).silence == pytest.approx(0.74 / 1.98)  # 0.004 is 42 dB below 0.5


def test_a_recording_that_is_quiet_throughout_is_silent() -> None:
    assert loudness(tone(1.0, 0.0009), 16_000).silence == 1.0  # -60.9 dBFS
    assert loudness(tone(1.0, 0.0011), 16_000).silence == 0.0  # -59.2 dBFS
    assert loudness(silence(0.1), 16_000).silence == 1.0


def test_a_short_last_frame_counts_as_one() -> None:
    assert loudness(np.concatenate([tone(0.02, 0.5), silence(0.001)]), 16_000).silence == 0.5
    assert loudness(np.ones(1, np.float32) * 0.5, 8000).silence == 0.0


def test_clipping_is_three_samples_or_more_at_full_scale() -> None:
    wave = np.array([0, 1, 1, 0, -1, -1, -1, 0.5, 1, -1, 1, 0.9989], np.float32)
    # Runs at full scale: two samples (not clipped), three, three (of either sign).
    assert loudness(wave, 16_000).clipped == pytest.approx(6 / 12)
    assert loudness(np.ones(5, np.float32), 16_000).clipped == 1.0


def test_nothing_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="needs samples"):
        loudness(np.zeros(0, np.float32), 16_000)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=900), st.sampled_from([8000, 16_000, 44_100]))
def test_both_are_shares(values: list[float], rate: int) -> None:
    wave = np.array(values, np.float32)
    found = loudness(wave, rate)
    assert 0 <= found.silence <= 1
    assert 0 <= found.clipped <= 1
    assert loudness(wave[::-1].copy() * np.float32(0.5), rate).clipped == 0
