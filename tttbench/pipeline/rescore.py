"""Scores for a run that has been generated: the same again, others beside them, or those of another transcriber."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tttbench.config.suite import AUTO
from tttbench.core.declared import recipe_of, telling_options
from tttbench.core.errors import UserError
from tttbench.core.judging import OPERATIONAL, REACHING
from tttbench.core.plugins import build_task, check_deriver, derivers, make_ready, scorers
from tttbench.core.plugins import tasks as tasks_known
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import score_spec
from tttbench.core.system import SystemOptions
from tttbench.pipeline.asked import IDLE_JUDGE
from tttbench.pipeline.default_scores import (
    Ways,
    added,
    as_known,
    by_language,
    known_ways,
    ways_of,
    with_defaults,
    with_ways,
)
from tttbench.pipeline.executors import Executor
from tttbench.pipeline.full_names import full_name, named_in_full, with_full_names
from tttbench.pipeline.no_speech import fitting_scores
from tttbench.pipeline.plan import kept_language
from tttbench.pipeline.progress import ProgressReporter
from tttbench.pipeline.run import finish
from tttbench.pipeline.scores import columns, derivers_of
from tttbench.pipeline.transcribers import resolved, transcriber_of
from tttbench.store.manifest import Manifest, Summary, TaskEntry
from tttbench.store.run_directory import RunStore


@dataclass(frozen=True)
class Asked:
    """What a run is scored with beside what it has.

    Attributes:
        add: scores; see ``default_scores.added``.
        transcriber: system with which the scores of spoken answers are taken once more; ``""`` for none.
        judge: options of a judge, which then grades what tasks say that one grades; empty for none.
        retry_errors: whether what transcribers and judges failed at is made anew.
    """

    add: Sequence[ScoreSpec] = ()
    transcriber: str = ""
    judge: Mapping[str, str] = field(default_factory=dict)
    retry_errors: bool = False


def _failed(store: RunStore, manifest: Manifest, deriver: str) -> bool:
    """Whether something that the deriver made has failed."""
    made = store.derived_all(recipe_of(deriver, manifest.recipes()))
    return any(one.status == "failed" for one in made.values())


def rescore(
    store: RunStore,
    asked: Asked,
    executor: Executor,
    options: SystemOptions,
    reporter: ProgressReporter,
) -> Summary:
    """Score the run again and return its summary; no system is given a request.

    Args:
        store: the run, open for writing.
        asked: what it is scored with beside what it has.
        executor: where derivers run.
        options: device and batch size of derivers.
        reporter: is told how far it is.

    Raises:
        UserError: an unknown score, option or transcriber, or a judge for tasks that have nothing to be judged; nothing
            has been changed then.
    """
    manifest, transcriber = named_in_full(store.manifest), full_name(asked.transcriber, options.device)
    asked = replace(asked, add=with_full_names(asked.add, options.device))
    if transcriber and transcriber != AUTO:
        languages = frozenset(one.sample.language for one in store.samples())
        check_deriver(f"transcriber:{transcriber}", replace(options, languages=languages))
    taken = {spec.scorer for task in manifest.tasks.values() for spec in task.scores}
    known = known_ways(spec for task in manifest.tasks.values() for spec in task.scores)
    ways = _ways(asked, known)
    asked = replace(asked, judge=_as_asked(asked.judge, ways, known))
    tasks = {}
    for key, entry in manifest.tasks.items():
        samples = [one.sample for one in store.samples(key)]
        language = kept_language(samples, entry.language)
        own = resolved(asked.add, language, options.device)
        more = (*_judged(key, entry, asked.judge), *added(own, entry.scores, taken, key, entry.family))
        more = by_language(with_ways(more, ways, known), language)  # what the run has stays as it was made
        entry = replace(entry, scores=with_ways(entry.scores, ways))
        of_task = replace(asked, transcriber=transcriber_of(transcriber, language, options.device))
        task = _with(entry, more, of_task, manifest, language)
        tasks[key] = replace(task, scores=fitting_scores(key, task.scores, samples))
    scored = {spec.options.get("judge", "") for task in tasks.values() for spec in task.scores}
    if asked.judge and asked.judge["judge"] not in scored:
        raise UserError(f"--judge: {IDLE_JUDGE}")
    for task in tasks.values():
        columns(task.scores)
    had = {name for task in manifest.tasks.values() for name in derivers_of(task.scores)}
    for name in sorted({name for task in tasks.values() for name in derivers_of(task.scores)}):
        if name not in had or (asked.retry_errors and _failed(store, manifest, name)):
            check_deriver(name, options)
            make_ready(name, options, derivers)
    if asked.retry_errors:
        store.forget_failed_derivations()
    store.write_manifest(replace(manifest, tasks=tasks))
    try:
        return finish(store, executor, options, reporter)
    except BaseException:
        # What was asked for now must not stand in the way of the next call; what was derived for it is kept.
        store.write_manifest(replace(manifest, derivers=store.manifest.derivers))
        store.forget_scores(_ids(tasks) - _ids(manifest.tasks))
        raise


def _ids(tasks: Mapping[str, TaskEntry]) -> set[str]:
    return {spec.id for task in tasks.values() for spec in task.scores}


def _with(
    task: TaskEntry,
    add: Sequence[ScoreSpec],
    asked: Asked,
    manifest: Manifest,
    language: str,
) -> TaskEntry:
    first = next((spec.options["transcriber"] for spec in task.scores if spec.options.get("transcriber")), "")
    more, transcriber = list(add), asked.transcriber
    if transcriber and transcriber != first:
        more += [
            score_spec(spec.scorer, "", {**spec.options, "transcriber": transcriber}, "--transcriber")
            for spec in task.scores
            if "transcriber" in scorers.get(spec.scorer).options and spec.options.get("transcriber") == first
        ]
    more = list(as_known(more, task.scores))
    known = {spec.id: spec for spec in task.scores}
    for spec in more:
        _refuse_taken(spec, known.get(spec.id))
    return replace(
        task,
        scores=with_defaults(
            (*task.scores, *(spec for spec in more if spec.id not in known)),
            first or transcriber,
            manifest.suite.oracle,
            language,
            asked.judge or _judge_of(task),
        ),
    )


def _refuse_taken(spec: ScoreSpec, other: ScoreSpec | None) -> None:
    """Raise ``UserError`` if a score's id is that of another one which the run has."""
    if other is None:
        return
    asked, has = ({"": one.scorer, **telling_options(spec.scorer, one.options)} for one in (spec, other))
    if differing := [name for name, value in asked.items() if has.get(name) != value]:
        what = f"with another {differing[0]}" if differing[0] else f"by {other.scorer}"
        raise UserError(
            f"score {spec.id!r:.60}: the run has one of that id, {what}; give this one another: {spec.scorer}=ID:…"
        )


def _judged(key: str, task: TaskEntry, judge: Mapping[str, str]) -> tuple[ScoreSpec, ...]:
    """The scores by a judge that a task names; beside those of another judge with that in their ids."""
    if not judge or key not in tasks_known:
        return ()
    known = {spec.id: spec for spec in task.scores}
    found = []
    for spec in build_task(key).judged:
        options = {**judge, **spec.options}
        other = known.get(spec.id)
        telling = telling_options(spec.scorer, options)
        if other is not None and any(other.options.get(name) != value for name, value in telling.items()):
            found.append(score_spec(spec.scorer, "", {**spec.options, **judge}, "--judge"))
        else:
            found.append(replace(spec, options=options))
    return tuple(found)


def _ways(asked: Asked, known: Ways) -> Ways:
    """How judges are asked from now on, in all tasks; raises ``UserError`` where that is contradictory."""
    given = asked.judge.get("judge", "") or (next(iter(known)) if len(known) == 1 else "")
    of_judge = {name: value for name, value in asked.judge.items() if name == "judge" or name in OPERATIONAL}
    by = [
        replace(spec, options={"judge": given, **spec.options})
        for spec in asked.add
        if "judge" in scorers.get(spec.scorer).options
    ]
    return ways_of((*by, ScoreSpec("answer", "", of_judge)), "--add, --judge")


def _as_asked(judge: Mapping[str, str], ways: Ways, known: Ways) -> dict[str, str]:
    """The run's judge, with what else is given, or known, of how it is asked."""
    name = judge.get("judge", "")
    return {**known.get(name, {}), **judge, **ways.get(name, {})}


def _judge_of(task: TaskEntry) -> dict[str, str]:
    """How the first judge of a task is reached, for scores that name none."""
    first = next((spec.options for spec in task.scores if "judge" in spec.options), {})
    return {name: first[name] for name in REACHING if name in first}
