"""Starting, resuming and ending a run: what the manifest says of it, and what is done in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.config.suite import Suite, SystemPlan, TaskPlan
from tttbench.core.errors import UserError
from tttbench.core.exchange import Response
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemOptions
from tttbench.core.task import Task
from tttbench.pipeline.derive import deriver_options
from tttbench.pipeline.jobs import WorkerSpec
from tttbench.pipeline.plan import Plan, PlannedTask
from tttbench.pipeline.run import finish, open_run, run
from tttbench.store.manifest import Manifest, Session, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.run_directory import RunStore

from .stages import Told, Workers, says

TEXT = ScoreSpec("text_accuracy", "text_accuracy")
SPOKEN = ScoreSpec("spoken_accuracy", "spoken_accuracy", {"transcriber": "whisper:tiny.en"})
ASR = Capability(families=frozenset({"asr"}))


def plan_of(folder: Path, *scores: ScoreSpec, systems: tuple[str, ...] = ("one",), seed: int = 0) -> Plan:
    """Two tasks of one sample, whose reference answer is recorded."""
    soundfile.write(folder / "a.wav", np.full(80, 0.5), 8_000)
    answer = Turn("assistant", "yes", AudioRef(folder / "a.wav"))
    sample = Sample("a", (Turn("user", "yes"),), ("yes",), answer)
    planned = []
    for name, family in (("t", "qa"), ("u", "asr")):
        task = Task(
            name=name, title=name, family=family, description="", scores=scores, samples=lambda folder: [sample]
        )
        planned.append(PlannedTask(TaskPlan(name), task, scores, (sample,), "l"))
    suite = Suite(
        "s", "", tuple(SystemPlan(one) for one in systems), tuple(one.plan for one in planned), seed=seed, batch_size=5
    )
    return Plan(suite, tuple(planned), "cuda:1")


def test_a_run_has_a_session_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT)
    with open_run(plan, tmp_path / "run", resume=False) as store:
        assert (store.manifest.sessions, store.manifest.status) == ((), "running")
        told = Told()
        summary = run(plan, store, Workers({"one": says(lambda one: Response("yes"))}), ["tttbench", "run"], told)
        assert store.summary is not None
        assert (summary.status, summary.answered, store.summary.results) == ("done", 2, summary.results)
        (session,) = store.manifest.sessions
        assert (session.command, session.status, store.manifest.status) == (("tttbench", "run"), "done", "done")
        began, ended = (datetime.fromisoformat(one or "") for one in (session.started_at, session.ended_at))
        assert (began.utcoffset() is not None, began.microsecond, began <= ended) == (True, 0, True)
        assert [entry.answer_audio for entry in store.samples()] == [None, None]
    with pytest.raises(UserError, match="holds another run"):
        open_run(plan, tmp_path / "run", resume=False)
    with pytest.raises(UserError, match="seed differs: the run has 0, this call gives 1"):
        open_run(plan_of(tmp_path, TEXT, seed=1), tmp_path / "run", resume=True)
    with pytest.raises(UserError, match="holds no run"):
        open_run(plan, tmp_path / "none", resume=True)
    # Resumed, it has another session, and the scores of this call.
    with open_run(plan_of(tmp_path, TEXT, ScoreSpec("wer", "wer")), tmp_path / "run", resume=True) as store:
        assert [[one.id for one in task.scores] for task in store.manifest.tasks.values()] == [
            ["text_accuracy", "wer"]
        ] * 2
        assert list(store.manifest.sessions) == [session]
        summary = run(plan, store, Workers({}), ["again"], Told())
        assert [one.metric for one in summary.results] == ["text_accuracy", "wer"] * 2
        first, second = store.manifest.sessions
        assert (first, second.command, second.status) == (session, ("again",), "done")


def test_a_run_that_is_stopped_says_so_and_goes_on(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT)
    with open_run(plan, tmp_path / "run", resume=False) as store:
        with pytest.raises(KeyboardInterrupt):
            run(plan, store, Workers({"one": KeyboardInterrupt()}), ["tttbench"], Told())
        (session,) = store.manifest.sessions
        assert (session.status, session.ended_at is not None, store.manifest.status) == (
            "interrupted",
            True,
            "interrupted",
        )
        assert store.summary is None
        assert len(store.samples()) == 2


def test_derivers_get_the_suite_s_device_and_batch_size_and_references_are_kept_for_them(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT, SPOKEN)
    spoken = Response("yes", None, np.full(40, 0.5, np.float32), 8_000)
    workers = Workers({"one": says(lambda one: spoken), "transcriber:whisper:tiny.en": UserError("gone")})
    with open_run(plan, tmp_path / "run", resume=False) as store:
        told = Told()
        summary = run(plan, store, workers, [], told)
        assert summary.status == "done_with_errors"
        assert workers.opened[1:] == [WorkerSpec("deriver", "transcriber:whisper:tiny.en", SystemOptions("cuda:1", 5))]
        assert [one.answer_audio and one.answer_audio.seconds for one in store.samples()] == [0.01, 0.01]
        assert {one.system for one in summary.topline} == {"reference audio"}
        assert [one.metric for one in summary.topline] == ["spoken_accuracy", "transcriber_wer"] * 2


@pytest.mark.parametrize(("asked", "given"), [(None, 8), (1, 1), (5, 5)])
def test_derivations_go_together_unless_a_batch_size_is_asked_for(asked: int | None, given: int) -> None:
    assert deriver_options("cpu", asked) == SystemOptions("cpu", given)


def test_references_are_kept_of_tasks_that_somebody_was_given(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, SPOKEN)
    asr = says(lambda one: Response("yes"), capability=replace(ASR, produces=frozenset({"text", "audio"})))
    with open_run(plan, tmp_path / "run", resume=False) as store:
        run(plan, store, Workers({"one": asr, "transcriber:whisper:tiny.en": UserError("gone")}), [], Told())
        kept = {one.task: one.answer_audio is not None for one in store.samples()}
        assert kept == {"t": False, "u": True}


def test_a_run_in_which_nobody_takes_anything_is_refused_with_all_reasons(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT, systems=("one", "two"))
    none = Capability(families=frozenset({"vqa"}))
    with open_run(plan, tmp_path / "run", resume=False) as store:
        with pytest.raises(UserError) as raised:
            run(plan, store, Workers({"one": says(capability=none), "two": says(capability=none)}), [], Told())
        told = "; ".join(
            f"{one} is made for vqa tasks, not {f} ({t})"
            for one in ("one", "two")
            for f, t in (("qa", "t"), ("asr", "u"))
        )
        assert str(raised.value) == f"No system of this run can take any of its tasks: {told}. Choose others."
    # One that takes one task is enough.
    with open_run(plan, tmp_path / "other", resume=False) as store:
        workers = Workers({"one": says(capability=none), "two": says(capability=ASR)})
        assert run(plan, store, workers, [], Told()).answered == 1


def test_where_no_session_is_open_the_status_alone_is_noted(tmp_path: Path) -> None:
    ended = Session(("run",), "2030-01-01", "2030-01-02", "interrupted")
    manifest = Manifest(
        SuiteEntry("s"),
        {"x": SystemEntry("x")},
        {"t": TaskEntry("T", "qa", n=1)},
        sessions=(ended,),
        status="interrupted",
    )
    for at, sessions in enumerate(((ended,), ())):
        with RunStore.create(tmp_path / str(at), replace(manifest, sessions=sessions)) as store:
            summary = finish(store, Workers({}), SystemOptions(), Told())
            assert (summary.status, store.manifest.status, store.manifest.sessions) == (
                "incomplete",
                "incomplete",
                sessions,
            )
            assert store.summary == summary
