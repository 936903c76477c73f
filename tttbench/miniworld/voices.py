"""The voices of the mini world, and how a sentence is said by one of them.

The engines are those of ``tttbench.data.voices``, two of which say a sentence a little differently each time, so a data
build gives recordings of the same words, voices and manner again, not the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from tttbench.core.exchange import Waveform
from tttbench.data.voices.engines import KOKORO, SAMPLE_RATE_HZ, synthesize, trimmed


@dataclass(frozen=True)
class Voice:
    """A voice.

    Attributes:
        name: ours.
        engine: ``flite``, ``pico``, ``piper``, ``espeak`` or ``kokoro``.
        speaker: the engine's own name for it.
        test_only: never used in training.
    """

    name: str
    engine: str
    speaker: str
    test_only: bool = False


ANSWER_VOICE = Voice("slt", "flite", "slt")

VOICES = (
    ANSWER_VOICE,
    Voice("kal", "flite", "kal16"),
    Voice("awb", "flite", "awb"),
    Voice("pico-us", "pico", "en-US"),
    Voice("joe", "piper", "joe"),
    Voice("espeak-us", "espeak", "en-us"),
    Voice("espeak-f2", "espeak", "en-us+f2"),
    Voice("espeak-f4", "espeak", "en-us+f4"),
    Voice("espeak-m2", "espeak", "en-us+m2"),
    Voice("espeak-m3", "espeak", "en-us+m3"),
    Voice("espeak-rp", "espeak", "en-gb-x-rp"),
    Voice("espeak-scot", "espeak", "en-gb-scotland"),
    Voice("espeak-m7", "espeak", "en-us+m7"),
    *(Voice(name, "kokoro", name) for name in KOKORO),
    Voice("rms", "flite", "rms", test_only=True),
    Voice("pico-gb", "pico", "en-GB", test_only=True),
    Voice("espeak-f5", "espeak", "en-us+f5", test_only=True),
)


def speak(voice: Voice, text: str, speed: float = 1.0, pitch: float = 1.0, size: float = 1.0) -> Waveform:
    """Say ``text``: mono float32 at 16 kHz, peak 0.5, with silence trimmed to 80 ms before and 160 ms after.

    Args:
        voice: who speaks.
        text: one sentence.
        speed: 1 is the engine's own; 1.2 is a fifth faster.
        pitch: 1 is the engine's own; only Pico and eSpeak can change it, the other engines ignore it.
        size: above 1 is a smaller speaker: pitch and formants rise together (by resampling), the tempo stays.

    Raises:
        UserError: the engine is not installed; the message says how to get it.
    """
    wave = synthesize(voice.engine, voice.speaker, text, speed / size, pitch)
    if size != 1.0:
        wave = np.asarray(soxr.resample(wave, SAMPLE_RATE_HZ * size, SAMPLE_RATE_HZ), dtype=np.float32)
    return trimmed(wave)
