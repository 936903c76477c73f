"""Runs made by hand: a small one of today's format, and the one that version 0.1.0 made (``format2/``)."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from tttbench.core.derivation import Derived
from tttbench.core.exchange import AudioCommit, Chunk, Conditions, Response, Status, Trace, Waveform
from tttbench.core.metric import TOPLINE, FrontierPoint, MetricInfo, ProbeResult, Result, Score, TimedAnswers
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.core.task import Needs
from tttbench.store.manifest import (
    DeriverEntry,
    Machine,
    Manifest,
    Session,
    Skipped,
    SuiteEntry,
    Summary,
    SystemEntry,
    TaskEntry,
)
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore

FORMAT_2 = Path(__file__).parent / "format2"

RECIPE = "whisper tiny.en@2a6e greedy"

TONE: Waveform = (np.sin(np.linspace(0, 40, 1600)) / 2).astype(np.float32)
"""0.1 s at 16 kHz."""

SAMPLES = [
    spoken_sample("b", Path("b.wav"), "Paris", answer=Turn("assistant", "It is Paris.")),
    spoken_sample("a", Path("a.wav"), "Rome", "Roma", metadata={"voice": "joe"}),
]

MANIFEST = Manifest(
    suite=SuiteEntry("short", "Short", seed=3, repeats=2, oracle="o"),
    systems={
        "s": SystemEntry(
            "echo:s",
            settings={"steps": 2},
            card=SystemCard(
                "echo:s",
                Capability(produces=frozenset({"text", "audio"}), families=frozenset({"qa"})),
                settings={"steps": 2, "names": ["a", None]},
                details={"parameters": 5},
            ),
        ),
        "o": SystemEntry("echo:o", strategy="topk"),
    },
    tasks={
        "t": TaskEntry(
            "Task",
            "qa",
            needs=Needs(),
            language="en",
            scores=(
                ScoreSpec("spoken_accuracy", "spoken", {"transcriber": "whisper:tiny.en"}),
                ScoreSpec("wer", "wer"),
            ),
            n=2,
            limit=2,
        )
    },
    derivers={"judge:llm": DeriverEntry("llm-1"), "transcriber:whisper:tiny.en": DeriverEntry(RECIPE)},
    versions={"python": "3.11.7"},
    machine=Machine(cores=2, memory_gb=25.3),
    sessions=(Session(("tttbench", "run"), "2030-01-01T00:00:00+00:00"),),
)

RESULT = Result(
    "s", "t", "wer", 0.5, 0.25, float("nan"), 3, 2, 0, 0, 0, 1, Recipe("wer@1", "zh@1", "jiwer 4.0.0"), 0.25, 0.75
)

SUMMARY = Summary(
    status="done_with_errors",
    expected=8,
    answered=3,
    counts={"ok": 2, "error": 1},
    metrics={"wer": MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate")},
    results=(RESULT,),
    topline=(Result(TOPLINE, "t", "wer", 0.0, 0.0, 0.5, 1, 1, 0, 0, 0, 0, Recipe("wer@1"), 0.0, 0.0),),
    probes=(ProbeResult("s", "topk", "t", "ttft", "s", 0.25, float("nan"), float("nan"), 2),),
    frontier=(FrontierPoint("s", "t", "wer", True, 0.5, 0.25, 0.75, 1.0, 0.5, 2.0, 3, 2, ("o",)),),
    skipped=(Skipped("o", "t", "doesn't produce audio"),),
    cut=1,
    timed=(TimedAnswers("s", "t", 2, error=1, cut=1, busy="much to do"),),
)

TRACE = Trace(
    stages_s={"decode": 0.5},
    prefill_end_s=0.1,
    text_times_s=(0.2,),
    text_tokens=("Rome",),
    audio_commits=(AudioCommit(0.3, 2),),
    chunks=(Chunk(0.4, 1600),),
    end_s=0.5,
    nfe=3,
    commit_step=(1, 2),
    commit_confidence=(0.5, float("nan")),
    spans=(2,),
)


def spoken(sample_id: str, repeat: int = 0, *, system: str = "s", task: str = "t") -> NewAnswer:
    """A spoken answer that says "Rome"."""
    response = Response("Rome", (1, 2), TONE, 16_000, trace=TRACE)
    return _answer(AnswerKey(system, task, sample_id, repeat), "ok", response, "")


def failed(sample_id: str, repeat: int = 0, *, system: str = "s") -> NewAnswer:
    """An answer that ended with an error."""
    return _answer(AnswerKey(system, "t", sample_id, repeat), "error", None, "no power")


def _answer(key: AnswerKey, status: Status, response: Response | None, error: str) -> NewAnswer:
    return NewAnswer(key, status, response, error, 1, "2030-01-01T00:00:01+00:00", Conditions(0.01, 0.5))


def score(value: float) -> Score:
    """A word error rate of two reference words."""
    return Score(value, value * 2, 2.0, "ok", {"hits": 1, "alignment": [{"op": "equal", "ref": "a", "hyp": "a"}]})


def make_run(folder: Path, samples: list[Sample] | None = None) -> RunStore:
    """An open run with all that a run can hold: the answers to ``a`` (two repeats) and ``b`` (an error)."""
    store = RunStore.create(folder, MANIFEST)
    store.add_samples("t", SAMPLES if samples is None else samples)
    store.save_input("t", "a", 0, TONE, 16_000)
    store.save_reference_audio("t", "b", TONE, 16_000)
    store.save_answers([spoken("a"), spoken("a", 1), failed("b")])
    sha = next(one.audio.sha256 for one in store.answers() if one.audio is not None)
    store.save_derived(RECIPE, {sha: Derived("ok", "Rome is", cost={"seconds": 0.25})})
    store.replace_scores("s", "t", [("a", 0, "wer", score(0.5)), ("a", 0, "spoken", score(1.0))])
    store.replace_scores(TOPLINE, "t", [("b", 0, "wer", score(0.0))])
    store.write_summary(SUMMARY)
    return store


def copy_of_format_2(folder: Path) -> Path:
    """A copy of the run of format 2, to be changed."""
    return Path(shutil.copytree(FORMAT_2, folder))


def state_of(folder: Path) -> dict[str, tuple[int, str]]:
    """When each file of a folder was changed, and the hash of its content."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
    }


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON file."""
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def update(folder: Path, statement: str) -> None:
    """Change the journal of a run, which may be of either format."""
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)
