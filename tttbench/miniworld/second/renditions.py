"""The ways in which one answer is spoken: calm, plain or brisk, which differ in speed, pitch and pauses.

One voice speaks all of them (flite slt). A manner changes everything at once, so that a distribution over renditions
has one mode a manner, and parts of two of them don't fit together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tttbench.core.exchange import Waveform
from tttbench.miniworld.voices import ANSWER_VOICE, flite, trimmed


@dataclass(frozen=True)
class Manner:
    """A way of speaking.

    Attributes:
        name: ours.
        speed: 1 is the voice's own, 1.2 is a fifth faster.
        pitch_hz: mean pitch.
        pause: share of the places for a pause at which there is one.
    """

    name: str
    speed: float
    pitch_hz: float
    pause: float


MANNERS = (
    Manner("plain", 1.0, 172.0, 0.35),
    Manner("calm", 0.85, 155.0, 0.35),
    Manner("brisk", 1.08, 190.0, 0.2),
)


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


def speak_rendition(rendition: Rendition) -> Waveform:
    """Say it: mono float32 at 16 kHz, peak 0.5, 80 ms of silence before and 160 ms after; always the same samples.

    Raises:
        UserError: flite is not installed.
    """
    manner = rendition.manner
    features = {"duration_stretch": 1 / manner.speed, "int_f0_target_mean": manner.pitch_hz}
    return trimmed(flite(ANSWER_VOICE.speaker, rendition.text, features))


def started_later(wave: Waveform, samples: int) -> Waveform:
    """The recording with so many samples of silence more in front, or (below 0) fewer."""
    if samples < 0:
        return wave[-samples:]
    return np.concatenate([np.zeros(samples, np.float32), wave])
