"""Writes the mini test set: unseen voices, clean and with noise at 10 dB, as Opus, with ``asr.jsonl`` and ``qa.jsonl``.

Knows the corpus and the reader's fields; nothing of models.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from tttbench.core.exchange import Waveform
from tttbench.miniworld import language
from tttbench.miniworld.corpus import Line, Speech
from tttbench.miniworld.voices import SAMPLE_RATE_HZ

NOISE_DB = 10.0


def write(folder: Path, test: Speech, answers: Speech, seed: int) -> None:
    """Write recordings and lists into ``folder``; ``answers`` are the reference audio of all answers."""
    rng = np.random.default_rng(seed)
    for name in ("clean", "noisy", "answers"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, object]]] = {"asr": [], "qa": []}
    for i, line in enumerate(test.lines):
        wave = test.wave(i)
        others = [test.wave(int(j)) for j in rng.integers(len(test.lines), size=3)]
        _write(folder / "clean" / f"{line.id}.opus", wave)
        _write(folder / "noisy" / f"{line.id}.opus", add_noise(wave, others if i % 2 else [], NOISE_DB, rng))
        row: dict[str, object] = {
            "id": line.id,
            "audio": f"clean/{line.id}.opus",
            "noisy_audio": f"noisy/{line.id}.opus",
            "voice": line.voice,
            "topic": line.topic,
        }
        rows["asr" if line.question < 0 else "qa"].append(row | _content(line))
    for question in sorted({line.question for line in test.lines if line.question >= 0}):
        _write(folder / "answers" / f"{question:03d}.opus", answers.wave(question))
    for name, entries in rows.items():
        text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
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


def _content(line: Line) -> dict[str, object]:
    if line.question < 0:
        return {"text": line.text, "cluster": line.id}
    question = language.questions()[line.question]
    return {
        "question": line.text,
        "answer": question.answer,
        "aliases": [],
        "answer_text": question.sentence,
        "answer_audio": f"answers/{line.question:03d}.opus",
        "cluster": line.id,
    }


def _write(path: Path, wave: Waveform) -> None:
    soundfile.write(path, wave, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=0.9)
