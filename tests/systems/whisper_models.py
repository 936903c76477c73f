"""What tests of Whisper share: models that registry packages carry, and human recordings."""

from __future__ import annotations

from pathlib import Path

import jiwer
import pytest
from whisper.normalizers import EnglishTextNormalizer

from tttbench.core.exchange import Waveform
from tttbench.data.audio import load_audio, resample
from tttbench.systems.whisper.transcriber import SAMPLE_RATE_HZ
from tttbench.systems.whisper.weights import PACKAGED, LoadedWhisper, is_available_offline, load_whisper

Spoken = tuple[list[Waveform], list[str]]
"""Recordings at 16 kHz, and what is spoken in them."""


def load_or_skip(name: str, cache: Path) -> LoadedWhisper:
    """Load a model with a cache of the test's own."""
    if not is_available_offline(name):
        pytest.skip(f'needs pip install "tttbench[{PACKAGED[name].extra}]"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTTBENCH_CACHE", str(cache))
        return load_whisper(name)


def read(file: Path) -> Waveform:
    """Read a recording at 16 kHz."""
    audio = load_audio(file)
    return resample(audio.samples, audio.sample_rate, SAMPLE_RATE_HZ)


def read_ljspeech(shared_data: Path, n: int) -> Spoken:
    """The first recordings of a human reader."""
    lines = (shared_data / "ljspeech" / "metadata.csv").read_text().splitlines()[:n]
    rows = [line.split("|") for line in lines]
    return [read(shared_data / "ljspeech" / "wavs" / f"{row[0]}.wav") for row in rows], [row[2] for row in rows]


def word_error_rate(references: list[str], texts: list[str]) -> float:
    """By openai-whisper's own normalizer and jiwer."""
    normalize = EnglishTextNormalizer()
    return float(jiwer.wer([normalize(text) for text in references], [normalize(text) for text in texts]))
