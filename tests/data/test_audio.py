"""Real files of every kind that libsndfile writes here, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.data.audio import load_audio, resample


def tone(rate: int, seconds: float = 0.5, hz: float = 440.0) -> Waveform:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate", "options", "tolerance"),
    [
        ("pcm16.wav", 16_000, {"subtype": "PCM_16"}, 1e-4),
        ("pcm8.wav", 8_000, {"subtype": "PCM_U8"}, 0.02),
        ("pcm24.wav", 192_000, {"subtype": "PCM_24"}, 1e-6),
        ("float.wav", 44_100, {"subtype": "FLOAT"}, 1e-7),
        ("flac24.flac", 96_000, {"subtype": "PCM_24"}, 1e-6),
        ("speech.mp3", 22_050, {}, 0.05),
        ("vorbis.ogg", 22_050, {}, 0.05),
    ],
)
def test_samples_and_rate_of_every_format(
    tmp_path: Path, name: str, rate: int, options: dict[str, str], tolerance: float
) -> None:
    soundfile.write(tmp_path / name, tone(rate), rate, **options)
    audio = load_audio(tmp_path / name)
    assert audio.sample_rate == rate
    assert audio.samples.dtype == np.float32
    assert audio.samples.shape == (rate // 2,)
    # The middle, because lossy codecs fade in and out.
    middle = slice(rate // 8, rate // 4)
    assert np.abs(audio.samples[middle] - tone(rate)[middle]).max() < tolerance


def test_opus(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.opus", tone(48_000), 48_000, format="OGG", subtype="OPUS")
    audio = load_audio(tmp_path / "a.opus")
    assert audio.sample_rate == 48_000
    assert audio.duration_s == pytest.approx(0.5, abs=0.01)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    left = np.full(100, 0.5, np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -0.25 * np.ones(100)], axis=1), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(load_audio(tmp_path / "a.wav").samples, np.full(100, 0.125), atol=1e-7)


def test_format_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16_000), 16_000)
    (tmp_path / "a.wav").rename(tmp_path / "a.raw")
    assert load_audio(tmp_path / "a.raw").samples.shape == (8_000,)


def test_longer_than_one_block(tmp_path: Path) -> None:
    samples = np.linspace(-0.5, 0.5, (1 << 20) + 7, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    np.testing.assert_array_equal(load_audio(tmp_path / "a.wav").samples, samples)


def broken(folder: Path, case: str) -> Path:
    path = folder / "bad.wav"
    if case == "0 bytes":
        path.touch()
    elif case == "0 frames":
        soundfile.write(path, np.zeros(0, np.float32), 16_000)
    elif case == "not audio":
        path.write_text("this is a letter, not a recording\n" * 50)
    elif case == "half a header":
        soundfile.write(path, tone(16_000), 16_000)
        path.write_bytes(path.read_bytes()[:20])
    elif case == "cut wav":
        soundfile.write(path, tone(16_000), 16_000)
        path.write_bytes(path.read_bytes()[:-8_000])
    elif case == "cut flac":
        path = folder / "bad.flac"
        soundfile.write(path, tone(16_000, 2.0), 16_000)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif case == "cut mp3":
        path = folder / "bad.mp3"
        soundfile.write(path, tone(16_000, 4.0), 16_000)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif case == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("missing", "no such audio file"),
        ("0 bytes", "0 bytes"),
        ("0 frames", "0 frames"),
        ("cut wav", r"its header says 0\.500 s, 0\.250 s can be read"),
        ("not audio", "broken or not audio"),
        ("half a header", "broken or not audio"),
        ("cut flac", r"its header says 2\.000 s, 0\.[79][0-9]* s can be read"),
        ("cut mp3", r"its header says 4\.[0-9]+ s, [12]\.[0-9]+ s can be read"),
        ("folder", "not a file"),
    ],
)
def test_bad_files_are_named_with_the_reason(tmp_path: Path, case: str, says: str) -> None:
    path = broken(tmp_path, case)
    with pytest.raises(InputError, match=says) as error:
        load_audio(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_sample_that_is_no_number_is_placed_in_time(tmp_path: Path, value: float) -> None:
    samples = tone(16_000)
    samples[[4_000, 7_000]] = value
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"NaN or infinite sample at 0\.250 s"):
        load_audio(tmp_path / "a.wav")


def test_resampling_keeps_a_tone() -> None:
    there = resample(tone(44_100, 1.0), 44_100, 16_000)
    assert there.shape == (16_000,)
    assert there.dtype == np.float32
    np.testing.assert_allclose(there[2_000:-2_000], tone(16_000, 1.0)[2_000:-2_000], atol=1e-3)


def test_resampling_removes_what_the_new_rate_cannot_hold() -> None:
    high = tone(48_000, 1.0, hz=10_000.0)
    assert np.abs(resample(high, 48_000, 16_000)[2_000:-2_000]).max() < 1e-3


def test_equal_rates_return_the_same_samples() -> None:
    samples = tone(16_000)
    assert resample(samples, 16_000, 16_000) is samples


def test_rates_must_be_positive() -> None:
    with pytest.raises(ValueError, match="0 and 16000"):
        resample(tone(16_000), 0, 16_000)
