"""What is said, by whom and how, in the training and test sets of the mini world, and the speaking of it.

A ``Line`` is one recording to be made. The lists are functions of a seed; ``synthesise`` turns a list into one file
of 16-bit samples, resumable after a kill. Knows nothing of codecs and models.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tttbench.core.exchange import Waveform
from tttbench.data.voices.engines import SAMPLE_RATE_HZ
from tttbench.miniworld import language
from tttbench.miniworld.voices import ANSWER_VOICE, VOICES, Voice, speak

_CHUNK = 400  # recordings per resumable piece
_OPEN_TOPICS = ("digits", "appointment", "shopping")
_TRAINING_WEIGHTS = {"flite": 2.0, "pico": 3.0, "piper": 2.0, "espeak": 1.0}


@dataclass(frozen=True)
class Line:
    """One recording: ``text`` said by ``voice``. ``question`` is an index into ``language.questions()``, or -1."""

    id: str
    text: str
    voice: str
    speed: float
    pitch: float
    size: float
    question: int = -1
    topic: str = ""


def training_lines(n_asr: int, n_questions_each: int, seed: int) -> tuple[Line, ...]:
    """``n_asr`` free sentences and every question ``n_questions_each`` times, by the training voices, shuffled."""
    rng = random.Random(seed)
    voices = [voice for voice in VOICES if voice.engine in _TRAINING_WEIGHTS and not voice.test_only]
    weights = [_TRAINING_WEIGHTS[voice.engine] for voice in voices]

    def manner() -> tuple[str, float, float, float]:
        voice = rng.choices(voices, weights)[0]
        return voice.name, rng.uniform(0.85, 1.2), rng.uniform(0.85, 1.2), rng.uniform(0.9, 1.12)

    lines: list[Line] = []
    for i in range(n_asr):
        topic, text = language.free_sentence(rng)
        lines.append(Line(f"a{i:05d}", text, *manner(), topic=topic))
    for i, question in enumerate(language.questions()):
        for j in range(n_questions_each):
            text = question.wordings[j % len(question.wordings)]
            lines.append(Line(f"q{i:03d}-{j:02d}", text, *manner(), question=i, topic=question.topic))
    rng.shuffle(lines)
    return tuple(lines)


def many_voices_lines(n_each: int, seed: int) -> tuple[Line, ...]:
    """``n_each`` lines by each voice of Kokoro, half of them questions: the engine is slow, but its voices are many.

    Any first part of the list has all voices alike.
    """
    rng = random.Random(seed)
    voices = [voice for voice in VOICES if voice.engine == "kokoro"]
    indexed = list(enumerate(language.questions()))
    lines = []
    for n in range(n_each):
        for voice in voices:
            question, topic, text = -1, "", ""
            if n % 2:
                question, asked = rng.choice(indexed)
                topic, text = asked.topic, rng.choice(asked.wordings)
            else:
                topic, text = language.free_sentence(rng)
            manner = (rng.uniform(0.9, 1.25), 1.0, rng.uniform(0.93, 1.08))
            lines.append(Line(f"k{n:02d}-{voice.name}", text, voice.name, *manner, question, topic))
    return tuple(lines)


def answer_lines() -> tuple[Line, ...]:
    """The one canonical recording of every answer, in the order of ``language.questions()``."""
    return tuple(
        Line(f"answer{i:03d}", question.sentence, ANSWER_VOICE.name, 1.0, 1.0, 1.0, i, question.topic)
        for i, question in enumerate(language.questions())
    )


def answer_voice_lines(n: int, seed: int) -> tuple[Line, ...]:
    """More speech of the answer voice, for the codec's decoder: free sentences at the voice's own pitch."""
    rng = random.Random(seed)
    lines = []
    for i in range(n):
        topic, text = language.free_sentence(rng)
        lines.append(Line(f"s{i:05d}", text, ANSWER_VOICE.name, rng.uniform(0.9, 1.1), 1.0, 1.0, topic=topic))
    return tuple(lines)


def test_lines(n_asr: int, n_qa: int, seed: int, training_texts: frozenset[str]) -> tuple[Line, ...]:
    """The test set, in held-out voices. Its free sentences never occur in training; its questions do (other voices).

    The free sentences are in equal parts of the topics that have more sentences than training has used up.
    """
    rng = random.Random(seed)
    voices = [voice for voice in VOICES if voice.test_only]
    lines: list[Line] = []
    seen = set(training_texts)
    while len(lines) < n_asr:
        topic, text = language.free_sentence(rng)
        wanted = _OPEN_TOPICS[len(lines) // len(voices) % len(_OPEN_TOPICS)]
        if topic != wanted or text in seen:
            continue
        seen.add(text)
        voice = voices[len(lines) % len(voices)]
        lines.append(Line(f"asr-{len(lines):03d}", text, voice.name, rng.uniform(0.9, 1.1), 1.0, 1.0, topic=topic))
    indexed = list(enumerate(language.questions()))
    rng.shuffle(indexed)
    for n, (i, question) in enumerate(indexed[:n_qa]):
        text = rng.choice(question.wordings)
        voice = voices[n % len(voices)]
        lines.append(
            Line(f"qa-{n:03d}", text, voice.name, rng.uniform(0.9, 1.1), 1.0, 1.0, question=i, topic=question.topic)
        )
    return tuple(lines)


def _voice(name: str) -> Voice:
    return next(voice for voice in VOICES if voice.name == name)


def _speak_line(line: Line) -> npt.NDArray[np.int16]:
    wave = speak(_voice(line.voice), line.text, line.speed, line.pitch, line.size)
    return np.asarray(np.round(wave * 32767), dtype=np.int16)


@dataclass(frozen=True)
class Speech:
    """Recordings of a list of lines: 16-bit samples of all, end to end, and where each begins (len(lines) + 1)."""

    lines: tuple[Line, ...]
    samples: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int64]

    def wave(self, i: int) -> Waveform:
        """Recording ``i`` as float32, shape (n,)."""
        return self.samples[self.starts[i] : self.starts[i + 1]].astype(np.float32) / 32767.0


def synthesise(lines: Sequence[Line], folder: Path, processes: int = 2) -> Speech:
    """Speak all lines into ``folder`` in pieces; pieces that are already there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = hashlib.sha256(json.dumps([asdict(line) for line in lines]).encode()).hexdigest()[:12]
    pieces = [lines[i : i + _CHUNK] for i in range(0, len(lines), _CHUNK)]
    paths = [folder / f"{stamp}-{n:03d}.npz" for n in range(len(pieces))]
    if not all(path.exists() for path in paths):
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for n, (piece, path) in enumerate(zip(pieces, paths, strict=True)):
                if not path.exists():
                    spoken = pool.map(_speak_line, piece, chunksize=20)
                    temporary = path.with_suffix(".tmp.npz")
                    np.savez(temporary, samples=np.concatenate(spoken), lengths=np.array([len(w) for w in spoken]))
                    temporary.rename(path)
                    print(f"spoken {min((n + 1) * _CHUNK, len(lines))} of {len(lines)} recordings", flush=True)
    waves: list[npt.NDArray[np.int16]] = []
    lengths: list[int] = []
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            waves.append(stored["samples"])
            lengths += stored["lengths"].tolist()
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Speech(tuple(lines), np.concatenate(waves), starts)


def seconds(speech: Speech) -> float:
    """Length of all recordings together."""
    return float(speech.starts[-1]) / SAMPLE_RATE_HZ
