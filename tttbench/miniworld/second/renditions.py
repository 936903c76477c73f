"""The ways in which one answer is spoken: calm, plain or brisk, which differ in speed, pitch and pauses.

One voice speaks all of them (flite slt). A manner changes everything at once, so that a distribution over renditions
has one mode a manner, and parts of two of them don't fit together. Within a manner a word is always the same sound.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tttbench.core.exchange import Waveform
from tttbench.miniworld.second.rhythm import SAMPLES_PER_CODE, word_in_time
from tttbench.miniworld.voices import ANSWER_VOICE


@dataclass(frozen=True)
class Manner:
    """A way of speaking.

    Attributes:
        name: ours.
        speed: 1 is the voice's own, 1.2 is a fifth faster.
        pitch_hz: mean pitch.
        pause: share of the places for a pause at which there is one.
        pause_codes: how long it is, in codes.
    """

    name: str
    speed: float
    pitch_hz: float
    pause: float
    pause_codes: int = 3


MANNERS = (
    Manner("plain", 1.0, 172.0, 0.6),
    Manner("calm", 0.85, 155.0, 0.7, 4),
    Manner("brisk", 1.08, 190.0, 0.5, 2),
)

CODES_BEFORE, CODES_BEHIND = 1, 2
"""Silence in front of the first word and behind the last one."""

_GAIN = 0.7
"""Of flite's samples, which come close to 1."""


@dataclass(frozen=True)
class Rendition:
    """One recording of an answer to be made: ``text`` with a comma at every pause, spoken in a manner."""

    text: str
    manner: Manner


def with_pauses(text: str, gaps: Sequence[int], share: float, rng: random.Random) -> str:
    """``text`` with a comma after some of the words numbered in ``gaps``; every gap is drawn by itself."""
    words = text.split()
    for gap in gaps:
        if rng.random() < share and words[gap - 1][-1].isalnum():
            words[gap - 1] += ","
    return " ".join(words)


def renditions(answer: str, gaps: Sequence[int], n: int, seed: int) -> tuple[Rendition, ...]:
    """The first ``n`` renditions of an answer, the manners taking turns; the same for the same seed."""
    made = []
    for k in range(n):
        manner = MANNERS[k % len(MANNERS)]
        rng = random.Random(f"{seed} {k} {answer}")
        made.append(Rendition(with_pauses(answer, gaps, manner.pause, rng), manner))
    return tuple(made)


@dataclass(frozen=True)
class Unit:
    """What one code says: the code of this number of a word in a manner; the same sound wherever it stands."""

    word: str
    manner: str
    number: int


def speak_rendition(rendition: Rendition) -> Waveform:
    """Say it in time: mono float32 at 16 kHz, each word on a code's boundary; always the same samples.

    Raises:
        UserError: flite is not installed.
    """
    return np.concatenate([_samples(part, rendition.manner) for part in _parts(rendition)])


def units_of(rendition: Rendition) -> tuple[Unit | None, ...]:
    """Which unit each code of it is; None where it is silent.

    Raises:
        UserError: flite is not installed.
    """
    manner = rendition.manner
    found: list[Unit | None] = []
    for part in _parts(rendition):
        n = len(_samples(part, manner)) // SAMPLES_PER_CODE
        found += [Unit(part, manner.name, i) if isinstance(part, str) else None for i in range(n)]
    return tuple(found)


def _parts(rendition: Rendition) -> list[str | int]:
    """Words, and pauses in codes."""
    parts: list[str | int] = [CODES_BEFORE]
    for written in rendition.text.lower().split():
        word = written.rstrip(".,")
        parts += [word] if word == written else [word, rendition.manner.pause_codes]
    return [*(parts[:-1] if isinstance(parts[-1], int) else parts), CODES_BEHIND]


def _samples(part: str | int, manner: Manner) -> Waveform:
    return _word(part, manner) if isinstance(part, str) else np.zeros(part * SAMPLES_PER_CODE, np.float32)


@cache
def _word(word: str, manner: Manner) -> Waveform:
    features = {"duration_stretch": 1 / manner.speed, "int_f0_target_mean": manner.pitch_hz}
    return np.asarray((word_in_time(ANSWER_VOICE.speaker, word, features) * _GAIN).clip(-1, 1), np.float32)
