"""What is said of a score that has no value in a whole run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.config.suite import Suite, SystemPlan, TaskPlan
from tttbench.core.exchange import Response
from tttbench.core.sample import CONVERSATION, Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability
from tttbench.core.task import Task
from tttbench.pipeline.plan import Plan, PlannedTask, manifest_of
from tttbench.pipeline.run import run
from tttbench.store.run_directory import RunStore

from .stages import Told, Workers, says

FIRST = Sample("c-1", (Turn("user", "one?"),), ("yes",))
LAST = Sample("c-2", (*FIRST.turns, Turn("assistant", answer_to="c-1"), Turn("user", "two?")), ("yes",))
WHOLE = {CONVERSATION: json.dumps([{"id": one, "question": "?", "references": []} for one in ("c-1", "c-2")])}

GRADES = tuple(ScoreSpec(name, name, {"judge": "openai_chat:m"}) for name in ("conversation", "spoken_conversation"))
OTHERS = (ScoreSpec("text_accuracy", "text_accuracy"), ScoreSpec("oracle_agreement", "agrees", {"oracle": "no"}))

INCOMPLETE = (
    "has no value: no conversation of this run is complete, as no sample of t has the metadata 'conversation', which "
    "the last round has (a limit may leave that out)."
)


def notes(
    folder: Path, *samples: Sample, scores: tuple[ScoreSpec, ...] = GRADES, writes: bool = False, fails: bool = False
) -> list[object]:
    """What a run of these samples says at its end, with a system that writes, or speaks, too, or fails."""
    task = Task(name="t", title="t", family="qa", description="", scores=scores, samples=lambda _: samples)
    suite = Suite("s", "", (SystemPlan("one"),), (TaskPlan("t"),), warmup=0)
    plan = Plan(suite, (PlannedTask(suite.tasks[0], task, scores, samples, "l"),), "cpu")
    capability = Capability(produces=frozenset({"text"} if writes else {"text", "audio"}), turns=True)
    system = says(lambda one: ValueError("broken") if fails else Response("yes"), capability=capability)
    told = Told()
    with RunStore.create(folder / "run", manifest_of(plan)) as store:  # without asking for the judge's server
        run(plan, store, Workers({"one": system}), [], told)
    return [event[1] for event in told.events if event[0] == "note"]


def test_conversations_that_are_cut_or_unmarked_are_named_as_such(tmp_path: Path) -> None:
    both = [f"Score '{one}' {INCOMPLETE}" for one in ("conversation", "spoken_conversation")]
    assert notes(tmp_path / "cut", FIRST) == both
    assert notes(tmp_path / "unmarked", FIRST, LAST) == both


def test_a_system_that_does_not_speak_is_named_as_before(tmp_path: Path) -> None:
    said = notes(tmp_path, FIRST, scores=GRADES[1:], writes=True)
    assert said == ["Score 'spoken_conversation' has no value: no system of this run gives what it reads (audio)."]
    assert notes(tmp_path / "codes", FIRST, scores=OTHERS) == [
        "Score 'agrees' has no value: no system of this run gives what it reads (codes)."
    ]


@pytest.mark.parametrize("scores", [GRADES, OTHERS])
def test_where_all_requests_are_errors_that_is_what_is_said(tmp_path: Path, scores: tuple[ScoreSpec, ...]) -> None:
    assert notes(tmp_path, FIRST, replace(LAST, metadata=WHOLE), scores=scores, fails=True) == []
