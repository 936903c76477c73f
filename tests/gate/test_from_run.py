"""A run directory as a snapshot: every field of it, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tttbench.core.derivation import Derived
from tttbench.core.exchange import AudioCommit, Chunk, Conditions, Response, Trace
from tttbench.core.metric import MetricInfo, Result, Score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import spoken_sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import SystemCard
from tttbench.gate.from_run import answer_id, snapshot_of
from tttbench.gate.snapshot import (
    AnswerText,
    Metric,
    Outcome,
    SampleFacts,
    Snapshot,
    SystemFacts,
    TaskFacts,
    Timing,
)
from tttbench.probes.machine_load import MachineLoad
from tttbench.store.manifest import (
    DeriverEntry,
    Machine,
    Manifest,
    Session,
    SuiteEntry,
    Summary,
    SystemEntry,
    TaskEntry,
)
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore

about: Any = pytest.approx
"""Stands where a number is wanted."""

CARD = SystemCard(
    "ttt:a",
    strategy="par",
    weights_sha256="w",
    codec="c",
    prompts={"qa": "Answer."},
    settings={"steps": 2},
    identity={"v": "1"},
)
WER = MetricInfo("WER", direction="lower", aggregation="rate")
GAP = MetricInfo("Gap", direction="none")
MANIFEST = Manifest(
    suite=SuiteEntry("short", seed=3, repeats=2),
    systems={
        "new": SystemEntry("ttt:a", "topk", {"steps": 3}, card=CARD),
        "old": SystemEntry("ttt:b", "greedy", {"steps": 4}),
    },
    tasks={
        "t": TaskEntry(
            "T", "qa", instruction="Say.", scores=(ScoreSpec("wer", "w"), ScoreSpec("gap", "g")), listing_sha256="l"
        ),
        "own": TaskEntry("Own", "asr", data="/data"),
    },
    derivers={
        "judge:j": DeriverEntry("j-1"),
        "transcriber:x": DeriverEntry("ears"),
        "transcriber:y": DeriverEntry("y"),
    },
    versions={"tttbench": "1"},
    machine=Machine(cores=3),
    sessions=(
        Session(("run",), "2030-01-01", "2030-01-02", "interrupted"),
        Session(("run",), "2030-02-01", "2030-02-02"),
    ),
    status="done",
)


def result(system: str, metric: str) -> Result:
    return Result(system, "t", metric, 0.5, 0.0, 1.0, 1, 1, 0, 0, 0, 0, Recipe(f"{metric}@1"), 0.5, 0.5)


SUMMARY = Summary(
    "done_with_errors",
    9,
    7,
    metrics={"w": WER, "g": GAP, "v": WER},
    results=(result("new", "g"), result("new", "none"), result("gone", "w"), result("new", "w"), result("old", "v")),
)


def answer(
    system: str,
    sample: str,
    repeat: int = 0,
    response: Response | None = None,
    batch_size: int = 1,
    conditions: Conditions | None = None,
) -> NewAnswer:
    key = AnswerKey(system, "t", sample, repeat)
    error = "" if response else "no power"
    return NewAnswer(key, "ok" if response else "error", response, error, batch_size, "", conditions)


def score(value: float) -> Score:
    return Score(value, 2 * value, 4.0, "ok")


SPEAKS = Response(
    "yes",
    (1, 2),
    np.zeros(4_000, np.float32),
    8_000,
    trace=Trace(
        {"prefill": 0.1},
        text_times_s=(0.2,),
        audio_commits=(AudioCommit(0.3, 2),),
        chunks=(Chunk(0.4, 10),),
        end_s=2.0,
        nfe=6,
    ),
)
WRITES = Response("no", trace=Trace(text_times_s=(0.0,), end_s=0.5))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples(
            "t", [spoken_sample("a", Path("a.wav"), "A", "B", cluster="c"), spoken_sample("b", Path("b.wav"))]
        )
        store.add_samples("own", [spoken_sample("o", Path("o.wav"), "O")])
        store.save_input("t", "a", 0, np.zeros(8_000, np.float32), 8_000)
        yield store


def full(store: RunStore) -> Snapshot:
    """What is read of a run that has everything."""
    one, other = Conditions(0.01, 0.5), Conditions(0.03, -0.1)
    store.save_answers(
        [
            answer("new", "a", 0, SPEAKS, 2, one),
            answer("new", "a", 1, replace(SPEAKS, waveform=None, text=""), 2, one),
            answer("new", "b", 0, replace(SPEAKS, text="what"), 3, other),
            answer("new", "b", 1, None, 0, Conditions(0.02, None)),
            answer("old", "a", 0, WRITES, 2),
            answer("old", "a", 1),
            answer("old", "b", 0, replace(WRITES, trace=Trace(end_s=1.5)), 1),
        ]
    )
    by_key = {(one.key.system, one.key.sample, one.key.repeat): one for one in store.answers()}
    spoken = by_key["new", "a", 0].audio
    assert spoken is not None
    store.save_derived("ears", {spoken.sha256: Derived("failed", "half", "too loud")})
    store.replace_scores(
        "new",
        "t",
        [("a", 0, "w", score(0.25)), ("b", 1, "w", replace(score(0.75), status="error")), ("a", 0, "g", score(1))],
    )
    store.replace_scores("old", "t", [("b", 0, "v", score(0.5))])
    store.write_summary(SUMMARY)
    return snapshot_of(store.folder)


def test_the_whole_snapshot(store: RunStore) -> None:
    found = full(store)
    assert replace(found, timings=()) == Snapshot(
        source=str(store.folder),
        made_at="2030-02-02",
        suite="short",
        seed=3,
        status="done_with_errors",
        expected=9,
        answered=7,
        transcribers=("ears", "y"),
        versions={"tttbench": "1"},
        machine=Machine(cores=3),
        systems={
            "new": SystemFacts(
                "ttt:a", "par", {"steps": 3}, "w", (2, 3), {"steps": 2}, "c", {"qa": "Answer."}, {"v": "1"}
            ),
            "old": SystemFacts("ttt:b", "greedy", {"steps": 4}, "", (1, 2)),
        },
        tasks={
            "t": TaskFacts(
                "qa",
                "Say.",
                "l",
                ("w", "g"),
                {
                    "a": SampleFacts("A", "c"),
                    "a #2": SampleFacts("A", "c"),
                    "b": SampleFacts("", "b"),
                    "b #2": SampleFacts("", "b"),
                },
                own_data=True,
            ),
            "own": TaskFacts(
                "asr",
                "",
                "",
                (),
                {"o": SampleFacts("O", "o"), "o #2": SampleFacts("O", "o")},
                own_data=False,
                cluster="utterance",
            ),
        },
        metrics=(
            Metric(
                "new",
                "t",
                "w",
                WER,
                Recipe("w@1"),
                {"a": Outcome(0.5, 4.0, "ok"), "b #2": Outcome(1.5, 4.0, "error")},
            ),
            Metric("old", "t", "v", WER, Recipe("v@1"), {"b": Outcome(1.0, 4.0, "ok")}),
        ),
        timings=(),
        # The median of 0.01, 0.01, 0.03 and 0.02, and the mean of 0.5, 0.5 and -0.1.
        loads={("new", "t"): MachineLoad(0.015, about(0.3))},
        answers={
            ("new", "t"): {
                "a": AnswerText("yes", "half", "too loud"),
                "a #2": AnswerText("", "", ""),
                "b": AnswerText("what", "half", "too loud"),
                "b #2": AnswerText("", "", "no power"),
            },
            ("old", "t"): {
                "a": AnswerText("no", "", ""),
                "a #2": AnswerText("", "", "no power"),
                "b": AnswerText("no", "", ""),
            },
        },
    )


def test_times_of_complete_answers(store: RunStore) -> None:
    def timing(figure: str, unit: str, values: dict[str, float]) -> Timing:
        return Timing("new", "t", figure, unit, values)

    everyone = ("a", "a #2", "b")
    assert full(store).timings == (
        timing("ttft", "s", dict.fromkeys(everyone, 0.2)),
        timing("ttfa_wave", "s", dict.fromkeys(everyone, 0.4)),
        timing("latency", "s", dict.fromkeys(everyone, 2.0)),
        # Half a second of speech, where there is any; a second of input where there is none.
        timing("rtf", "ratio", {"a": 4.0, "b": 4.0}),
        timing("nfe_per_code", "passes", dict.fromkeys(everyone, 3.0)),
        timing("rtf_input", "ratio", {"a #2": 2.0}),
        # A time of 0 is none, and a second was asked in the one request of known length.
        Timing("old", "t", "latency", "s", {"a": 0.5, "b": 1.5}),
        Timing("old", "t", "rtf_input", "ratio", {"a": 0.5}),
    )


def test_answers_that_are_empty_or_cut_are_in_no_time(store: RunStore) -> None:
    cut = replace(WRITES, finish_reason="length", trace=Trace(end_s=9.0))
    store.save_answers([answer("old", "a", 0, WRITES), answer("old", "b", 0, cut)])
    empty = NewAnswer(AnswerKey("old", "t", "a", 1), "empty", Response("", trace=Trace(end_s=0.1)), "", 1, "")
    store.save_answers([empty])
    found = snapshot_of(store.folder)
    assert {one.figure: dict(one.values) for one in found.timings} == {"latency": {"a": 0.5}, "rtf_input": {"a": 0.5}}
    assert found.answers["old", "t"]["b"] == AnswerText("no", "", "", cut=True)


def test_a_load_below_0_is_none_and_one_that_nobody_knows_isnt(store: RunStore) -> None:
    store.save_answers([answer("new", "a", 0, WRITES, 1, Conditions(0.01, -0.5))])
    store.save_answers([answer("old", "a", 0, WRITES, 1, Conditions(0.02, None))])
    assert snapshot_of(store.folder).loads == {
        ("new", "t"): MachineLoad(0.01, 0.0),
        ("old", "t"): MachineLoad(0.02, None),
    }


@pytest.mark.parametrize(
    ("status", "has_summary", "answered", "expected"),
    [
        ("running", True, 7, ("running", 9, 7)),
        ("interrupted", True, 0, ("interrupted", 9, 2)),
        ("done", False, 0, ("done", 0, 2)),
        ("incomplete", True, 7, ("done_with_errors", 9, 7)),
    ],
)
def test_how_far_a_run_has_come(
    store: RunStore, status: str, has_summary: bool, answered: int, expected: tuple[str, int, int]
) -> None:
    store.write_manifest(replace(MANIFEST, status=status, sessions=()))
    store.save_answers([answer("new", "a", 0, WRITES), answer("old", "a", 0, WRITES)])
    if has_summary:
        store.write_summary(replace(SUMMARY, answered=answered))
    found = snapshot_of(store.folder)
    assert (found.status, found.expected, found.answered) == expected
    assert (found.made_at, found.metrics) == ("", ())


def test_a_run_that_goes_on_has_no_end_and_one_repeat_makes_no_clusters(store: RunStore) -> None:
    suite = replace(MANIFEST.suite, repeats=1)
    store.write_manifest(replace(MANIFEST, suite=suite, sessions=(Session(("run",), "2030-01-01"),)))
    found = snapshot_of(store.folder)
    assert (found.made_at, found.tasks["t"].samples) == ("", {"a": SampleFacts("A", "c"), "b": SampleFacts("", "")})
    assert [answer_id("a", repeat) for repeat in range(3)] == ["a", "a #2", "a #3"]
