"""A third party's file for ``--include``: systems that understand and speak tones, and two tasks in tones.

Each letter is a tone of 20 ms, so speech is decoded exactly and every number of a run is known beforehand.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tttbench.core.errors import InputError, UserError, did_you_mean
from tttbench.core.exchange import AudioCommit, Chunk, Request, Response, Trace, Waveform
from tttbench.core.plugins import register_system, register_task
from tttbench.core.sample import AudioRef, Sample, Turn, spoken_sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.core.task import Task

RATE_HZ = 16_000
LETTER = 320
LETTERS = " abcdefghijklmnopqrstuvwxyz0123456789"
ANSWERS = {
    "capital of france": "paris",
    "opposite of hot": "cold",
    "color of grass": "green",
    "two plus two": "four",
    "day after monday": "tuesday",
    "first of months": "january",
}


def speak(text: str) -> Waveform:
    """Tones of ``text``, shape (320 · letters,), 16 kHz."""
    time_s = np.arange(LETTER) / RATE_HZ
    tones = [0.5 * np.sin(2 * np.pi * 50 * (10 + 2 * LETTERS.index(letter)) * time_s) for letter in text]
    return np.concatenate([np.zeros(0), *tones]).astype(np.float32)


def understand(samples: Waveform) -> str:
    """The text of tones."""
    frames = samples[: len(samples) // LETTER * LETTER].reshape(-1, LETTER)
    peaks = np.abs(np.fft.rfft(frames, axis=1)).argmax(axis=1)
    return "".join(LETTERS[min((int(peak) - 10) // 2, len(LETTERS) - 1)] for peak in peaks)


def write_world(folder: Path, questions: Mapping[str, str] = ANSWERS) -> None:
    """Write recordings of the questions and of the reference answers, and their list, to ``folder``."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (question, answer) in enumerate(questions.items()):
        soundfile.write(folder / f"q{number}.wav", speak(question), RATE_HZ)
        soundfile.write(folder / f"a{number}.wav", speak(answer), RATE_HZ)
        rows.append({"id": f"q{number}", "question": question, "answer": answer})
    (folder / "questions.json").write_text(json.dumps(rows))


class ToneSystem:
    """``tones:SPEC``; see ``build`` for what the specs do."""

    def __init__(self, spec: str, options: SystemOptions) -> None:
        self.card = SystemCard(
            f"tones:{spec}",
            Capability(
                produces=frozenset({"text", "audio"}),
                families=frozenset({"asr"} if spec == "scribe" else {"asr", "qa"}),
            ),
            strategy=options.strategy,
            weights_sha256=os.environ.get("TONES_WEIGHTS", "0" * 64),
            identity={"recipe": f"tones {spec}"},
        )
        self._spec = spec

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        if self._spec == "slow":
            time.sleep(0.2 * len(requests))
        if log := os.environ.get("TONES_LOG"):
            with Path(log).open("a") as file:
                file.writelines(f"{request.family} {request.id}\n" for request in requests)
        if self._spec == "crash" and any(request.id == "q1" for request in requests):
            raise RuntimeError("the third request breaks the whole batch")
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Response | Exception:
        if request.audio is None:
            return InputError(f"{request.id}: has no audio.")
        if self._spec == "fragile" and request.id == "q2":
            return MemoryError("too long for me")
        text = understand(request.audio).strip()
        if request.family == "asr":
            return Response(text, trace=Trace(end_s=0.1, stages_s={"decode": 0.1}))
        if self._spec == "seeded":
            words = list(ANSWERS.values())
            text = words[int(np.random.default_rng(request.seed).integers(len(words)))]
        else:
            text = "" if self._spec == "silent" else ANSWERS.get(text, "unknown")
        spoken = speak({"mumbling": "mumble", "mute": ""}.get(self._spec, text))
        codes = tuple(range(len(text)))
        trace = Trace(
            stages_s={"decode": 0.2},
            text_times_s=(0.01,),
            audio_commits=(AudioCommit(0.05, len(codes)),),
            chunks=(Chunk(0.06, len(spoken)),),
            end_s=0.2,
            nfe=3,
        )
        return Response(text, codes, spoken, RATE_HZ, "stop", trace)


SPECS = ("right", "mumbling", "silent", "mute", "seeded", "slow", "scribe", "fragile", "crash", "damaged")


def check(spec: str, options: SystemOptions) -> None:
    if spec not in SPECS:
        raise UserError(f"Unknown tones {spec!r}. {did_you_mean(spec, SPECS)}")
    if options.settings:
        raise UserError(f"tones: there is nothing to set, so {sorted(options.settings)} can't be used.")


@register_system("tones", specs=("right", "mumbling"), summary="understands and speaks tones", check=check)
def build(spec: str, options: SystemOptions) -> ToneSystem:
    if spec == "damaged":
        raise UserError("weights/tones.safetensors: damaged; copy it again.")
    return ToneSystem(spec, options)


def _rows(folder: Path | None) -> list[dict[str, str]]:
    if folder is None:
        raise UserError("task 'tone_qa': needs its data: --data tone_qa=PATH with a questions.json.")
    rows: list[dict[str, str]] = json.loads((folder / "questions.json").read_text())
    return rows


@register_task("tone_qa")
def tone_qa() -> Task:
    def samples(folder: Path | None) -> list[Sample]:
        base = folder or Path()
        return [
            spoken_sample(
                row["id"],
                base / f"{row['id']}.wav",
                row["answer"],
                answer=Turn("assistant", row["answer"], AudioRef(base / f"a{row['id'][1:]}.wav")),
            )
            for row in _rows(folder)
        ]

    return Task(
        name="tone_qa",
        title="questions in tones",
        family="qa",
        description="Six questions with one right answer.",
        scores=(ScoreSpec("text_accuracy", "text_accuracy"), ScoreSpec("spoken_accuracy", "spoken_accuracy")),
        samples=samples,
    )


@register_task("tone_asr")
def tone_asr() -> Task:
    def samples(folder: Path | None) -> list[Sample]:
        base = folder or Path()
        return [spoken_sample(row["id"], base / f"{row['id']}.wav", row["question"]) for row in _rows(folder)]

    return Task(
        name="tone_asr",
        title="dictation in tones",
        family="asr",
        description="The same questions, to be transcribed.",
        scores=(ScoreSpec("wer", "wer"),),
        samples=samples,
    )


@register_task("tone_both")
def tone_both() -> Task:
    return replace(tone_qa(), name="tone_both", doubles_as=("tone_asr",))
