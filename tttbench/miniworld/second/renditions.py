"""The ways in which one answer is spoken: calm, plain or brisk, which differ in speed, pitch and pauses.

One voice speaks all of them (flite slt). A manner changes everything at once, so that a distribution over renditions
has one mode a manner, and parts of two of them don't fit together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tttbench.core.exchange import Waveform
from tttbench.miniworld.second.rhythm import speak_in_time
from tttbench.miniworld.voices import ANSWER_VOICE


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
    Manner("plain", 1.0, 172.0, 0.6),
    Manner("calm", 0.85, 155.0, 0.7),
    Manner("brisk", 1.08, 190.0, 0.5),
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
    """Say it in time: mono float32 at 16 kHz, peak 0.5, each word on a code's boundary; always the same samples.

    Raises:
        UserError: flite is not installed.
    """
    manner = rendition.manner
    features = {"duration_stretch": 1 / manner.speed, "int_f0_target_mean": manner.pitch_hz}
    return speak_in_time(ANSWER_VOICE.speaker, rendition.text, features)
