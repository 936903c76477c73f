"""The rhythm of the answering voice: every word begins on a code's boundary.

A code of the mini codec lasts 80 ms. Where words begin anywhere, a codec must learn each of them at every offset, which
takes more of its few bits, and of its training, than the words do. So the answering voice keeps time: each of its words
and pauses is stretched, without a change of pitch, to whole codes (WSOLA, Verhelst & Roelands 1993).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
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
_BEFORE, _AFTER = 1, 2
"""Codes of silence in front and behind."""
_PAUSE = "pau"
_ROUND_UP = 0.65
"""A word gets one code more than it fills where it fills more than 0.35 of that one."""


def speak_in_time(speaker: str, text: str, features: Mapping[str, float]) -> Waveform:
    """Say ``text`` with flite, each word on a code's boundary: float32 at 16 kHz, peak 0.5, whole codes.

    Args:
        speaker: flite's name of the voice.
        text: what is said, with a comma at every pause.
        features: numbers that flite's ``--setf`` takes.

    Raises:
        UserError: flite is not installed, or says a word otherwise within the text than by itself.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        timing = run_flite(speaker, text, features, "-psdur", "-o", str(path)).decode()
        wave = np.frombuffer(path.read_bytes()[44:], dtype="<i2").astype(np.float32) / 32768.0
    edges = word_edges(_phones(timing), [len(phones_of(speaker, word)) for word in _words(text)], text)
    spoken = stretched(wave, *whole_codes(edges))
    peak = float(np.abs(spoken).max(initial=1e-9))
    return np.asarray(spoken * (0.5 / peak), dtype=np.float32)


def word_edges(phones: Sequence[tuple[str, float]], counts: Sequence[int], text: str) -> list[tuple[float, bool]]:
    """Where words and pauses end, in seconds, and which are pauses.

    Args:
        phones: every phone with the time of its end, from the first pause to the last.
        counts: phones of each word.
        text: named in the error.

    Raises:
        UserError: the phones aren't those of the words.
    """
    edges, left, begun = [], list(counts), 0
    for name, end in phones:
        if name == _PAUSE:
            edges.append((end, True))
            continue
        begun += 1
        if left and begun == left[0]:
            edges.append((end, False))
            left.pop(0)
            begun = 0
    if left or begun:
        raise UserError(f"flite says {text!r} with other phones than its words have by themselves")
    return edges


def whole_codes(edges: Sequence[tuple[float, bool]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Samples at which words and pauses begin and end, as they are spoken and as they shall be: whole codes each.

    Of the pause before the first word and of that behind the last one, one code and two are kept.
    """
    ends = [end * SAMPLE_RATE_HZ for end, _ in edges]
    starts = [0.0, *ends[:-1]]
    lengths = []
    for i, ((_, pause), start, end) in enumerate(zip(edges, starts, ends, strict=True)):
        if pause and i in (0, len(edges) - 1):
            lengths.append(_BEFORE if i == 0 else _AFTER)
        else:
            lengths.append(max(1, int((end - start) / SAMPLES_PER_CODE + _ROUND_UP)))
    starts[0] = max(0.0, ends[0] - _BEFORE * SAMPLES_PER_CODE) if edges[0][1] else 0.0
    ends[-1] = min(ends[-1], starts[-1] + _AFTER * SAMPLES_PER_CODE) if edges[-1][1] else ends[-1]
    return np.array([starts[0], *ends]), np.concatenate([[0.0], np.cumsum(lengths) * float(SAMPLES_PER_CODE)])


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


@cache
def phones_of(speaker: str, word: str) -> tuple[str, ...]:
    """Phones of a word by itself."""
    names = run_flite(speaker, word, {}, "-ps", "-o", "none").decode().split()
    return tuple(name for name in names if name != _PAUSE)


def _words(text: str) -> list[str]:
    return re.sub(r"[.,?]", " ", text).split()


def _phones(timing: str) -> list[tuple[str, float]]:
    found = []
    for entry in timing.split():
        name, _, end = entry.partition(":")
        found.append((name, float(end)))
    return found
