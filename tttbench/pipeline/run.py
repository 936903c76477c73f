"""A run on this machine: every system asked every task, the judge's ears, scores, summary and report.

One system is in memory at a time, and the judge after them all. Whatever has been done before (``--resume``) is not
done again.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tttbench.config.suite import SystemPlan
from tttbench.core.errors import StorageError, UserError
from tttbench.core.registry import build_system, scorers
from tttbench.core.system import System, SystemOptions
from tttbench.data.atomic import storage_error
from tttbench.pipeline.generate import Asking, answer_all, ask, fail_all, make_request, message_of
from tttbench.pipeline.plan import Plan, PlannedTask, manifest_of, refuse_other_run
from tttbench.pipeline.progress import Listener, Work
from tttbench.pipeline.summarize import assess
from tttbench.pipeline.transcribe import build_judge, keep_truths, listen, recordings
from tttbench.probes.memory import peak_bytes, reset_peak
from tttbench.store.run_directory import RunStore


@dataclass(frozen=True)
class Finished:
    """A run that came to its end: where it lies, its report, and its summary."""

    folder: Path
    report: Path
    summary: dict[str, Any]


def open_run(plan: Plan, folder: Path, *, resume: bool) -> RunStore:
    """Start the run in ``folder``, or go on with the one that is there.

    Raises:
        UserError: there is another run (or, with ``resume``, none, or one that differs).
    """
    manifest = manifest_of(plan)
    if not resume:
        return RunStore.create(folder, manifest)
    store = RunStore.open(folder, write=True)
    try:
        refuse_other_run(folder, store.manifest, manifest)
    except UserError:
        store.close()
        raise
    return store


def run(plan: Plan, store: RunStore, command: Sequence[str], listener: Listener) -> Finished:
    """Do what of ``plan`` is not yet done, and return the finished run.

    Args:
        plan: what to do.
        store: the run directory, open for writing.
        command: the command line, for the manifest.
        listener: hears how far it is.

    Raises:
        StorageError: the run directory can't be written; the run can be resumed.
        KeyboardInterrupt: likewise.
    """
    session = {"command": list(command), "started_at": _now(), "ended_at": None, "status": "running"}
    _note_session(store, session, append=True)
    try:
        for task in plan.tasks:
            store.add_samples(task.plan.name, task.samples)
        for system in plan.suite.systems:
            listener.planned(_works(plan, store))
            _ask_all(system, plan, store, listener)
        _refuse_idle(store)
        _hear_all(plan, store, listener)
        summary = assess(store)
        session.update(ended_at=_now(), status=summary["status"])
        _note_session(store, session)
        store.write_summary(summary)
        return Finished(store.folder, render(store.folder), store.summary)
    except KeyboardInterrupt:
        session.update(ended_at=_now(), status="interrupted")
        _note_session(store, session)
        raise


def _refuse_idle(store: RunStore) -> None:
    """A run in which no system answers any of the tasks would end as if all were well."""
    manifest = store.manifest
    asked = {task["kind"] for task in manifest["tasks"].values()}
    kinds = {label: system.get("kinds") for label, system in manifest["systems"].items()}
    if any(found is None or asked & set(found) for found in kinds.values()):
        return
    can = "; ".join(f"{label} answers {', '.join(found)}" for label, found in kinds.items())
    tasks = ", ".join(f"{name} ({task['kind']})" for name, task in manifest["tasks"].items())
    raise UserError(f"No system of this run answers any of its tasks, {tasks}: {can}. Choose others.")


def render(folder: Path) -> Path:
    """Write the report of the run in ``folder`` and return its path.

    Raises:
        StorageError: it can't be written.
    """
    try:
        path: Path = importlib.import_module("tttbench.pages").render(folder)
    except OSError as error:
        raise storage_error(folder / "report.html", error) from error
    return path


def _ask_all(system_plan: SystemPlan, plan: Plan, store: RunStore, listener: Listener) -> None:
    label = system_plan.label
    tasks = [task for task in plan.tasks if len(store.done(label, task.plan.name)) < len(task.samples)]
    known = store.manifest["systems"][label]
    if not tasks or ("kinds" in known and not any(task.task.kind in known["kinds"] for task in tasks)):
        return
    batch_size = plan.batch_size(system_plan)
    reset_peak()
    try:
        options = SystemOptions(plan.device, batch_size, None, system_plan.strategy, system_plan.decode)
        system = build_system(system_plan.name, options)
        card = system.describe()
    except Exception as error:
        listener.failed(label, error)
        listener.note(f"{label}: all its requests count as errors; mend that, then --resume --retry-errors asks them.")
        for task in tasks:
            listener.started(_asking_work(label, task, store))
            fail_all(message_of(error), _asking(label, task, plan, batch_size), task.samples, store, listener)
            listener.finished()
        return
    _note_system(store, label, system, card)
    tasks = [task for task in tasks if task.task.kind in system.kinds]
    listener.planned(_works(plan, store))
    _warm_up(system, label, tasks, plan)
    for task in tasks:
        listener.started(_asking_work(label, task, store))
        ask(system, _asking(label, task, plan, batch_size), task.samples, store, listener)
        listener.finished()
    _note_peak(store, label)
    del system
    gc.collect()


def _note_system(store: RunStore, label: str, system: System, card: Any) -> None:
    manifest = store.manifest
    entry = manifest["systems"][label]
    was, now = entry["card"].get("weights_sha256"), card.get("weights_sha256")
    if was is not None and was != now:
        raise UserError(
            f"--resume {store.folder}: weights_sha256 of system {label} differs: the run has {was}, now it is {now}. "
            "Restore those weights, or give another --out."
        )
    entry.update(card=dict(card), kinds=sorted(system.kinds), used_strategy=system.strategy)
    store.write_manifest(manifest)


def _note_peak(store: RunStore, label: str) -> None:
    manifest = store.manifest
    entry = manifest["systems"][label]
    entry["peak_rss_bytes"] = max(peak_bytes(), entry.get("peak_rss_bytes", 0))
    store.write_manifest(manifest)


def _warm_up(system: System, label: str, tasks: Sequence[PlannedTask], plan: Plan) -> None:
    """Answer a few requests for nothing; errors show when they are asked in earnest."""
    for task in tasks[:1]:
        asking = _asking(label, task, plan, 1)
        for sample in task.samples[: plan.suite.warmup]:
            try:
                request = make_request(sample, asking)
            except Exception:
                continue
            answer_all(system, [request])


def _hear_all(plan: Plan, store: RunStore, listener: Listener) -> None:
    spoken = [
        task
        for task in plan.tasks
        if any(scorers.get(name).needs_heard for name in task.task.metrics) and store.was_asked(task.plan.name)
    ]
    if not plan.suite.judge or not spoken:
        return
    for task in spoken:
        keep_truths(task, store, listener)
    heard = recordings(store, [task.plan.name for task in spoken])
    recipe = store.manifest["judge"]["recipe"]
    unheard = [entry for entry in heard if not recipe or store.transcript(entry.sha256, recipe) is None]
    if not unheard:
        return
    work = Work(f"judge {plan.suite.judge}", len(unheard))
    listener.planned([work])
    listener.started(work)
    try:
        judge = build_judge(plan.suite.judge, plan.device, plan.suite.batch_size)
    except StorageError:
        raise
    except Exception as error:
        listener.failed(f"judge {plan.suite.judge}", error)
        listener.note("Nobody judges the spoken answers; mend that and continue with --resume.")
        listener.finished()
        return
    manifest = store.manifest
    manifest["judge"] = {"system": plan.suite.judge, "recipe": judge.recipe, "card": dict(judge.card)}
    store.write_manifest(manifest)
    listen(judge, heard, store, listener)
    listener.finished()


def _works(plan: Plan, store: RunStore) -> list[Work]:
    """What is left to ask; which tasks a system is asked is known once it has been built."""
    kinds = {label: system.get("kinds") for label, system in store.manifest["systems"].items()}
    works = [
        _asking_work(system.label, task, store)
        for system in plan.suite.systems
        for task in plan.tasks
        if kinds[system.label] is None or task.task.kind in kinds[system.label]
    ]
    return [work for work in works if work.total]


def _asking_work(label: str, task: PlannedTask, store: RunStore) -> Work:
    return Work(f"{label} · {task.plan.name}", len(task.samples) - len(store.done(label, task.plan.name)))


def _asking(label: str, task: PlannedTask, plan: Plan, batch_size: int) -> Asking:
    return Asking(label, task.task, plan.suite.seed, batch_size, plan.device)


def _note_session(store: RunStore, session: dict[str, Any], *, append: bool = False) -> None:
    manifest = store.manifest
    manifest["sessions"] = [*(manifest["sessions"] if append else manifest["sessions"][:-1]), session]
    manifest["status"] = session["status"]
    store.write_manifest(manifest)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
