"""Channels that cancel, and samples and rates that no recording has."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.data.audio import load_audio
from tttbench.data.decoding import decode

from .audio_files import RATE, speech, wav

VOICE = speech(1.0)
OTHER = speech(1.0, seed=1)[::-1].copy()
NOISE = (0.1 * np.random.default_rng(5).standard_normal((8, RATE))).astype(np.float32)


def stereo(*channels: Waveform) -> io.BytesIO:
    stream = io.BytesIO()
    soundfile.write(stream, np.stack(channels, axis=1), RATE, format="WAV", subtype="FLOAT")
    return stream


def read(file: io.BytesIO, start_s: float = 0.0) -> Waveform:
    return decode(file, "f", start_s, None).samples


@pytest.mark.parametrize(
    ("channels", "taken"),
    [
        ((VOICE, -VOICE), 0),
        ((-VOICE, VOICE), 0),
        ((0.7 * VOICE, -VOICE), 1),
        ((VOICE + 0.3, -0.9 * VOICE + 0.3), 0),
        ((VOICE + 1.5 * NOISE[0], -VOICE + 1.5 * NOISE[1]), None),
        ((VOICE, -0.8 * VOICE + 0.1 * NOISE[0]), 0),
        ((VOICE + NOISE[0], -VOICE + NOISE[1]), None),
        ((VOICE, -VOICE, 0.2 * VOICE, -0.2 * VOICE), 0),
        # Two recordings joined, of which one is inverted.
        ((np.tile(VOICE, 3), np.concatenate([VOICE, VOICE, -0.9 * VOICE])), 0),
        ((np.tile(VOICE, 3), np.concatenate([0.5 * OTHER, 0.5 * OTHER, -0.9 * VOICE])), 0),
    ],
)
def test_channels_that_cancel_give_the_loudest(
    channels: tuple[Waveform, ...], taken: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    found = read(stereo(*channels))
    if taken is None:
        taken = int(np.argmax([np.square(one).sum() for one in channels]))
    np.testing.assert_array_equal(found, channels[taken])


@pytest.mark.parametrize(
    "channels",
    [
        (VOICE, VOICE),
        (VOICE, OTHER),  # two speakers
        (VOICE, np.zeros_like(VOICE)),
        (VOICE, -0.5 * VOICE),  # quieter, but all there
        (VOICE, -0.8 * OTHER),
        (VOICE + NOISE[0], 0.1 * NOISE[1]),
        # A twentieth of the energy is inverted: hum between the words.
        (np.concatenate([VOICE, 0.2 * VOICE]), np.concatenate([VOICE, -0.2 * VOICE])),
        tuple(NOISE),
        (VOICE, *np.zeros((7, len(VOICE)), np.float32)),
        (np.zeros_like(VOICE), np.zeros_like(VOICE)),
    ],
)
def test_other_channels_are_averaged(channels: tuple[Waveform, ...], caplog: pytest.LogCaptureFixture) -> None:
    np.testing.assert_allclose(read(stereo(*channels)), np.mean(channels, axis=0), atol=1e-6)
    assert not caplog.messages


def test_cancelling_is_said_once_a_file_and_looked_for_in_the_segment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    half = len(VOICE) // 2
    right = np.concatenate([VOICE[:half], -VOICE[half:]])
    path = tmp_path / "a.wav"
    path.write_bytes(stereo(VOICE, -VOICE).getvalue())
    load_audio(path)
    load_audio(path)
    says = f"{path}: its channels cancel each other; channel 1 of 2 is taken alone."
    assert caplog.messages == [says]
    np.testing.assert_array_equal(read(stereo(VOICE, right), 0.5), VOICE[half:])


def test_blocks_do_not_change_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    from tttbench.data import decoding

    for channels in ((VOICE, OTHER), (VOICE, -VOICE)):
        whole = read(stereo(*channels))
        monkeypatch.setattr(decoding, "_BLOCK_VALUES", 999)
        np.testing.assert_array_equal(read(stereo(*channels)), whole)
        monkeypatch.undo()


def test_silence_and_full_scale_are_audio() -> None:
    for value in (0.0, 1.0, -1.0, 2.5):
        samples = np.full(100, value, np.float32)
        np.testing.assert_array_equal(read(stereo(samples)), samples)


def test_integers_stored_as_floats_are_refused() -> None:
    with pytest.raises(InputError, match=r"f: its samples reach 16,\d{3}, where full scale is 1: integers stored as"):
        read(stereo(VOICE * 32_768))


@pytest.mark.parametrize("rate", [1_000, 8_000, 192_000, 655_350])
def test_rates_that_are_read(rate: int) -> None:
    assert decode(io.BytesIO(wav(VOICE, rate=rate)), "f", 0.0, None).sample_rate == rate


@pytest.mark.parametrize("rate", [1, 999, 655_351, 700_000, 2**31 - 1])
def test_rates_that_no_recording_has(rate: int) -> None:
    with pytest.raises(InputError) as caught:
        read(io.BytesIO(wav(VOICE, rate=rate)))
    assert str(caught.value) == (
        f"f: its header says {rate:,} Hz; sample rates from 1,000 to 655,350 Hz are read. Correct the header, or "
        "resample the file."
    )


def test_a_rate_of_0() -> None:
    with pytest.raises(InputError, match=r"^f: its header says 0 Hz; sample rates from 1,000 to 655,350 Hz are read"):
        read(io.BytesIO(wav(VOICE, rate=0)))
