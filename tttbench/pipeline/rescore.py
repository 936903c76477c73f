"""Scores for a run that has been generated: the same again, others beside them, or those of another transcriber."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tttbench.core.plugins import check_deriver, derivers, make_ready, scorers
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import score_spec
from tttbench.core.system import SystemOptions
from tttbench.pipeline.default_scores import added, with_defaults
from tttbench.pipeline.executors import Executor
from tttbench.pipeline.no_speech import fitting_scores
from tttbench.pipeline.plan import shared_language
from tttbench.pipeline.progress import ProgressReporter
from tttbench.pipeline.run import finish
from tttbench.pipeline.scores import columns, derivers_of
from tttbench.store.manifest import Manifest, Summary, TaskEntry
from tttbench.store.run_directory import RunStore


def rescore(
    store: RunStore,
    add: Sequence[ScoreSpec],
    transcriber: str,
    executor: Executor,
    options: SystemOptions,
    reporter: ProgressReporter,
) -> Summary:
    """Score the run again and return its summary; no system is given a request.

    Args:
        store: the run, open for writing.
        add: scores beside those that it has; see ``default_scores.added``.
        transcriber: system with which the scores of spoken answers are taken once more; ``""`` for none.
        executor: where derivers run.
        options: device and batch size of derivers.
        reporter: is told how far it is.

    Raises:
        UserError: an unknown score, option or transcriber; nothing has been changed then.
    """
    manifest = store.manifest
    if transcriber:
        languages = frozenset(one.sample.language for one in store.samples())
        check_deriver(f"transcriber:{transcriber}", replace(options, languages=languages))
    taken = {spec.scorer for task in manifest.tasks.values() for spec in task.scores}
    tasks = {}
    for key, entry in manifest.tasks.items():
        samples = [one.sample for one in store.samples(key)]
        language = shared_language(samples) or entry.language
        more = added(add, entry.scores, taken, key, entry.family)
        task = _with(entry, more, transcriber, manifest, language)
        tasks[key] = replace(task, scores=fitting_scores(key, task.scores, samples))
    for task in tasks.values():
        columns(task.scores)
    known = {name for task in manifest.tasks.values() for name in derivers_of(task.scores)}
    for name in sorted({name for task in tasks.values() for name in derivers_of(task.scores)}):
        if name not in known:
            check_deriver(name, options)
            make_ready(name, options, derivers)
    store.write_manifest(replace(manifest, tasks=tasks))
    try:
        return finish(store, executor, options, reporter)
    except BaseException:
        # What was asked for now must not stand in the way of the next call.
        store.write_manifest(manifest)
        store.forget_scores(_ids(tasks) - _ids(manifest.tasks))
        raise


def _ids(tasks: Mapping[str, TaskEntry]) -> set[str]:
    return {spec.id for task in tasks.values() for spec in task.scores}


def _with(
    task: TaskEntry,
    add: Sequence[ScoreSpec],
    transcriber: str,
    manifest: Manifest,
    language: str,
) -> TaskEntry:
    first = next((spec.options["transcriber"] for spec in task.scores if spec.options.get("transcriber")), "")
    more = list(add)
    if transcriber and transcriber != first:
        more += [
            score_spec(spec.scorer, "", {**spec.options, "transcriber": transcriber}, "--transcriber")
            for spec in task.scores
            if "transcriber" in scorers.get(spec.scorer).options and spec.options.get("transcriber") == first
        ]
    known = {spec.id for spec in task.scores}
    return replace(
        task,
        scores=with_defaults(
            (*task.scores, *(spec for spec in more if spec.id not in known)),
            first or transcriber,
            manifest.suite.oracle,
            language,
        ),
    )
