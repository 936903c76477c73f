"""A run directory of one system, filled through the store's own calls: data for ``suite.py``, made from a seed.

Half of the samples are questions with spoken answers, half dictation; every answer has codes, sound and the trace that
block diffusion leaves: 13 text tokens, a span of 26 codes, and so on, the rest of the codes in one last span; blocks of
at most 26 codes in four passes. Knows no model: times are those of a 3B model on a GPU, sound is silence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.suite_texts import heard, sentence
from tttbench.core.records import AudioCommit, Packet, Response, Sample, Trace, Waveform
from tttbench.store.rows import NewAnswer, Transcript
from tttbench.store.run_directory import RunStore

SYSTEM = "ttt:synthetic"
TASKS = {
    "questions": ("qa", "Spoken questions", ("spoken_accuracy", "text_accuracy")),
    "dictation": ("asr", "Dictation", ("wer", "cer")),
}
RECIPE = "synthetic ears, version 1"
RATE_HZ = 16_000
CODES_PER_S = 12.5
WORDS_PER_S = 2.7
TEXT_TOKENS, SPAN, STEPS = 13, 26, 4
PASS_S = 0.022
VOCODE_S = 0.015
BATCH = 250
"""Answers of one transaction."""


@dataclass(frozen=True)
class Span:
    """Some text tokens, then some codes."""

    tokens: tuple[str, ...]
    codes: int


def interleaved(tokens: Sequence[str], codes: int) -> Iterator[Span]:
    """The published order: 13 tokens and 26 codes in turns; with the text at its end, all codes that are left."""
    for start in range(0, len(tokens), TEXT_TOKENS):
        part = tuple(tokens[start : start + TEXT_TOKENS])
        size = codes if start + TEXT_TOKENS >= len(tokens) else min(SPAN, codes)
        codes -= size
        yield Span(part, size)


def pieces(text: str, dice: random.Random) -> list[str]:
    """``text`` as tokens: most words are one, longer ones two."""
    found = []
    for at, word in enumerate(text.split()):
        spaced = f" {word}" if at else word
        cut = dice.randrange(3, 7)
        found += [spaced[:cut], spaced[cut:]] if len(word) > 7 else [spaced]
    return found


def trace(text: str, codes: int, dice: random.Random) -> Trace:
    """What is known of an answer of ``text`` and ``codes`` codes."""
    tokens = pieces(text, dice)
    encode_s, prefill_s = 0.03 + 0.01 * dice.random(), 0.05 + 0.01 * dice.random()
    now, passes, text_s, audio_s = encode_s + prefill_s, 1, 0.0, 0.0
    prefill_end_s = now
    times: list[float] = []
    commits, packets, steps, confidences, spans = [], [], [], [], []
    for span in interleaved(tokens, codes):
        for _ in span.tokens:
            took_s = PASS_S * (1 + 0.1 * dice.random())
            now, text_s, passes = now + took_s, text_s + took_s, passes + 1
            times.append(now)
        for start in range(0, span.codes, SPAN):
            size = min(SPAN, span.codes - start)
            first = [passes + 1 + STEPS * rank // size for rank in range(size)]
            # Confident codes come first; where they stand is nearly random.
            dice.shuffle(first)
            steps += first
            confidences += [float(np.float32(min(1.0, dice.betavariate(4, 1)))) for _ in first]
            took_s = STEPS * PASS_S * (1 + 0.1 * dice.random())
            now, audio_s, passes = now + took_s, audio_s + took_s, passes + STEPS
            commits.append(AudioCommit(now, size))
            packets.append(Packet(now + VOCODE_S, round(size * RATE_HZ / CODES_PER_S)))
        if span.codes:
            spans.append(span.codes)
    return Trace(
        stages_s={
            "encode": encode_s,
            "prefill": prefill_s,
            "text": text_s,
            "audio": audio_s,
            "vocode": VOCODE_S * len(packets),
        },
        prefill_end_s=prefill_end_s,
        text_times_s=tuple(times),
        text_tokens=tuple(tokens),
        audio_commits=tuple(commits),
        packets=tuple(packets),
        end_s=now + VOCODE_S,
        nfe=passes,
        commit_step=tuple(steps),
        commit_confidence=tuple(confidences),
        spans=tuple(spans),
    )


def silence(number: int, seconds: float) -> Waveform:
    """Sound that is quickly written, and differs from that of every other ``number`` below 2^15."""
    samples = np.zeros(max(1, round(seconds * RATE_HZ)), dtype=np.float32)
    samples[0] = number / 2**15
    return samples


def write_run(folder: Path, n: int, seed: int) -> None:
    """Write a run of ``n`` samples without a summary; every hundredth request ended as an error.

    Raises:
        UserError: the folder holds something.
    """
    dice = random.Random(seed)
    with RunStore.create(folder, _manifest(n, seed)) as store:
        number = 0
        for task, (kind, _, _) in TASKS.items():
            samples = [_sample(kind, at, dice) for at in range(_share(n, task))]
            store.add_samples(task, samples)
            answers, transcripts = [], []
            for sample in samples:
                number += 1
                store.save_input(task, sample.id, silence(number, len(sample.text or sample.reference) / 15), RATE_HZ)
                answers.append(_answer(sample, number, dice))
                transcripts.append(heard(sample.answer_text or sample.reference, dice))
            for start in range(0, len(answers), BATCH):
                store.save_answers(SYSTEM, task, answers[start : start + BATCH])
            spoken = zip(store.answers(SYSTEM, task), transcripts, strict=True)
            store.save_transcripts(RECIPE, {one.audio_sha256: Transcript(text) for one, text in spoken if one.audio})


def _share(n: int, task: str) -> int:
    return n - n // 2 if task == next(iter(TASKS)) else n // 2


def _sample(kind: str, at: int, dice: random.Random) -> Sample:
    said = sentence(dice)
    name = f"{kind}-{at:05d}"
    metadata = {"voice": dice.choice(("slt", "rms", "awb", "pico-gb")), "condition": "clean"}
    cluster = f"speaker-{dice.randrange(500)}"
    if kind == "asr":
        return Sample(name, "asr", None, said, cluster=cluster, metadata=metadata)
    answer = max((word.strip("“”.,?") for word in said.split()), key=len)
    question = f"What {sentence(dice)[4:-1]}?"
    return Sample(name, "qa", None, answer, (), question, None, said, cluster, metadata)


def _answer(sample: Sample, number: int, dice: random.Random) -> NewAnswer:
    finished_at = "2026-01-02T03:04:05+00:00"
    if number % 100 == 0:
        return NewAnswer(sample.id, "error", None, "InputError: the audio holds no sound", 1, finished_at)
    right = sample.answer_text or sample.reference
    text = right if dice.random() < 0.5 else heard(right, dice)
    codes = round(CODES_PER_S * len(text.split()) / WORDS_PER_S * (0.8 + 0.4 * dice.random()))
    response = Response(
        text,
        tuple(dice.randrange(16_384) for _ in range(codes)),
        silence(number, codes / CODES_PER_S),
        RATE_HZ,
        trace=trace(text, codes, dice),
    )
    return NewAnswer(sample.id, "ok", response, "", 1, finished_at)


def _manifest(n: int, seed: int) -> dict[str, object]:
    return {
        "status": "done",
        "suite": {
            "name": "synthetic",
            "title": "What the suite itself costs",
            "seed": seed,
            "judge": "synthetic",
            "batch_size": 1,
            "resamples": 2000,
            "warmup": 0,
        },
        "systems": {
            SYSTEM: {
                "name": SYSTEM,
                "strategy": "",
                "used_strategy": "topk",
                "batch_size": 1,
                "kinds": ["asr", "qa"],
                "decode": {},
                "card": {"parameters": 3_085_938_688, "dtype": "bfloat16", "strategy": "topk"},
                "peak_rss_bytes": 8_000_000_000,
            }
        },
        "tasks": {
            task: {
                "title": title,
                "kind": kind,
                "description": "Made sentences.",
                "metrics": list(metrics),
                "instruction": "",
                "n": _share(n, task),
                "limit": None,
                "data": None,
                "data_sha256": "0" * 64,
            }
            for task, (kind, title, metrics) in TASKS.items()
        },
        "judge": {"system": "synthetic", "recipe": RECIPE, "card": {}},
        "versions": {},
        "machine": {"device": "cpu"},
        "sessions": [{"command": ["python", "benchmarks/suite.py"], "started_at": "2026-01-02T03:04:05+00:00"}],
    }
