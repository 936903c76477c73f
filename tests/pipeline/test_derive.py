"""Stage 2: what is derived, once for every input and recipe, and what is told of what can't be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.config.suite import TaskPlan
from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import StorageError, UserError
from tttbench.core.exchange import Response
from tttbench.core.metric import MetricInfo
from tttbench.core.sample import AudioRef, Sample, Turn, spoken_sample
from tttbench.core.scorer import FunctionScorer, View
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.core.task import Task
from tttbench.pipeline.derive import derive_all, keep_reference_audio
from tttbench.pipeline.jobs import WorkerSpec
from tttbench.pipeline.plan import PlannedTask
from tttbench.pipeline.scores import Column, Columns
from tttbench.store.manifest import DeriverEntry, Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore

from .stages import Told, Workers

RATE = 8_000
OPTIONS = SystemOptions("cuda:1", 4)
Needs = Callable[[Sample, View], Iterable[Need]]


class Needing(FunctionScorer):
    """A scorer that needs what a function says."""

    def __init__(self, needs: Needs, reads: frozenset[str]) -> None:
        super().__init__("needing", 1, MetricInfo("N"), reads, lambda sample, view: 1.0)
        self._needs = needs

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        return self._needs(sample, view)


def columns(needs: Needs) -> Columns:
    """A score of every task."""
    made = Columns(Manifest(SuiteEntry("s")))
    made._by_task = {name: (Column("n", Needing(needs, frozenset({"audio"}))),) for name in ("idle", "t", "u")}
    return made


@dataclass
class Ears:
    """A deriver that says how many samples it was given; it fails on those of ``deaf``."""

    name: str = "ears"
    recipe: str = "ears@1"
    batch_size: int = 2
    deaf: frozenset[str] = frozenset()
    calls: list[int] = field(default_factory=list)

    def derive(self, inputs: Sequence[DerivationInput]) -> list[Derived | Exception]:
        self.calls.append(len(inputs))
        return [
            Derived("failed", error="deaf")
            if one.need.fields.get("text") in self.deaf
            else Derived("ok", str(0 if one.audio is None else len(one.audio)))
            for one in inputs
        ]


def answer(label: str, task: str, sample: str, length: int) -> NewAnswer:
    """A spoken answer of so many samples; 0: a written one."""
    waveform = np.full(length, 0.25, np.float32) if length else None
    return NewAnswer(AnswerKey(label, task, sample), "ok", Response("x", None, waveform, RATE), "", 1, "")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    speaks = SystemCard("x", Capability(produces=frozenset({"text", "audio"})))
    manifest = Manifest(
        SuiteEntry("s"),
        {
            "deaf": SystemEntry("x", card=SystemCard("x", Capability(families=frozenset()))),
            "one": SystemEntry("x", card=speaks),
        },
        {"idle": TaskEntry("I", "qa"), "t": TaskEntry("T", "qa"), "u": TaskEntry("U", "qa")},
    )
    with RunStore.create(tmp_path / "run", manifest) as store:
        for task in manifest.tasks:
            store.add_samples(task, [spoken_sample(one, Path("a.wav"), one) for one in ("a", "b", "c")])
        store.save_reference_audio("idle", "a", np.full(50, 0.5, np.float32), RATE)
        store.save_reference_audio("t", "b", np.full(70, 0.5, np.float32), RATE)
        store.save_answers([answer("one", "t", "a", 100), answer("one", "t", "b", 0), answer("one", "t", "c", 100)])
        store.save_answers([answer("one", "u", "a", 300)])
        yield store


def transcripts(sample: Sample, view: View) -> Iterable[Need]:
    return [Need("ears", view.audio.sha256)] if view.audio is not None else []


def derive(store: RunStore, made: Columns, workers: Workers) -> list[tuple[object, ...]]:
    told = Told()
    derive_all(made, store, workers, OPTIONS, told)
    return told.events


def test_recordings_of_answers_and_references_are_derived_once(store: RunStore) -> None:
    ears = Ears()
    workers = Workers({"ears": ears})
    # Equal recordings are one; a task that nobody was given has no topline.
    assert derive(store, columns(transcripts), workers) == [
        ("planned", ("ears", 3)),
        ("started", "ears", 3),
        ("advanced", 0, 0),
        ("advanced", 2, 0),
        ("advanced", 1, 0),
        ("finished",),
    ]
    assert workers.opened == [WorkerSpec("deriver", "ears", OPTIONS)]
    assert ears.calls == [2, 1]
    assert sorted(int(one.content) for one in store.derived_all("ears@1").values()) == [70, 100, 300]
    assert store.manifest.derivers == {"ears": DeriverEntry("ears@1", {})}
    assert derive(store, columns(transcripts), Workers({})) == []


def test_what_an_earlier_recipe_of_the_name_made_is_not_made_again(store: RunStore) -> None:
    derive(store, columns(transcripts), Workers({"ears": Ears()}))
    # The name is forgotten, as if another score of another run had made them.
    store.write_manifest(replace(store.manifest, derivers={"judge": DeriverEntry("j@1")}))
    ears = Ears()
    ears.details = {"beams": 5}  # type: ignore[attr-defined]  # derivers may have it
    events = derive(store, columns(transcripts), Workers({"ears": ears}))
    assert events == [("planned", ("ears", 3)), ("started", "ears", 3), ("advanced", 3, 0), ("finished",)]
    assert ears.calls == []
    assert store.manifest.derivers == {"judge": DeriverEntry("j@1"), "ears": DeriverEntry("ears@1", {"beams": 5})}


def texts(*given: str, deriver: str = "ears") -> Needs:
    """The same texts for every answer, and for nothing else."""
    return lambda sample, view: [Need(deriver, fields={"text": one}) for one in given]


def test_failures_are_counted_and_told_and_not_tried_again(store: RunStore) -> None:
    ears = Ears(deaf=frozenset({"a", "b"}), batch_size=3)
    events = derive(store, columns(texts("a", "b", "c")), Workers({"ears": ears}))
    assert events == [
        ("planned", ("ears", 3)),
        ("started", "ears", 3),
        ("advanced", 0, 0),
        ("failed", "ears", "deaf"),
        ("failed", "ears", "deaf"),
        ("advanced", 3, 2),
        ("finished",),
    ]
    assert ears.calls == [3]


def test_a_deriver_that_cannot_be_built_costs_its_own_scores_alone(store: RunStore) -> None:
    def both(sample: Sample, view: View) -> Iterable[Need]:
        return [Need("gone", fields={"text": "a"}), Need("ears", fields={"text": "a"})]

    workers = Workers({"gone": UserError("weights: gone."), "ears": Ears()})
    assert derive(store, columns(both), workers) == [
        ("planned", ("gone", 1)),
        ("started", "gone", 1),
        ("failed", "gone", "weights: gone."),
        ("note", "Scores that need it have no value; fix that and continue with --resume."),
        ("finished",),
        ("planned", ("ears", 1)),
        ("started", "ears", 1),
        ("advanced", 0, 0),
        ("advanced", 1, 0),
        ("finished",),
    ]
    assert [one.name for one in workers.opened] == ["gone", "ears"]


def test_so_does_one_whose_name_can_not_be_one(store: RunStore) -> None:
    workers = Workers({})
    (told,) = [one for one in derive(store, columns(texts("a", deriver="judge:nobody")), workers) if one[0] == "failed"]
    assert told[1] == "judge nobody"
    assert "must be openai_chat:MODEL" in str(told[2])
    assert workers.opened == []


@pytest.mark.parametrize("error", [StorageError("disk: full."), KeyError("x")])
def test_other_errors_stop_the_run(store: RunStore, error: Exception) -> None:
    with pytest.raises(type(error)):
        derive(store, columns(texts("a")), Workers({"ears": error}))


def test_a_derivation_may_need_another_one_and_a_scorer_that_never_has_enough_is_stopped(store: RunStore) -> None:
    def chain(sample: Sample, view: View) -> Iterable[Need]:
        text = "0"
        while (made := view.derived(Need("ears", fields={"text": text}))) is not None:
            text += made.content
        return [Need("ears", fields={"text": text})]

    ears = Ears()
    derive(store, columns(chain), Workers({"ears": ears}))
    assert ears.calls == [1] * 8


def task(*samples: Sample) -> PlannedTask:
    made = Task(name="t", title="T", family="qa", description="", scores=(), samples=lambda folder: samples)
    return PlannedTask(TaskPlan("t"), made, (), samples, "")


def test_reference_answers_that_are_recorded_are_kept_once(tmp_path: Path, store: RunStore) -> None:
    for name, length in (("b", 70), ("c", 90)):
        soundfile.write(tmp_path / f"{name}.wav", np.full(length, 0.5), RATE)

    def sample(name: str, answer: Turn | None) -> Sample:
        return spoken_sample(name, Path("x.wav"), answer=answer)

    def recorded(name: str) -> Turn:
        return Turn("assistant", "", AudioRef(tmp_path / f"{name}.wav"))

    (tmp_path / "b.wav").unlink()  # kept before, so nobody reads it
    told = Told()
    given = task(
        sample("a", recorded("gone")),
        sample("b", recorded("b")),
        sample("x", None),
        sample("y", Turn("assistant", "z")),
        sample("c", recorded("c")),
    )
    keep_reference_audio([given], store, told)
    (event,) = told.events
    assert event[0] == "note"
    assert str(event[1]).startswith(f"t a: not in the topline: {tmp_path / 'gone.wav'}: no such audio file")
    kept = {one.sample.id: one.answer_audio and one.answer_audio.seconds for one in store.samples("t")}
    assert kept == {"a": None, "b": 70 / RATE, "c": 90 / RATE}


def test_references_are_read_where_a_system_was_asked_and_answers_where_it_was_made_for_it(store: RunStore) -> None:
    seen: list[Any] = []

    def watching(sample: Sample, view: View) -> Iterable[Need]:
        seen.append((sample.id, view.text, view.audio is not None))
        return []

    derive(store, columns(watching), Workers({}))
    assert seen == [("b", "", True), ("a", "x", True), ("b", "x", False), ("c", "x", True), ("a", "x", True)]
