"""A run: plan → generate → derive → score → summarize, with one writer. What has been done before isn't done again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.secrets import masked
from tttbench.core.system import SystemOptions
from tttbench.pipeline.default_scores import as_known
from tttbench.pipeline.derive import derive_all, deriver_options, keep_reference_audio
from tttbench.pipeline.executors import Executor
from tttbench.pipeline.executors.lane import HungError
from tttbench.pipeline.full_names import named_in_full
from tttbench.pipeline.generate import generate_all
from tttbench.pipeline.lossless import NotLosslessError
from tttbench.pipeline.plan import Plan, check_ready, manifest_of, refuse_other_languages, refuse_other_run
from tttbench.pipeline.progress import ProgressReporter
from tttbench.pipeline.scores import Columns, reason_to_skip
from tttbench.pipeline.summarize import summarize
from tttbench.pipeline.without_value import why_no_value
from tttbench.store.labels import LABELS, read_labels
from tttbench.store.manifest import Manifest, Session, Summary
from tttbench.store.run_directory import FORMAT, RunStore, refuse_taken

log = logging.getLogger("tttbench")


def open_run(plan: Plan, folder: Path, *, resume: bool) -> RunStore:
    """Start the run in ``folder``, or resume the one that is there, which then has the scores of ``plan``.

    A resumed run is planned with the transcribers that it has (``kept_transcribers``).

    Raises:
        UserError: there is another run (or, with ``resume``, none, or one that differs).
    """
    manifest = manifest_of(plan)
    if not resume:
        refuse_taken(folder)
        check_ready(plan, [system.label for system in plan.suite.systems])
        return RunStore.create(folder, manifest)
    with RunStore.open(folder) as store:
        refuse_other_run(folder, store.manifest, manifest)
        if store.format_on_disk == FORMAT:  # runs of before knew no languages
            for task in plan.tasks:
                refuse_other_languages(folder, store.samples(task.plan.name), task)
        if pending := _pending(plan, store):
            check_ready(plan, pending)
    store = RunStore.open(folder, write=True)
    old = named_in_full(store.manifest)
    # What changes no answer may be another than before.
    tasks = {
        name: replace(
            manifest.tasks[name],
            listing_sha256=entry.listing_sha256,
            scores=as_known(manifest.tasks[name].scores, entry.scores),
        )
        for name, entry in old.tasks.items()
    }
    left = {spec.id for entry in old.tasks.values() for spec in entry.scores}
    left -= {spec.id for entry in tasks.values() for spec in entry.scores}
    if left:
        ids = ", ".join(sorted(left))
        log.warning(
            "--resume %s: left out are scores that this call doesn't ask for: %s (--add adds them)", folder, ids
        )
    store.write_manifest(replace(old, tasks=tasks, suite=manifest.suite))
    return store


def _pending(plan: Plan, store: RunStore) -> list[str]:
    """Labels of systems that have requests left, as far as it is known which they are given."""
    manifest = store.manifest
    return [
        label
        for label, system in manifest.systems.items()
        for task in plan.tasks
        if not reason_to_skip(system, manifest.tasks[task.plan.name])
        and len(store.done(label, task.plan.name)) < len(task.samples) * plan.suite.repeats
    ]


def run(plan: Plan, store: RunStore, executor: Executor, command: Sequence[str], reporter: ProgressReporter) -> Summary:
    """Do what of ``plan`` is not yet done, and return the summary.

    Args:
        plan: what to do.
        store: the run directory, open for writing.
        executor: where.
        command: the command line, for the manifest.
        reporter: is told how far it is.

    Raises:
        StorageError: the run directory can't be written; the run can be resumed.
        NotLosslessError: a way of decoding that is declared lossless isn't.
        HungError: a system or transcriber hangs; the run can be resumed, and passes that request.
        KeyboardInterrupt: likewise.
    """
    words = tuple(masked(word, keep_variables=True) for word in command)
    _note_session(store, Session(words, _now()), append=True)
    try:
        for task in plan.tasks:
            # Samples of a listing that is known to be the same may have other metadata and clusters.
            is_same = bool(store.manifest.tasks[task.plan.name].listing_sha256)
            store.add_samples(task.plan.name, task.samples, replace=is_same)
        generate_all(plan, store, executor, reporter)
        _refuse_idle(store.manifest)
        spoken = [task for task in plan.tasks if _reads_audio(task.plan.name, store)]
        keep_reference_audio(spoken, store, reporter)
        options = deriver_options(plan.device, plan.suite.batch_size)
        return finish(store, executor, options, reporter)
    except (KeyboardInterrupt, HungError, NotLosslessError):
        _end_session(store, "interrupted")
        raise


def finish(store: RunStore, executor: Executor, options: SystemOptions, reporter: ProgressReporter) -> Summary:
    """Derive, score and summarize what has been generated; ends the session, if one is open."""
    columns = Columns(store.manifest)
    derive_all(columns, store, executor, options, reporter)
    summary = summarize(store, columns)
    given = {one.metric for one in (*summary.results, *summary.topline)}
    for column in {column.id: column for column in columns}.values():
        if summary.answered and column.id not in given and (why := why_no_value(column, store, summary)):
            reporter.note(f"Score {column.id!r} has no value: {why}.")
    for name, task in store.manifest.tasks.items():
        if task.missing:
            reporter.note(f"{name}: its published score is missing here; it needs {task.missing}.")
    if unused := len(read_labels(store.folder)) - sum(one.n_labels for one in summary.corrected):
        reporter.note(f"{unused:,} labels of {LABELS} aren't used: no answer is scored any longer as it was labeled.")
    _end_session(store, summary.status)
    store.write_summary(summary)
    return summary


def _reads_audio(task: str, store: RunStore) -> bool:
    return store.was_generated(task) and bool(Columns(store.manifest).of_reference(task))


def _refuse_idle(manifest: Manifest) -> None:
    """A run in which no system takes any of the tasks would end as if all were well."""
    reasons = {
        (label, name): reason_to_skip(system, task)
        for label, system in manifest.systems.items()
        for name, task in manifest.tasks.items()
    }
    if all(reasons.values()):
        told = "; ".join(f"{label} {reason} ({name})" for (label, name), reason in reasons.items())
        raise UserError(f"No system of this run can take any of its tasks: {told}. Choose others.")


def _note_session(store: RunStore, session: Session, *, append: bool = False) -> None:
    manifest = store.manifest
    before = manifest.sessions if append else manifest.sessions[:-1]
    store.write_manifest(replace(manifest, sessions=(*before, session), status=session.status))


def _end_session(store: RunStore, status: str) -> None:
    manifest = store.manifest
    if manifest.sessions and manifest.sessions[-1].ended_at is None:
        _note_session(store, replace(manifest.sessions[-1], ended_at=_now(), status=status))
    else:
        store.write_manifest(replace(manifest, status=status))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
