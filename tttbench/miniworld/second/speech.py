"""Recordings of many lines, made in pieces so that a killed build goes on, and read back one by one.

A ``Line`` is a recording of a question or sentence by some voice, a ``Rendition`` one by the answering voice.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tttbench.core.exchange import Waveform
from tttbench.miniworld.second.corpus import Statement
from tttbench.miniworld.second.questions import Question
from tttbench.miniworld.second.renditions import Rendition, speak_rendition, with_pauses
from tttbench.miniworld.voices import VOICES, speak

PIECE = 200
"""Recordings of one resumable piece."""

_WEIGHTS = {"flite": 2.0, "pico": 3.0, "piper": 1.0, "espeak": 1.0}
_PAUSES = 0.5  # share of the gaps of a list


@dataclass(frozen=True)
class Line:
    """One recording to be made: ``text``, with a comma at every pause, said by the voice so named; see ``speak``."""

    text: str
    voice: str
    speed: float
    pitch: float
    size: float


def training_lines(said: Sequence[Question | Statement], seed: int, engines: Sequence[str]) -> tuple[Line, ...]:
    """Each of ``said`` by some training voice of these engines, in its order.

    A line depends on the seed and on what is said alone, so a longer list begins with the shorter one.
    """
    voices = [voice for voice in VOICES if voice.engine in engines and not voice.test_only]
    weights = [_WEIGHTS.get(voice.engine, 1.0) for voice in voices]
    lines = []
    for one in said:
        rng = random.Random(f"{seed} {one.text}")
        voice = rng.choices(voices, weights)[0]
        text = with_pauses(one.text, _gaps(one), rng.choice((0.0, _PAUSES, 1.0)), rng)
        lines.append(Line(text, voice.name, rng.uniform(0.85, 1.2), rng.uniform(0.85, 1.2), rng.uniform(0.9, 1.12)))
    return tuple(lines)


def test_lines(said: Sequence[Question | Statement], seed: int) -> tuple[Line, ...]:
    """Each of ``said`` by a voice that is kept for the tests, the voices taking turns."""
    voices = [voice for voice in VOICES if voice.test_only]
    lines = []
    for i, one in enumerate(said):
        rng = random.Random(f"{seed} {one.text}")
        text = with_pauses(one.text, _gaps(one), _PAUSES, rng)
        # Questions of a family come at regular distances: a plain turn would give each to one voice.
        voice = voices[(i + i // len(voices)) % len(voices)]
        lines.append(Line(text, voice.name, rng.uniform(0.9, 1.1), 1.0, 1.0))
    return tuple(lines)


def _gaps(one: Question | Statement) -> tuple[int, ...]:
    return one.text_gaps if isinstance(one, Question) else ()


@dataclass(frozen=True)
class Speech:
    """Recordings in pieces of ``PIECE``.

    Attributes:
        paths: file of each piece.
        n: number of recordings.
    """

    paths: tuple[Path, ...]
    n: int

    def wave(self, i: int) -> Waveform:
        """Recording ``i`` as float32 at 16 kHz, shape (n,)."""
        samples, starts = _piece(self.paths[i // PIECE])
        at = i % PIECE
        return samples[starts[at] : starts[at + 1]].astype(np.float32) / 32767.0


@lru_cache(maxsize=24)
def _piece(path: Path) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    with np.load(path, allow_pickle=False) as stored:
        starts = np.concatenate([[0], np.cumsum(stored["lengths"])]).astype(np.int64)
        return stored["samples"], starts


def synthesize(
    spoken: Sequence[Line] | Sequence[Rendition], folder: Path, processes: int = 1, at_most: int | None = None
) -> Speech:
    """Speak everything into ``folder``; pieces that are there already are kept.

    Args:
        spoken: what to say.
        folder: of the pieces.
        processes: that speak at the same time.
        at_most: pieces to make before the call returns; None: all.

    Returns:
        The first recordings, as far as they are made.

    Raises:
        UserError: a voice's engine is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [spoken[i : i + PIECE] for i in range(0, len(spoken), PIECE)]
    # By content: the first pieces of a longer list are those of the shorter one.
    paths = [folder / f"{hashlib.sha256(repr(piece).encode()).hexdigest()[:16]}.npz" for piece in pieces]
    missing = [(piece, path) for piece, path in zip(pieces, paths, strict=True) if not path.exists()]
    if missing:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for piece, path in missing[:at_most]:
                made = pool.map(_say, piece, chunksize=10)
                temporary = path.with_suffix(".tmp.npz")
                np.savez(temporary, samples=np.concatenate(made), lengths=np.array([len(wave) for wave in made]))
                temporary.rename(path)
                print(f"{folder.name}: {sum(p.exists() for p in paths)} of {len(paths)} pieces spoken", flush=True)
    done = next((i for i, path in enumerate(paths) if not path.exists()), len(paths))
    return Speech(tuple(paths[:done]), min(done * PIECE, len(spoken)))


def _say(one: object) -> npt.NDArray[np.int16]:
    if isinstance(one, Rendition):
        wave = speak_rendition(one)
    else:
        assert isinstance(one, Line)
        voice = next(voice for voice in VOICES if voice.name == one.voice)
        wave = speak(voice, one.text, one.speed, one.pitch, one.size)
    return np.asarray(np.round(wave * 32767), dtype=np.int16)
