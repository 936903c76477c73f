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

from benchmarks.suite_texts import sentence, transcribed
from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import AudioCommit, Chunk, Response, Trace, Waveform
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.default_scores import with_defaults
from tttbench.store.manifest import DeriverEntry, Manifest, Session, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer, StoredAnswer
from tttbench.store.run_directory import RunStore

SYSTEM = "ttt:synthetic"
TASKS = {
    "questions": ("qa", "Spoken questions", ("spoken_accuracy", "text_accuracy")),
    "dictation": ("asr", "Dictation", ("wer", "cer")),
}
TRANSCRIBER = "synthetic"
RECIPE = "synthetic transcriber, version 1"
STARTED_AT = FINISHED_AT = "2026-01-02T03:04:05+00:00"
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
    """The published order: 13 tokens and 26 codes, interleaved; with the text at its end, all codes that are left."""
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
    commits, chunks, steps, confidences, spans = [], [], [], [], []
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
            chunks.append(Chunk(now + VOCODE_S, round(size * RATE_HZ / CODES_PER_S)))
        if span.codes:
            spans.append(span.codes)
    return Trace(
        stages_s={
            "encode": encode_s,
            "prefill": prefill_s,
            "text": text_s,
            "audio": audio_s,
            "vocode": VOCODE_S * len(chunks),
        },
        prefill_end_s=prefill_end_s,
        text_times_s=tuple(times),
        text_tokens=tuple(tokens),
        audio_commits=tuple(commits),
        chunks=tuple(chunks),
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
        for task, (family, _, _) in TASKS.items():
            samples = [_sample(family, at, dice) for at in range(_share(n, task))]
            store.add_samples(task, samples)
            answers, transcripts = [], []
            for sample in samples:
                number += 1
                clip = silence(number, len(sample.text or sample.reference) / 15)
                store.save_input(task, sample.id, 0, clip, RATE_HZ)
                answers.append(_answer(task, sample, number, dice))
                transcripts.append(transcribed(_spoken_answer(sample), dice))
            for start in range(0, len(answers), BATCH):
                store.save_answers(answers[start : start + BATCH])
            stored = zip(store.answers(SYSTEM, task), transcripts, strict=True)
            store.save_derived(RECIPE, {_input(one): Derived("ok", text) for one, text in stored if one.audio})


def _input(answer: StoredAnswer) -> str:
    sha256 = "" if answer.audio is None else answer.audio.sha256
    return Need(f"transcriber:{TRANSCRIBER}", sha256, language=answer.sample.sample.language).input_sha256


def _share(n: int, task: str) -> int:
    return n - n // 2 if task == next(iter(TASKS)) else n // 2


def _sample(family: str, at: int, dice: random.Random) -> Sample:
    spoken = sentence(dice)
    name = f"{family}-{at:05d}"
    audio = AudioRef(Path(f"{name}.wav"))
    metadata = {"voice": dice.choice(("slt", "rms", "awb", "pico-gb")), "condition": "clean"}
    cluster = f"speaker-{dice.randrange(500)}"
    if family == "asr":
        return Sample(name, (Turn("user", "", audio),), (spoken,), None, "en", cluster, metadata)
    answer = max((word.strip("“”.,?") for word in spoken.split()), key=len)
    question = Turn("user", f"What {sentence(dice)[4:-1]}?", audio)
    return Sample(name, (question,), (answer,), Turn("assistant", spoken), "en", cluster, metadata)


def _spoken_answer(sample: Sample) -> str:
    return sample.reference if sample.answer is None else sample.answer.text


def _answer(task: str, sample: Sample, number: int, dice: random.Random) -> NewAnswer:
    key = AnswerKey(SYSTEM, task, sample.id)
    if number % 100 == 0:
        return NewAnswer(key, "error", None, "InputError: the audio holds no sound", 1, FINISHED_AT)
    right = _spoken_answer(sample)
    text = right if dice.random() < 0.5 else transcribed(right, dice)
    codes = round(CODES_PER_S * len(text.split()) / WORDS_PER_S * (0.8 + 0.4 * dice.random()))
    response = Response(
        text,
        tuple(dice.randrange(16_384) for _ in range(codes)),
        silence(number, codes / CODES_PER_S),
        RATE_HZ,
        trace=trace(text, codes, dice),
    )
    return NewAnswer(key, "ok", response, "", 1, FINISHED_AT)


def _manifest(n: int, seed: int) -> Manifest:
    card = SystemCard(
        SYSTEM,
        Capability(frozenset({"audio"}), frozenset({"text", "audio"}), streams=True, families=frozenset({"asr", "qa"})),
        strategy="topk",
        details={"parameters": 3_085_938_688, "dtype": "bfloat16"},
    )
    return Manifest(
        SuiteEntry("synthetic", "What the suite itself costs", seed, batch_size=1, resamples=2000, warmup=0),
        {SYSTEM: SystemEntry(SYSTEM, batch_size=1, card=card, peak_rss_bytes=8_000_000_000)},
        {
            task: TaskEntry(
                title,
                family,
                "Made sentences.",
                scores=with_defaults([ScoreSpec(name, name) for name in scores], TRANSCRIBER, ""),
                n=_share(n, task),
                listing_sha256="0" * 64,
            )
            for task, (family, title, scores) in TASKS.items()
        },
        {f"transcriber:{TRANSCRIBER}": DeriverEntry(RECIPE)},
        sessions=(Session(("python", "benchmarks/suite.py"), STARTED_AT, FINISHED_AT, "done"),),
        status="done",
    )
