"""Writes the mini test set: unseen voices, clean and with noise at 10 dB, as Opus, with ``asr.jsonl`` and ``qa.jsonl``.

Knows the corpus and the reader's fields; nothing of models.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

from tttbench.core.exchange import Waveform
from tttbench.data.voices.engines import SAMPLE_RATE_HZ
from tttbench.miniworld import language
from tttbench.miniworld.corpus import Line, Speech

NOISE_DB = 10.0


@dataclass(frozen=True)
class _Spoken:
    """What every line of a list says of a recording."""

    id: str
    audio: str
    noisy_audio: str
    voice: str
    topic: str


@dataclass(frozen=True)
class _Sentence(_Spoken):
    """A line of ``asr.jsonl``."""

    text: str
    cluster: str


@dataclass(frozen=True)
class _Question(_Spoken):
    """A line of ``qa.jsonl``."""

    question: str
    answer: str
    aliases: tuple[str, ...]
    answer_text: str
    answer_audio: str
    cluster: str


def write(folder: Path, test: Speech, answers: Speech, seed: int) -> None:
    """Write recordings and lists into ``folder``; ``answers`` are the reference audio of all answers."""
    rng = np.random.default_rng(seed)
    for name in ("clean", "noisy", "answers"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[_Sentence | _Question]] = {"asr": [], "qa": []}
    for i, line in enumerate(test.lines):
        wave = test.wave(i)
        others = [test.wave(int(j)) for j in rng.integers(len(test.lines), size=3)]
        _write(folder / "clean" / f"{line.id}.opus", wave)
        _write(folder / "noisy" / f"{line.id}.opus", add_noise(wave, others if i % 2 else [], NOISE_DB, rng))
        rows["asr" if line.question < 0 else "qa"].append(_row(line))
    for question in sorted({line.question for line in test.lines if line.question >= 0}):
        _write(folder / "answers" / f"{question:03d}.opus", answers.wave(question))
    for name, entries in rows.items():
        text = "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def add_noise(wave: Waveform, babble: list[Waveform], snr_db: float, rng: np.random.Generator) -> Waveform:
    """Adds other speakers at once, or pink noise where none are given, ``snr_db`` below the speech's power."""
    if babble:
        noise = sum(np.resize(other, len(wave)) for other in babble) + np.zeros(len(wave))
    else:
        spectrum = np.fft.rfft(rng.standard_normal(len(wave)))
        noise = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), len(wave))
    gain = np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    mixed = wave + gain * noise
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


def _row(line: Line) -> _Sentence | _Question:
    spoken = (line.id, f"clean/{line.id}.opus", f"noisy/{line.id}.opus", line.voice, line.topic)
    if line.question < 0:
        return _Sentence(*spoken, text=line.text, cluster=line.id)
    question = language.questions()[line.question]
    return _Question(
        *spoken,
        question=line.text,
        answer=question.answer,
        aliases=(),
        answer_text=question.sentence,
        answer_audio=f"answers/{line.question:03d}.opus",
        cluster=line.id,
    )


def _write(path: Path, wave: Waveform) -> None:
    soundfile.write(path, wave, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=0.9)
