"""A small run, written through the store's own API: three speaking systems and one that only writes, on two tasks.

Numbers are drawn from a seeded generator; nothing in the report is allowed to depend on what they are.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tttbench.reports.load import load
from tttbench.reports.view import ReportView

from tttbench.records import AudioCommit, Packet, ProbeResult, Response, Result, Sample, Score, Trace
from tttbench.store import TRUTH, RunStore
from tttbench.stored import NewAnswer, Transcript

HOSTILE = "<script>alert('x')</script> & \"quoted\" </script> אבג \u202e 漢字 {{ 7*7 }}"
RATE_HZ = 16_000
CODES_PER_S = 12.5
STRATEGIES = {"ttt:mini": "topk", "ttt:mini-ar": "ar", "ttt:mini-nar": "topk", "whisper:tiny.en": ""}
RECIPE = "whisper:tiny.en/english/1"
CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Norway": "Oslo", "Peru": "Lima", "Egypt": "Cairo"}


def trace(system: str, words: list[str], n_codes: int, random_state: random.Random) -> Trace:
    """A trace as the system's strategy would leave it: passes, commits and packets in a plausible order."""
    strategy = STRATEGIES[system]
    per_pass_s = 0.012 + 0.004 * random_state.random()
    now, passes = 0.12, 1
    text_times: list[float] = []
    commits, packets, steps, confidence, spans = [], [], [], [], []
    if system == "whisper:tiny.en":
        times = [now + 0.02 * (i + 1) for i in range(len(words))]
        stages = {"encode": 0.1, "decode": 0.02 * len(words)}
        return Trace(stages, 0.1, tuple(times), tuple(words), end_s=times[-1] + 0.01, nfe=len(words))
    block = {"ttt:mini": 13, "ttt:mini-ar": 1, "ttt:mini-nar": n_codes}[system]
    per_block = {"ttt:mini": 4, "ttt:mini-ar": 1, "ttt:mini-nar": 16}[system]
    for _ in words:
        now, passes = now + per_pass_s, passes + 1
        text_times.append(now)
    for start in range(0, n_codes, block):
        size = min(block, n_codes - start)
        order = list(range(size))
        random_state.shuffle(order)
        if strategy == "topk":
            order.sort(key=lambda i: i + random_state.random() * size)
        block_steps = [0] * size
        for rank, position in enumerate(order):
            block_steps[position] = passes + 1 + rank * per_block // size
        steps += block_steps
        confidence += [min(1.0, max(0.05, random_state.gauss(0.75, 0.2))) for _ in range(size)]
        now, passes = now + per_block * per_pass_s, passes + per_block
        commits.append(AudioCommit(now, size))
        if len(commits) * block % 13 == 0 or start + size == n_codes or block > 1:
            unsent = start + size - sum(packet.n_samples for packet in packets) * CODES_PER_S / RATE_HZ
            packets.append(Packet(now + 0.03, round(unsent * RATE_HZ / CODES_PER_S)))
    spans.append(n_codes)
    decode_s = now - 0.12
    stages = {"encode": 0.06, "prefill": 0.05, "decode": decode_s, "vocode": 0.03 * len(packets)}
    return Trace(
        stages,
        0.12,
        tuple(text_times),
        tuple(f" {word}" for word in words),
        tuple(commits),
        tuple(packets),
        now + 0.04,
        passes,
        tuple(steps),
        tuple(confidence),
        tuple(spans),
    )


def write_run(folder: Path, n: int, *, hostile: bool = True) -> Path:
    """Write a run of ``n`` samples a task; with ``hostile``, names and answers that try to break the page."""
    dice = random.Random(7)
    manifest = {
        "status": "done",
        "suite": {"name": "mini", "title": "The mini world", "seed": 7, "judge": "whisper:tiny.en"},
        "systems": {
            name: {
                "name": name,
                "strategy": strategy,
                "decode": {},
                "card": {"parameters": 4_213_760, "dtype": "float32"},
            }
            for name, strategy in STRATEGIES.items()
        },
        "tasks": {
            "mini_qa": {
                "title": "Mini questions",
                "kind": "qa",
                "description": "Spoken questions of the mini world, with one right answer each.",
                "metrics": ["spoken_accuracy", "text_accuracy"],
                "n": n,
                "data_sha256": "ab" * 32,
            },
            "mini_asr": {
                "title": "Mini dictation",
                "kind": "asr",
                "description": "Sentences of the mini world, to be written down.",
                "metrics": ["wer"],
                "n": n,
                "data_sha256": "cd" * 32,
            },
        },
        "judge": {"system": "whisper:tiny.en", "recipe": RECIPE, "card": {}},
        "versions": {"python": "3.11.9", "tttbench": "0.1.0", "torch": "2.13.0"},
        "machine": {"device": "cpu", "processor": "Example CPU @ 2 GHz", "cores": 2, "memory_gb": 8.0},
        "sessions": [
            {"started_at": "2026-01-02T03:04:05+00:00", "command": ["tttbench", "run", "mini", "--out", folder.name]}
        ],
    }
    results: list[Result] = []
    with RunStore.create(folder, manifest) as store:
        for task, metrics in (("mini_qa", ("spoken_accuracy", "text_accuracy")), ("mini_asr", ("wer",))):
            samples = [_sample(task, index, hostile) for index in range(n)]
            store.add_samples(task, samples)
            for sample in samples:
                store.save_input(task, sample.id, _tone(300, 0.4), RATE_HZ)
                if task == "mini_qa":
                    store.save_truth(task, sample.id, _tone(200, 0.3), RATE_HZ)
            for system in STRATEGIES:
                if system == "whisper:tiny.en" and task == "mini_qa":
                    continue
                scores = _answer_all(store, system, task, samples, dice)
                for metric in metrics:
                    if any(score.metric == metric for _, score in scores):
                        results.append(_result(system, task, metric, [s for _, s in scores if s.metric == metric]))
        probes = _probes(store)
        store.write_summary(
            {
                "status": "done_with_errors",
                "expected": 7 * n,
                "results": results,
                "gaps": [],
                "ceiling": [replace(results[0], system=TRUTH, metric="spoken_accuracy", value=1.0)],
                "probes": probes,
                "skipped": [{"system": "whisper:tiny.en", "task": "mini_qa", "reason": "doesn't answer qa requests"}],
            }
        )
    return folder


def _tone(hertz: float, seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def _sample(task: str, index: int, hostile: bool) -> Sample:
    country, capital = list(CAPITALS.items())[index % len(CAPITALS)]
    name = f"q{index:03d}" if not (hostile and index == 1) else HOSTILE
    if task == "mini_asr":
        return Sample(name, "asr", None, f"please turn on the light in the kitchen at {index} o'clock")
    answer = f"The capital of {country} is {capital}."
    return Sample(
        name, "qa", None, capital, (), f"What is the capital of {country}?", None, answer, "", {"voice": "slt"}
    )


def _answer_all(
    store: RunStore, system: str, task: str, samples: list[Sample], dice: random.Random
) -> list[tuple[str, Score]]:
    rows, scores, heard_by_sample = [], [], {}
    speaks = system != "whisper:tiny.en"
    skill = {"ttt:mini": 0.95, "ttt:mini-ar": 0.9, "ttt:mini-nar": 0.4, "whisper:tiny.en": 0.97}[system]
    for index, sample in enumerate(samples):
        if index == 3 and system == "ttt:mini-nar":
            error = f"InputError: {HOSTILE}" if task == "mini_qa" else "no audio"
            rows.append(NewAnswer(sample.id, "error", None, error, 1, "2026-01-02T03:04:06+00:00"))
            kind = "rate" if task == "mini_asr" else "binary"
            for metric in ("wer",) if task == "mini_asr" else ("spoken_accuracy", "text_accuracy"):
                value = 1.0 if kind == "rate" else 0.0
                scores.append((sample.id, Score(metric, value, kind, 9 * value, 9, "error", RECIPE)))
            continue
        words = (sample.answer_text or sample.reference).split()
        text = " ".join(words if dice.random() < skill else [*words[:-2], "Bergen", words[-1], "now"])
        heard = text.lower() if dice.random() < 0.8 else text.lower().replace("the", "a", 1)
        codes = tuple(dice.randrange(1000) for _ in range(dice.randrange(30, 60)))
        waveform = _tone(200 + 900 * dice.random(), len(codes) / CODES_PER_S) if speaks else None
        answer = Response(
            text,
            codes if speaks else None,
            waveform,
            RATE_HZ if speaks else 0,
            trace=trace(system, words, len(codes), dice),
        )
        rows.append(NewAnswer(sample.id, "ok", answer, "", 4, "2026-01-02T03:04:06+00:00"))
        heard_by_sample[sample.id] = heard
        if task == "mini_asr":
            edits = 0.0 if text == sample.reference else 3.0
            scores.append((sample.id, Score("wer", edits / 9, "rate", edits, 9, "ok", RECIPE)))
        else:
            for metric, said in (("spoken_accuracy", heard), ("text_accuracy", text)):
                right = float(sample.reference.lower() in said.lower() and "bergen" not in said.lower())
                scores.append((sample.id, Score(metric, right, "binary", right, 1, "ok", RECIPE)))
    store.save_answers(system, task, rows)
    for entry in store.answers(system, task):
        if entry.audio_sha256:
            store.save_transcripts(RECIPE, {entry.audio_sha256: Transcript(heard_by_sample[entry.sample.id])})
    store.replace_scores(system, task, scores)
    return scores


def _result(system: str, task: str, metric: str, scores: list[Score]) -> Result:
    value = sum(score.numerator for score in scores) / sum(score.denominator for score in scores)
    half = 1.96 * (max(value * (1 - value), 0) / len(scores)) ** 0.5
    failed = sum(score.status != "ok" for score in scores)
    spread = failed / len(scores)
    lower = metric == "wer"
    return Result(
        system=system,
        task=task,
        metric=metric,
        value=value,
        ci_low=max(0.0, value - half),
        ci_high=min(1.0, value + half),
        n=len(scores),
        ok=len(scores) - failed,
        empty=0,
        unparsed=0,
        judge_failed=0,
        error=failed,
        recipe=RECIPE,
        value_best=value - spread if lower else value + spread,
        value_worst=value,
        lower_is_better=lower,
    )


def _probes(store: RunStore) -> list[ProbeResult]:
    from tttbench.probes.latency import Timed, latency_probes

    timed: dict[tuple[str, str], list[Timed]] = {}
    for answer in store.answers():
        response = answer.response
        if response is not None:
            codes = len(response.audio_codes or ())
            found = Timed(response.trace, codes, response.sample_rate, codes / CODES_PER_S, 2.0)
            timed.setdefault((answer.system, answer.task), []).append(found)
    return [
        probe
        for (system, task), requests in timed.items()
        for probe in latency_probes(system, STRATEGIES[system], task, requests)
    ]


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "example", 6)


@pytest.fixture(scope="session")
def view(run_dir: Path) -> ReportView:
    return load(run_dir)
