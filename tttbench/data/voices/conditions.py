"""The conditions that speech is given under: clean, in noise, over a telephone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tttbench.core.exchange import Waveform

CONDITIONS = ("clean", "noise", "telephone")
NOISE_DB = 10.0
TELEPHONE_HZ = 8000
_MU = 255.0
_BAND_HZ = (300.0, 3400.0)
_IN_NOISE = re.compile(r"noise:(-?\d{1,2})")


def condition_fault(condition: str) -> str:
    """Return why there is no such condition of speech, the end of a message; ``""`` if there is."""
    if condition in ("clean", "telephone") or _IN_NOISE.fullmatch(condition):
        return ""
    return f"{condition!r:.60} is no condition. Write clean, noise:DB (such as noise:10), or telephone."


def condition_title(condition: str) -> str:
    """Return a condition in words."""
    noise = _IN_NOISE.fullmatch(condition)
    return f"pink noise at {int(noise[1])} dB" if noise else {"clean": "clean speech"}.get(condition, condition)


def apply(condition: str, wave: Waveform, rng: np.random.Generator) -> tuple[Waveform, int]:
    """Return clean speech at 16 kHz as it sounds under a condition, and its rate in Hz.

    Args:
        condition: without a fault.
        wave: shape (n,).
        rng: draws the noise, which is pink.
    """
    if noise := _IN_NOISE.fullmatch(condition):
        return in_noise(wave, [], float(noise[1]), rng), 16_000
    return (over_telephone(wave), TELEPHONE_HZ) if condition == "telephone" else (wave, 16_000)


def in_noise(wave: Waveform, babble: list[Waveform], snr_db: float, rng: np.random.Generator) -> Waveform:
    """Add other speakers at once, or pink noise where none are given, ``snr_db`` below the speech's power."""
    if babble:
        noise = np.sum([np.resize(other, len(wave)) for other in babble], axis=0)
    else:
        spectrum = np.fft.rfft(rng.standard_normal(len(wave)))
        noise = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), len(wave))
    gain = np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    mixed = wave + gain * noise
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


def over_telephone(wave: Waveform) -> Waveform:
    """From 16 to 8 kHz, 300 to 3,400 Hz, through 8 bits of μ-law (ITU-T G.711's curve): (n,) to (n / 2,) samples."""
    from tttbench.data.audio import resample

    narrow = resample(wave, 16_000, TELEPHONE_HZ)
    spectrum = np.fft.rfft(narrow)
    hz = np.fft.rfftfreq(len(narrow), 1 / TELEPHONE_HZ)
    spectrum[(hz < _BAND_HZ[0]) | (hz > _BAND_HZ[1])] = 0
    return mu_law(np.asarray(np.fft.irfft(spectrum, len(narrow)), np.float32))


def mu_law(wave: Waveform) -> Waveform:
    """Samples in [-1, 1] after 8 bits of μ-law: 256 steps, fine near 0 and coarse near 1."""
    clipped: npt.NDArray[np.float32] = np.clip(wave, -1, 1)
    squeezed = np.sign(clipped) * np.log1p(_MU * np.abs(clipped)) / np.log1p(_MU)
    stepped = np.round((squeezed + 1) / 2 * 255) / 255 * 2 - 1
    return np.asarray(np.sign(stepped) * np.expm1(np.abs(stepped) * np.log1p(_MU)) / _MU, np.float32)
