"""The rhythm of the answering voice: each word by itself, whole codes long, and the same wherever it stands.

A code of the mini codec lasts 80 ms. Real speech runs words into one another and begins them anywhere; a codec of few
bits then spends them on what stands beside a word, and a small model must learn each word in all its neighborhoods. So
the answering voice keeps time: each word is spoken alone and stretched, without a change of pitch, to whole codes
(WSOLA, Verhelst & Roelands 1993), and a sentence is its words one after the other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform
from tttbench.data.voices.engines import SAMPLE_RATE_HZ, run_flite

SAMPLES_PER_CODE = 1280
"""Samples of a code."""

_FRAME, _HOP, _SEARCH = 480, 160, 120
"""Samples of a frame that is moved, between two frames, and by how much a frame moves to continue the one before."""
_PAUSE = "pau"
_BEFORE_S, _BEHIND_S = 0.02, 0.04
"""Of the silence around a word, what is kept: a vowel's onset, and the release of a stop."""
_ROUND_UP = 0.65
"""A word gets one code more than it fills where it fills more than 0.35 of that one."""
_FADE = 80
"""Samples over which a word begins and ends."""


def word_in_time(speaker: str, word: str, features: Mapping[str, float]) -> Waveform:
    """Say one word with flite: float32 at 16 kHz, whole codes, as loud as flite is, silent at both ends.

    Args:
        speaker: flite's name of the voice.
        word: what is said.
        features: numbers that flite's ``--setf`` takes.

    Raises:
        UserError: flite is not installed, or says nothing for the word.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        timing = run_flite(speaker, word, features, "-psdur", "-o", str(path)).decode()
        wave = np.frombuffer(path.read_bytes()[44:], dtype="<i2").astype(np.float32) / 32768.0
    first, last = (place * SAMPLE_RATE_HZ for place in bounds(timing, word))
    spoken = stretched(wave, np.array([first, last]), np.array([0.0, whole_codes(last - first) * SAMPLES_PER_CODE]))
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    spoken[:_FADE] *= ramp
    spoken[-_FADE:] *= ramp[::-1]
    return spoken


def bounds(timing: str, word: str) -> tuple[float, float]:
    """Where a word begins and ends, in seconds, with what is kept of the silence around it.

    Args:
        timing: flite's phones, each with the time of its end: ``pau:0.2 t:0.3 uw:0.45 pau:0.6``.
        word: named in the error.

    Raises:
        UserError: nothing but pauses is said.
    """
    entries = [(name, float(end)) for name, _, end in (entry.partition(":") for entry in timing.split())]
    spoken = [i for i, (name, _) in enumerate(entries) if name != _PAUSE]
    if not spoken:
        raise UserError(f"flite says nothing for the word {word!r}")
    begin = entries[spoken[0] - 1][1] if spoken[0] else 0.0
    return max(0.0, begin - _BEFORE_S), entries[spoken[-1]][1] + _BEHIND_S


def whole_codes(n_samples: float) -> int:
    """How many codes a word of so many samples is stretched to: at least one."""
    return max(1, int(n_samples / SAMPLES_PER_CODE + _ROUND_UP))


def stretched(
    wave: npt.NDArray[np.float32], spoken: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Samples with the moments ``spoken`` at ``wanted``, both ascending; pitch is kept."""
    n = int(wanted[-1])
    side = _FRAME // 2
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    padded = np.pad(wave, (side + _SEARCH + _HOP, side + 2 * _SEARCH + 2 * _HOP + _FRAME))
    front = side + _SEARCH + _HOP
    out, weight = np.zeros(n + 2 * _FRAME, np.float32), np.zeros(n + 2 * _FRAME, np.float32)
    before = None
    for at in range(0, n + _HOP, _HOP):
        middle = front + int(np.interp(at, wanted, spoken))
        if before is not None:
            likely = padded[before + _HOP - side : before + _HOP + side]
            around = padded[middle - side - _SEARCH : middle + side + _SEARCH]
            scores = np.correlate(around, likely, "valid")
            energy = np.convolve(around * around, np.ones(_FRAME, np.float32), "valid")
            middle += int(np.argmax(scores / np.sqrt(energy + 1e-3))) - _SEARCH
        out[at : at + _FRAME] += padded[middle - side : middle + side] * window
        weight[at : at + _FRAME] += window
        before = middle
    found = out[side : side + n] / np.maximum(weight[side : side + n], 1e-3)
    return found.astype(np.float32)
