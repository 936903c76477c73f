"""Stage 1: which requests are given to whom, what is kept of the answers, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.config.suite import Suite, SystemPlan, TaskPlan
from tttbench.core.checked import card_of
from tttbench.core.errors import InputError, StorageError, UserError
from tttbench.core.exchange import Response
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.core.system import Capability, SystemOptions
from tttbench.core.task import Task
from tttbench.pipeline import generate
from tttbench.pipeline.generate import generate_all
from tttbench.pipeline.jobs import WorkerSpec
from tttbench.pipeline.plan import Plan, PlannedTask
from tttbench.store.manifest import Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.run_directory import RunStore

from .stages import Told, Workers, says

SYSTEMS = (SystemPlan("one:x", "topk", 2, {"steps": 3}), SystemPlan("two:y", called="second"))
ASR = Capability(families=frozenset({"asr"}))


def task(name: str, *ids: str, family: str = "qa") -> PlannedTask:
    samples = tuple(Sample(one, (Turn("user", one),)) for one in ids)
    made = Task(name=name, title=name, family=family, description="", scores=(), samples=lambda folder: samples)
    return PlannedTask(TaskPlan(name), made, (), samples, "")


def plan_of(*tasks: PlannedTask, systems: tuple[SystemPlan, ...] = SYSTEMS, **suite: Any) -> Plan:
    given = {"batch_size": 3, "warmup": 0, "seed": 5, **suite}
    return Plan(Suite("s", "", systems, tuple(one.plan for one in tasks), **given), tasks, "cuda:1")


PLAN = plan_of(task("t", "a", "b", "c"), task("u", "d", family="asr"))


def opened(folder: Path, plan: Plan = PLAN) -> RunStore:
    systems = {one.label: SystemEntry(one.name, one.strategy, one.settings) for one in plan.suite.systems}
    tasks = {one.plan.name: TaskEntry("T", one.task.family, n=len(one.samples)) for one in plan.tasks}
    store = RunStore.create(folder, Manifest(SuiteEntry("s"), systems, tasks))
    for one in plan.tasks:
        store.add_samples(one.plan.name, one.samples)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with opened(tmp_path / "run") as store:
        yield store


def run(store: RunStore, workers: Workers, plan: Plan = PLAN) -> list[tuple[object, ...]]:
    told = Told()
    generate_all(plan, store, workers, told)
    return told.events


def kept(store: RunStore) -> list[tuple[object, ...]]:
    return [(one.key.system, one.key.task, one.key.sample, one.status, one.batch_size) for one in store.answers()]


def test_every_system_is_given_every_task_in_batches_and_all_is_told(store: RunStore) -> None:
    first, second = says(lambda one: ValueError("no") if one == "b" else Response(one)), says()
    workers = Workers({"one:x": first, "two:y": second})
    ours = ("one:x@topk · t", 3), ("one:x@topk · u", 1)
    theirs = ("second · t", 3), ("second · u", 1)
    assert run(store, workers) == [
        ("planned", *ours, *theirs),
        ("planned", *ours, *theirs),
        ("started", "one:x@topk · t", 3),
        ("failed", "one:x@topk · t · b", "ValueError: no"),
        ("advanced", 2, 1),
        ("advanced", 1, 0),
        ("finished",),
        ("started", "one:x@topk · u", 1),
        ("advanced", 1, 0),
        ("finished",),
        ("planned", *theirs),
        ("planned", *theirs),
        ("started", "second · t", 3),
        ("advanced", 3, 0),
        ("finished",),
        ("started", "second · u", 1),
        ("advanced", 1, 0),
        ("finished",),
    ]
    assert workers.opened == [
        WorkerSpec("system", "one:x", SystemOptions("cuda:1", 2, "topk", {"steps": 3})),
        WorkerSpec("system", "two:y", SystemOptions("cuda:1", 3, "", {})),
    ]
    assert (first.calls, second.calls) == ([["a", "b"], ["c"], ["d"]], [["a", "b", "c"], ["d"]])
    assert kept(store)[:4] == [
        ("one:x@topk", "t", "a", "ok", 2),
        ("one:x@topk", "t", "b", "error", 2),
        ("one:x@topk", "t", "c", "ok", 1),
        ("one:x@topk", "u", "d", "ok", 1),
    ]
    assert store.manifest.systems["second"].card == card_of(second, "second")
    assert next(store.answers("second", "u")).finished_at.endswith("+00:00")
    # Nothing is left to do, and nobody is built.
    assert run(store, Workers({})) == [("planned",), ("planned",)]


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (Response("yes"), "ok"),
        (Response(" \n"), "empty"),
        (Response("", waveform=np.zeros(1, np.float32), sample_rate=8_000), "ok"),
        (Response("", waveform=np.zeros(0, np.float32), sample_rate=8_000), "empty"),
        (Response("yes", waveform=np.zeros(0, np.float32), sample_rate=8_000), "ok"),
        (ValueError("no"), "error"),
    ],
)
def test_an_answer_has_words_or_sound(tmp_path: Path, response: Response | Exception, status: str) -> None:
    plan = plan_of(task("t", "a"), systems=SYSTEMS[:1])
    with opened(tmp_path / "run", plan) as store:
        run(store, Workers({"one:x": says(lambda one: response)}), plan)
        (answer,) = store.answers()
        assert (answer.status, answer.error) == (status, "ValueError: no" if status == "error" else "")


def test_all_requests_of_a_system_that_cannot_be_built_are_errors(store: RunStore) -> None:
    events = run(store, Workers({"one:x": UserError("weights: gone."), "two:y": says()}))
    assert events[1:9] == [
        ("failed", "one:x@topk", "weights: gone."),
        ("note", "one:x@topk: all its requests count as errors; fix that, then --resume --retry-errors repeats them."),
        ("started", "one:x@topk · t", 3),
        ("advanced", 3, 3),
        ("finished",),
        ("started", "one:x@topk · u", 1),
        ("advanced", 1, 1),
        ("finished",),
    ]
    failed = list(store.answers("one:x@topk"))
    assert {(one.error, one.status, one.batch_size, one.response) for one in failed} == {
        ("weights: gone.", "error", 0, None)
    }
    assert failed[0].finished_at.endswith("+00:00")
    assert [one.status for one in store.answers("second")] == ["ok"] * 4


@pytest.mark.parametrize("error", [StorageError("disk: full."), InputError("odd."), KeyError("x")])
def test_other_errors_stop_the_run(store: RunStore, error: Exception) -> None:
    with pytest.raises(type(error)):
        run(store, Workers({"one:x": error}))
    assert kept(store) == []


def test_what_goes_wrong_once_a_system_is_known_is_not_that_it_cannot_be_built(store: RunStore) -> None:
    def refuse(*given: object) -> None:
        raise UserError("not here")

    workers = Workers({"one:x": says()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "_write", refuse)
        with pytest.raises(UserError, match="not here"):
            run(store, workers)
    assert kept(store) == []


@pytest.mark.parametrize(
    ("field", "before", "now"),
    [
        ("strategy", "a", "b"),
        ("weights_sha256", "a", "b"),
        ("codec", "a", "b"),
        ("prompts", {"qa": "a"}, {"qa": "b"}),
        ("settings", {"steps": 1}, {"steps": 2}),
        ("identity", {"v": "1"}, {"v": "2"}),
        ("name", "x", "y"),
    ],
)
def test_a_resumed_run_s_system_is_the_one_that_it_was_started_with(
    store: RunStore, field: str, before: Any, now: Any
) -> None:
    first = says()
    first.card = replace(first.card, **{field: before})
    entry = replace(store.manifest.systems["one:x@topk"], card=first.card)
    store.write_manifest(replace(store.manifest, systems={**store.manifest.systems, "one:x@topk": entry}))
    other = says()
    other.card = replace(first.card, **{field: now})
    with pytest.raises(UserError) as raised:
        run(store, Workers({"one:x": other}))
    assert str(raised.value) == (
        f"--resume {store.folder}: {field} of system one:x@topk differs: the run has {before!r}, now it is {now!r}. "
        "Restore it, or give another --out."
    )
    assert kept(store) == []
    # Where it runs, and whatever else is only shown, may differ.
    shown = says()
    shown.card = replace(first.card, details={"device": "cuda"}, capability=Capability(streams=True))
    run(store, Workers({"one:x": shown, "two:y": says()}))
    assert store.manifest.systems["one:x@topk"].card == card_of(shown, "one:x@topk")


def test_a_run_whose_card_kept_a_secret_can_be_resumed(store: RunStore) -> None:
    first = says()
    given = {"settings": {"api_key": "Hunter2"}, "identity": {"token": "Hunter2", "v": "1"}}
    first.card = replace(first.card, **given)  # type: ignore[arg-type]  # fields by name
    entry = replace(store.manifest.systems["one:x@topk"], card=first.card)
    store.write_manifest(replace(store.manifest, systems={**store.manifest.systems, "one:x@topk": entry}))
    run(store, Workers({"one:x": first, "two:y": says()}))
    card = store.manifest.systems["one:x@topk"].card
    assert card is not None
    assert (card.settings, card.identity) == ({"api_key": "…"}, {"token": "…", "v": "1"})


def test_the_most_memory_of_all_calls_on_a_run_is_kept(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([500, 100])
    resets: list[int] = []
    monkeypatch.setattr(generate, "peak_bytes", lambda: next(peaks))
    monkeypatch.setattr(generate, "reset_peak", lambda: resets.append(1))
    entry = replace(store.manifest.systems["second"], peak_rss_bytes=300)
    store.write_manifest(replace(store.manifest, systems={**store.manifest.systems, "second": entry}))
    run(store, Workers({"one:x": says(), "two:y": says()}))
    assert {label: one.peak_rss_bytes for label, one in store.manifest.systems.items()} == {
        "one:x@topk": 500,
        "second": 300,
    }
    assert resets == [1, 1]


def test_what_a_system_is_not_made_for_shows_when_it_is_built_and_is_known_from_then_on(store: RunStore) -> None:
    first = says(capability=ASR)
    events = run(store, Workers({"one:x": first, "two:y": says(capability=ASR)}))
    both = ("one:x@topk · t", 3), ("one:x@topk · u", 1)
    theirs = ("second · t", 3), ("second · u", 1)
    assert events[:3] == [("planned", *both, *theirs), ("planned", both[1], *theirs), ("started", "one:x@topk · u", 1)]
    assert first.calls == [["d"]]
    assert ("planned",) not in events
    # Known to be made for nothing that is left, it isn't built.
    assert run(store, Workers({})) == [("planned",), ("planned",)]


def test_only_what_is_missing_is_asked_for_and_a_failed_build_costs_no_more(store: RunStore) -> None:
    one = plan_of(*PLAN.tasks, systems=SYSTEMS[:1])
    run(store, Workers({"one:x": says()}), one)
    more = plan_of(task("t", "a", "b", "c"), task("u", "d"), systems=SYSTEMS[:1], repeats=2)
    again = says()
    events = run(store, Workers({"one:x": again}), more)
    assert events[0] == ("planned", ("one:x@topk · t", 3), ("one:x@topk · u", 1))
    assert again.calls == [["a", "b"], ["c"], ["d"]]
    assert sorted(key.key.repeat for key in store.answers()) == [0] * 4 + [1] * 4
    seeds = {one.key.repeat for one in store.answers("one:x@topk", "t")}
    assert seeds == {0, 1}


@pytest.mark.parametrize(
    ("warmup", "done", "calls"),
    [
        (0, False, [["a", "b"], ["c"], ["d"]]),
        (1, False, [["a"], ["a", "b"], ["c"], ["d"]]),
        (2, False, [["a"], ["b"], ["a", "b"], ["c"], ["d"]]),
        # Of a request that is answered already there is nothing to warm up with.
        (2, True, [["b"], ["b", "c"], ["d"]]),
    ],
)
def test_warm_ups_are_requests_of_the_first_task(
    store: RunStore, warmup: int, done: bool, calls: list[list[str]]
) -> None:
    plan = plan_of(*PLAN.tasks, systems=SYSTEMS[:1], warmup=warmup)
    if done:
        only = plan_of(task("t", "a"), systems=SYSTEMS[:1])
        run(store, Workers({"one:x": says()}), only)
    system = says()
    run(store, Workers({"one:x": system}), plan)
    assert system.calls == calls
    assert len(kept(store)) == 4


def test_recordings_of_inputs_are_kept_and_what_cannot_be_kept_is_an_error_of_its_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.linspace(-0.5, 0.5, 400)
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", sound, 8_000)
    planned = task("t", "a", "b")
    planned = replace(planned, samples=tuple(spoken_sample(one, tmp_path / f"{one}.wav") for one in ("a", "b")))
    plan = plan_of(planned, systems=SYSTEMS[:1])
    with opened(tmp_path / "run", plan) as store:
        save = store.save_input

        def refusing(task: str, sample: str, turn: int, *given: Any) -> Any:
            if sample == "b":
                raise InputError("b has changed")
            return save(task, sample, turn, *given)

        monkeypatch.setattr(store, "save_input", refusing)
        events = run(store, Workers({"one:x": says()}), plan)
        first, second = store.answers()
        assert (first.status, first.sample.inputs[0].seconds, second.sample.inputs) == ("ok", 0.05, {})
        assert (second.status, second.response, second.error) == ("error", None, "b has changed")
        assert events[3:5] == [("failed", "one:x@topk · t · b", "b has changed"), ("advanced", 2, 1)]
