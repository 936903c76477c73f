"""A small run, written through the store's own API: three speaking systems and one that only writes, on two tasks.

Numbers are drawn from a seeded generator; nothing in the report is allowed to depend on what they are.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import AudioCommit, Chunk, Response, Trace
from tttbench.core.sample import AudioRef, Modality, Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.pages import render
from tttbench.pages.load import load
from tttbench.pages.view import ReportView
from tttbench.pipeline.scores import Columns
from tttbench.pipeline.summarize import summarize
from tttbench.store.manifest import DeriverEntry, Machine, Manifest, Session, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore

from .browsing import CHROMIUM, Visits, chromium

HOSTILE = "<script>alert('x')</script> & \"quoted\" </script> אבג \u202e 漢字 {{ 7*7 }}"
RATE_HZ = 16_000
CODES_PER_S = 12.5
STRATEGIES = {"ttt:mini": "topk", "ttt:mini-ar": "ar", "ttt:mini-nar": "topk", "whisper:tiny.en": ""}
FINISHED_AT = "2026-01-02T03:04:06+00:00"
RECIPE = "whisper tiny.en@2a6ed6380f1d greedy"
TRANSCRIBER = "transcriber:whisper:tiny.en"
CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Norway": "Oslo", "Peru": "Lima", "Egypt": "Cairo"}


def trace(system: str, words: list[str], n_codes: int, random_state: random.Random) -> Trace:
    """A trace as the system's strategy would leave it: passes, commits and chunks in a plausible order."""
    strategy = STRATEGIES[system]
    per_pass_s = 0.012 + 0.004 * random_state.random()
    now, passes = 0.12, 1
    text_times: list[float] = []
    commits: list[AudioCommit] = []
    chunks: list[Chunk] = []
    steps: list[int] = []
    confidence: list[float] = []
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
            unsent = start + size - sum(chunk.n_samples for chunk in chunks) * CODES_PER_S / RATE_HZ
            chunks.append(Chunk(now + 0.03, round(unsent * RATE_HZ / CODES_PER_S)))
    decode_s = now - 0.12
    stages = {"encode": 0.06, "prefill": 0.05, "decode": decode_s, "vocode": 0.03 * len(chunks)}
    return Trace(
        stages,
        0.12,
        tuple(text_times),
        tuple(f" {word}" for word in words),
        tuple(commits),
        tuple(chunks),
        now + 0.04,
        passes,
        tuple(steps),
        tuple(confidence),
        (n_codes,),
    )


def write_run(folder: Path, n: int, *, hostile: bool = True, seed: int = 7) -> Path:
    """Write a run of ``n`` samples a task; with ``hostile``, names and answers that try to break the page."""
    dice = random.Random(seed)
    with RunStore.create(folder, _manifest(folder.name, n)) as store:
        for task in ("mini_qa", "mini_asr"):
            samples = [_sample(task, index, hostile) for index in range(n)]
            store.add_samples(task, samples)
            for sample in samples:
                store.save_input(task, sample.id, 0, _tone(300, 0.4), RATE_HZ)
                if task == "mini_qa" and sample.answer is not None:
                    tone = _tone(200 + 900 * dice.random(), 0.3)
                    truth = store.save_reference_audio(task, sample.id, tone, RATE_HZ)
                    store.save_derived(RECIPE, {_input(truth.sha256, sample): Derived("ok", sample.answer.text)})
            for system in STRATEGIES:
                if system != "whisper:tiny.en" or task == "mini_asr":
                    _answer_all(store, system, task, samples, dice)
        store.write_summary(summarize(store, Columns(store.manifest)))
    return folder


def _input(sha256: str, sample: Sample) -> str:
    return Need(TRANSCRIBER, sha256, language=sample.language).input_sha256


def _manifest(name: str, n: int) -> Manifest:
    spoken = {"transcriber": "whisper:tiny.en"}
    questions = TaskEntry(
        "Mini questions",
        "qa",
        "Spoken questions of the mini world.",
        scores=(ScoreSpec("spoken_accuracy", "spoken_accuracy", spoken), ScoreSpec("text_accuracy", "text_accuracy")),
        n=n,
        listing_sha256="ab" * 32,
    )
    dictation = TaskEntry(
        "Mini dictation",
        "asr",
        "Sentences of the mini world, to be written down.",
        scores=(ScoreSpec("wer", "wer"),),
        n=n,
        listing_sha256="ab" * 32,
    )
    return Manifest(
        SuiteEntry("mini", "The mini world", 7, resamples=200),
        {system: _system(system) for system in STRATEGIES},
        {"mini_qa": questions, "mini_asr": dictation},
        {TRANSCRIBER: DeriverEntry(RECIPE)},
        {"python": "3.11.9", "tttbench": "0.1.0", "torch": "2.13.0"},
        Machine("cpu", processor="Example CPU @ 2 GHz", cores=2, memory_gb=8.0),
        (Session(("tttbench", "run", "mini", "--out", name), "2026-01-02T03:04:05+00:00", FINISHED_AT, "done"),),
        "done",
    )


def _system(system: str) -> SystemEntry:
    strategy = STRATEGIES[system]
    speaks: frozenset[Modality] = frozenset(("text", "audio")) if strategy else frozenset(("text",))
    card = SystemCard(
        system,
        Capability(accepts=frozenset(("audio",)), produces=speaks, families=None if strategy else frozenset(("asr",))),
        strategy=strategy,
        weights_sha256=sha256(system.encode()).hexdigest(),
        details={"parameters": 4_213_760, "dtype": "float32"},
    )
    return SystemEntry(system, card=card, peak_rss_bytes=512_000_000)


def _tone(hertz: float, seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def _sample(task: str, index: int, hostile: bool) -> Sample:
    country, capital = list(CAPITALS.items())[index % len(CAPITALS)]
    name = f"q{index:03d}" if not (hostile and index == 1) else HOSTILE
    if task == "mini_asr":
        reference = f"please turn on the light in the kitchen at {index} o'clock"
        return Sample(name, (Turn("user", "", AudioRef(Path(f"{index}.wav"))),), (reference,), language="en")
    turns = (Turn("user", f"What is the capital of {country}?", AudioRef(Path(f"q{index}.wav"))),)
    answer = Turn("assistant", f"The capital of {country} is {capital}.", AudioRef(Path(f"a{index}.wav")))
    return Sample(name, turns, (capital,), answer, "en", metadata={"voice": "slt"})


def _answer_all(store: RunStore, system: str, task: str, samples: list[Sample], dice: random.Random) -> None:
    rows, heard_by_sample = [], {}
    speaks = system != "whisper:tiny.en"
    skill = {"ttt:mini": 0.95, "ttt:mini-ar": 0.9, "ttt:mini-nar": 0.4, "whisper:tiny.en": 0.97}[system]
    for index, sample in enumerate(samples):
        key = AnswerKey(system, task, sample.id)
        if index == 3 and system == "ttt:mini-nar":
            error = f"InputError: {HOSTILE}" if task == "mini_qa" else "no audio"
            rows.append(NewAnswer(key, "error", None, error, 1, FINISHED_AT))
            continue
        words = (sample.reference if sample.answer is None else sample.answer.text).split()
        text = " ".join(words if dice.random() < skill else [*words[:-1], "Bergen", "now"])
        heard_by_sample[sample.id] = text.lower() if dice.random() < 0.8 else text.lower().replace("the", "a", 1)
        codes = tuple(dice.randrange(1000) for _ in range(dice.randrange(30, 60)))
        answer = Response(
            text,
            codes if speaks else None,
            _tone(200 + 900 * dice.random(), len(codes) / CODES_PER_S) if speaks else None,
            RATE_HZ if speaks else 0,
            trace=trace(system, words, len(codes), dice),
        )
        rows.append(NewAnswer(key, "ok", answer, "", 1, FINISHED_AT))
    store.save_answers(rows)
    heard = {
        _input(a.audio.sha256, a.sample.sample): Derived("ok", heard_by_sample[a.key.sample])
        for a in store.answers(system, task)
        if a.audio is not None
    }
    store.save_derived(RECIPE, heard)


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "example", 10)


@pytest.fixture(scope="session")
def view(run_dir: Path) -> ReportView:
    return load(run_dir)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed here (chromium, chromium-browser or google-chrome on the path)")
    with chromium() as started:
        yield started


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """Windows of which none may complain, miss anything or ask anything of another place, whatever else is tested."""
    visits = Visits(browser)
    yield visits
    visits.close()
    assert visits.complaints == []
    assert visits.elsewhere() == []


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs to be indexed: two that ended, of two suites; one that was killed; one whose manifest is cut off."""
    top = tmp_path_factory.mktemp("index") / "runs"
    write_run(top / "first", 2, hostile=False)
    second = write_run(top / "older runs" / "a: b #2", 9, hostile=False)
    change_manifest(
        second,
        suite={"name": "other", "title": "Another suite", "seed": 7, "resamples": 200},
        sessions=[{"started_at": "2025-12-31T23:30:00+00:00", "command": ["tttbench"]}],
        machine={"device": "cuda", "gpu": "Example GPU"},
    )
    shutil.copytree(top / "first", top / "killed")
    (top / "killed" / "summary.json").unlink()
    change_manifest(top / "killed", status="running")
    shutil.copytree(top / "first", top / "broken")
    (top / "broken" / "manifest.json").write_text('{"status": "done"')
    render(top / "first")
    render(second)
    return top


def change_manifest(run: Path, **fields: object) -> None:
    """Replace fields of a run's manifest."""
    file = run / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))
