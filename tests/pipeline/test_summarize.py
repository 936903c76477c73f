"""Stages 3 and 4: the whole summary of a small run, by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Conditions, Response, Status, Trace
from tttbench.core.metric import TOPLINE, UNKNOWN, MetricInfo, ProbeResult, Result, Score, plain_score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.core.scorer import FunctionScorer, Scorer, View
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.scores import Column, Columns
from tttbench.pipeline.summarize import summarize
from tttbench.store.manifest import DeriverEntry, Manifest, Skipped, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer, StoredAnswer
from tttbench.store.run_directory import RunStore

about: Any = pytest.approx
"""Stands where a number is wanted."""

RATE = 8_000
RIGHT = MetricInfo("Right", unit="%", scale=100, aggregation="binary")
EDITS = MetricInfo("Edits", direction="lower", aggregation="rate")
LENGTH = MetricInfo("Length", direction="none")
BOTH, WRITES = (Capability(produces=frozenset(one)) for one in (("text", "audio"), ("text",)))


def right(sample: Sample, view: View) -> Score | float | None:
    return None if sample.id == "c" else float(view.text == "yes")


def edits(sample: Sample, view: View) -> Score:
    derived = view.derived(Need("ears", "" if view.audio is None else view.audio.sha256))
    return UNKNOWN if derived is None else Score(0.25, 1.0, 4.0, "ok")


def length(sample: Sample, view: View) -> float:
    waveform, peer = view.waveform(), view.peer("slow")
    return (0.0 if waveform is None else float(len(waveform))) + (1_000.0 if peer is not None else 0.0)


def scored(*, first: str = "right", oracle: str = "") -> Columns:
    """Columns of both tasks: ``right`` reads text, the others speech."""
    made = {
        "right": Column("right", FunctionScorer("right", 1, RIGHT, frozenset({"text"}), right)),
        "edits": Column("edits", FunctionScorer("edits", 2, EDITS, frozenset({"audio"}), edits)),
        "length": Column("length", FunctionScorer("length", 3, LENGTH, frozenset({"audio"}), length)),
    }
    columns = Columns(Manifest(SuiteEntry("s")))
    ordered = (made.pop(first), *made.values())
    columns._by_task = {"t": ordered, "u": ordered[:1]}
    return columns


def response(text: str, spoken: int = 0, end_s: float = 0.0) -> Response:
    waveform = np.full(spoken, 0.25, np.float32) if spoken else None
    return Response(text, None, waveform, RATE if spoken else 0, trace=Trace(end_s=end_s))


def answer(label: str, sample: str, found: Response | None, status: Status = "ok", repeat: int = 0) -> NewAnswer:
    return NewAnswer(AnswerKey(label, "t", sample, repeat), status, found, "" if found else "no", 1, "")


MANIFEST = Manifest(
    SuiteEntry("s", seed=3, resamples=300, repeats=2),
    {
        "fast": SystemEntry("x", "topk", card=SystemCard("x", BOTH, strategy="par"), peak_rss_bytes=2_500_000),
        "slow": SystemEntry("y", "greedy", card=SystemCard("y", WRITES)),
        "asr": SystemEntry("z", card=SystemCard("z", Capability(families=frozenset({"asr"})))),
    },
    {"t": TaskEntry("T", "qa", n=3), "u": TaskEntry("U", "asr", n=1)},
    {"ears": DeriverEntry("ears@1")},
)
SAMPLES = [
    spoken_sample("a", Path("a.wav"), "yes", answer=Turn("assistant", "yes")),
    spoken_sample("b", Path("b.wav"), "yes", cluster="k"),
    spoken_sample("c", Path("c.wav"), "yes"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples("t", SAMPLES)
        store.save_reference_audio("t", "a", np.full(80, 0.5, np.float32), RATE)
        store.save_answers(
            [
                answer("fast", "a", response("yes", 400, 2.0)),
                answer("fast", "b", response("no", 800)),
                answer("fast", "b", None, "error", 1),
                answer("fast", "c", response("", 0), "empty"),
                answer("slow", "a", response("yes", end_s=4.0)),
            ]
        )
        recordings = [one.audio.sha256 for one in store.answers("fast") if one.audio is not None]
        reference = store.samples("t")[0].answer_audio
        assert reference is not None
        store.save_derived("ears@1", {one: Derived("ok", "x") for one in (recordings[0], reference.sha256)})
        yield store


def with_oracle(store: RunStore, label: str = "slow") -> None:
    store.write_manifest(replace(MANIFEST, suite=replace(MANIFEST.suite, oracle=label)))


def counted(result: Result) -> tuple[object, ...]:
    return (result.system, result.task, result.metric, result.value, result.n, result.recipe.scorer)


def test_every_answer_is_scored_and_every_request_counted_once(store: RunStore) -> None:
    found = summarize(store, scored())
    # Of two samples that are scored for it, one of three answers is right; the error is wrong.
    assert [counted(one) for one in found.results] == [
        ("fast", "t", "right", about(1 / 3), 3, "right@1"),
        # How many units the error would have had isn't known, and no length is the worst.
        ("fast", "t", "edits", about(1 / 4), 4, "edits@2"),
        ("fast", "t", "length", about((400 + 800 + 0) / 3), 4, "length@3"),
        ("slow", "t", "right", 1.0, 1, "right@1"),
    ]
    edited = found.results[1]
    assert (edited.ok, edited.derivation_failed, edited.error) == (1, 2, 1)
    assert (found.expected, found.answered, found.status) == (2 * (3 + 1 + 3 + 1 + 1), 5, "incomplete")
    # a is ok, b has no transcript, its repeat is an error, and c, which was empty, has no transcript either.
    assert found.counts == {"ok": 2, "empty": 0, "unparsed": 0, "derivation_failed": 2, "error": 1}
    assert found.metrics == {"right": RIGHT, "edits": EDITS, "length": LENGTH}
    assert found.skipped == (Skipped("asr", "t", "is made for asr tasks, not qa"),)
    assert found.frontier == ()
    kept = store.scores("fast", "t")
    assert {key: sorted(scores) for key, scores in kept.items()} == {
        ("a", 0): ["edits", "length", "right"],
        ("b", 0): ["edits", "length", "right"],
        ("b", 1): ["edits", "length", "right"],
        ("c", 0): ["edits", "length"],
    }
    assert kept["b", 1]["right"] == plain_score(0.0, "error")


def test_recipes_hold_what_derived(store: RunStore) -> None:
    columns = scored()
    asked: list[Mapping[str, str]] = []

    def recipe(recipes: Mapping[str, str]) -> Recipe:
        asked.append(recipes)
        return Recipe("edits@2", transcriber=recipes["ears"])

    scorer: Scorer = columns.of_task("t")[1].scorer
    scorer.recipe = recipe  # type: ignore[method-assign]  # of this test alone
    found = summarize(store, columns)
    assert {one.recipe for one in (*found.results, *found.topline) if one.metric == "edits"} == {
        Recipe("edits@2", transcriber="ears@1")
    }
    assert asked[0] == {"ears": "ears@1"}


def test_probes_of_every_system_and_the_memory_of_those_that_are_known(store: RunStore) -> None:
    found = summarize(store, scored()).probes
    nan = about(math.nan, nan_ok=True)
    speed = {(one.system, one.strategy, one.task, one.metric): (one.p50, one.n) for one in found if one.task}
    assert speed == {
        ("fast", "par", "t", "latency"): (2.0, 1),
        ("fast", "par", "t", "rtf"): (about(40.0), 1),
        ("slow", "greedy", "t", "latency"): (4.0, 1),
    }
    (memory,) = [one for one in found if not one.task]
    assert memory == ProbeResult("fast", "par", "", "peak_memory", "MB", 2.5, nan, nan, 1)


CUT = Response("yes", finish_reason="length", trace=Trace(end_s=9.0))


def test_answers_that_were_cut_are_counted_and_in_no_latency(store: RunStore) -> None:
    store.save_answers([answer("slow", "b", CUT), answer("slow", "a", CUT, repeat=1)])
    found = summarize(store, scored())
    assert found.cut == 2
    assert [(one.system, one.metric, one.cut, one.n) for one in found.results if one.system == "slow"] == [
        ("slow", "right", 2, 3)
    ]
    assert [one.cut for one in found.results if one.system == "fast"] == [0, 0, 0]
    assert [(one.system, one.task, one.n, one.error, one.empty, one.cut) for one in found.timed] == [
        # What took no time is complete all the same.
        ("fast", "t", 2, 1, 1, 0),
        ("fast", "u", 0, 0, 0, 0),
        ("slow", "t", 1, 0, 0, 2),
        ("slow", "u", 0, 0, 0, 0),
        ("asr", "u", 0, 0, 0, 0),
    ]
    latency = {one.system: (one.p50, one.n) for one in found.probes if one.metric == "latency"}
    assert latency == {"fast": (2.0, 1), "slow": (4.0, 1)}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[RunStore]:
    """A run of two systems on three samples of a second, with an oracle, without answers."""
    manifest = replace(
        MANIFEST,
        suite=replace(MANIFEST.suite, oracle="slow", repeats=1),
        systems={name: MANIFEST.systems[name] for name in ("fast", "slow")},
        tasks={"t": TaskEntry("T", "qa", n=3)},
    )
    with RunStore.create(tmp_path / "own", manifest) as store:
        store.add_samples("t", SAMPLES)
        for sample in SAMPLES:
            store.save_input("t", sample.id, 0, np.zeros(RATE, np.float32), RATE)
        yield store


def test_a_busy_machine_marks_the_figures_of_the_answers_that_it_touched(two: RunStore) -> None:
    loads = {"fast": Conditions(0.01, 0.0), "slow": Conditions(0.01, 1.5)}
    two.save_answers(
        [
            replace(answer(label, one, response("yes", end_s=4.0)), conditions=load)
            for label, load in loads.items()
            for one in "abc"
        ]
    )
    found = summarize(two, scored())
    why = "other processes kept 1.5 cores busy (allowed: 0.2)"
    assert {(one.system, one.busy) for one in found.probes if one.metric == "latency"} == {("fast", ""), ("slow", why)}
    assert {(one.system, one.busy) for one in found.timed} == {("fast", ""), ("slow", why)}
    assert {(one.system, one.busy) for one in found.frontier} == {("fast", ""), ("slow", why)}


def test_answers_that_were_generated_together_have_no_latency_and_a_reason(two: RunStore) -> None:
    together = replace(response("yes"), trace=Trace(end_s=4.0, compute_s=0.5))
    two.save_answers([replace(answer("slow", one, together), batch_size=8) for one in "ab"])
    two.save_answers([replace(answer("slow", "c", together), batch_size=1)])
    found = summarize(two, scored())
    assert {one.metric: (one.p50, one.n) for one in found.probes if one.system == "slow"} == {"rtf_input": (0.5, 3)}
    (one,) = [one for one in found.timed if one.system == "slow"]
    assert (one.n, one.together) == (3, 8)
    assert one.why_no_latency.startswith("generated 8 at a time, so each one's times hold the others'; one request")
    # Of one answer that was alone there is no median to place it by.
    assert found.frontier == ()


@pytest.mark.parametrize(("references", "empty"), [(("",), 0), (("yes",), 1), ((), 1), (("", "yes"), 1)])
def test_a_silence_that_is_right_is_no_empty_answer(two: RunStore, references: tuple[str, ...], empty: int) -> None:
    two.add_samples("t", [replace(SAMPLES[0], id="silent", references=references)])
    two.save_answers([answer("slow", "silent", response("", end_s=1.0), "empty")])
    (one,) = [one for one in summarize(two, scored()).timed if one.system == "slow"]
    assert (one.n, one.empty) == (1 - empty, empty)


def test_the_topline_is_of_reference_audio_and_of_metrics_with_a_better_end(store: RunStore) -> None:
    found = summarize(store, scored()).topline
    assert [counted(one) for one in found] == [(TOPLINE, "t", "edits", 0.25, 1, "edits@2")]
    assert store.scores(TOPLINE, "t") == {("a", 0): {"edits": Score(0.25, 1.0, 4.0, "ok")}}
    assert store.scores(TOPLINE, "u") == {}


def test_intervals_are_of_the_suite_s_seed_and_resamples(store: RunStore) -> None:
    more = [spoken_sample(f"x{at}", Path("x.wav")) for at in range(20)]
    store.add_samples("t", more)
    store.save_answers([answer("fast", one.id, response("x", 100 + 37 * at % 91)) for at, one in enumerate(more)])

    def bounds(**suite: int) -> tuple[float, float]:
        store.write_manifest(replace(MANIFEST, suite=replace(MANIFEST.suite, **suite)))  # type: ignore[arg-type]  # numbers
        (one,) = [one for one in summarize(store, scored()).results if one.metric == "length"]
        return one.ci_low, one.ci_high

    assert bounds() == bounds(seed=3) != bounds(seed=4)
    assert bounds() != bounds(resamples=301)


@pytest.mark.parametrize(
    ("statuses", "n", "expected"),
    [
        (("ok",), 1, "done"),
        (("ok", "empty"), 2, "done"),
        (("ok", "error"), 2, "done_with_errors"),
        (("ok",), 2, "incomplete"),
        (("error",), 2, "incomplete"),
        # More than were asked for: the limit was lowered.
        (("ok", "ok"), 1, "done"),
    ],
)
def test_how_a_run_ends(tmp_path: Path, statuses: tuple[Status, ...], n: int, expected: str) -> None:
    manifest = replace(
        MANIFEST,
        suite=SuiteEntry("s"),
        systems={"slow": MANIFEST.systems["slow"]},
        tasks={"t": TaskEntry("T", "qa", n=n)},
    )
    with RunStore.create(tmp_path / "own", manifest) as store:
        store.add_samples("t", SAMPLES)
        store.save_answers(
            [
                answer("slow", sample, None if status == "error" else response("yes"), status)
                for sample, status in zip("ab", statuses, strict=False)
            ]
        )
        assert summarize(store, scored()).status == expected


def test_a_failed_derivation_is_an_error_of_the_run(tmp_path: Path) -> None:
    manifest = replace(
        MANIFEST,
        suite=SuiteEntry("s"),
        systems={"fast": MANIFEST.systems["fast"]},
        tasks={"t": TaskEntry("T", "qa", n=1)},
    )
    with RunStore.create(tmp_path / "own", manifest) as store:
        store.add_samples("t", SAMPLES)
        store.save_answers([answer("fast", "a", response("yes", 400))])
        assert summarize(store, scored()).status == "done_with_errors"


def test_with_an_oracle_scorers_see_its_answers_and_systems_have_places(store: RunStore) -> None:
    with_oracle(store)
    store.save_answers([answer("slow", one, response("yes", end_s=6.0)) for one in ("b", "c")])
    store.save_answers([answer("fast", "a", response("yes", end_s=1.0), repeat=1)])
    found = summarize(store, scored())
    (length,) = [one for one in found.results if one.metric == "length"]
    # a, b and c have a peer; the repeat of a has none, and that of b is an error.
    assert length.value == about((1_400 + 1_800 + 1_000 + 0) / 4)
    assert [(one.system, one.task, one.metric, one.n, one.n_timed, one.seconds) for one in found.frontier] == [
        # c has no verdict, and what took no time wasn't timed. Repeats are requests of their own.
        ("fast", "t", "right", 4, 2, 1.5),
        ("slow", "t", "right", 2, 2, 5.0),
    ]
    assert found.frontier[0].lower_is_better is False


def test_places_are_by_the_primary_metric(store: RunStore) -> None:
    with_oracle(store)
    store.save_answers([answer("fast", "c", response("x", 100, 3.0), repeat=1)])
    summarize(store, scored(first="edits"))
    sha = [one.audio.sha256 for one in store.answers("fast") if one.audio is not None]
    store.save_derived("ears@1", {one: Derived("ok", "x") for one in sha})
    (one,) = summarize(store, scored(first="edits")).frontier
    assert (one.system, one.metric, one.lower_is_better, one.quality, one.n, one.n_timed) == (
        *("fast", "edits", True, about(3 / (3 * 4)), 3, 2),
    )


def test_every_answer_is_read_once_but_the_oracle_s_which_others_are_compared_with(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_oracle(store)
    read: list[tuple[str | None, str | None]] = []
    whole = RunStore.answers

    def noted(self: RunStore, system: str | None = None, task: str | None = None) -> Iterator[StoredAnswer]:
        read.append((system, task))
        return whole(self, system, task)

    monkeypatch.setattr(RunStore, "answers", noted)
    summarize(store, scored(first="edits"))
    given = [(label, task) for label in MANIFEST.systems for task in MANIFEST.tasks]
    assert read == [("slow", None), *(one for one in given if one != ("asr", "t"))]


def test_places_are_of_the_suite_s_seed_and_resamples(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with_oracle(store)
    used: list[tuple[int, int]] = []

    def frontier(*_: object, seed: int, n_resamples: int = 0, **__: object) -> tuple[()]:
        used.append((seed, n_resamples))
        return ()

    monkeypatch.setattr("tttbench.pipeline.trade_off.frontier", frontier)
    summarize(store, scored(first="edits"))
    assert set(used) == {(store.manifest.suite.seed, store.manifest.suite.resamples)}
