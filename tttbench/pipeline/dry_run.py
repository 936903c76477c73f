"""What a run would do, and what of it isn't here: no system is built or asked, nothing is fetched, no audio is read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tttbench.config.protocol import ProtocolNote
from tttbench.config.suite import Suite, SystemPlan
from tttbench.core.errors import AbsentError, UserError
from tttbench.core.language import primary_language
from tttbench.core.missing import Missing, lacking
from tttbench.core.plugins import check_deriver, check_system, derivers, scorers, systems
from tttbench.core.sample import Sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import SystemOptions
from tttbench.core.task import Task
from tttbench.data.first_samples import first_samples
from tttbench.data.samples import list_samples
from tttbench.pipeline.ablations import check_ablations
from tttbench.pipeline.asked import AskedTask, asked_tasks
from tttbench.pipeline.no_speech import fitting_scores
from tttbench.pipeline.plan import check_label, check_metrics, shared_language
from tttbench.pipeline.scores import Column, columns, derivers_of, of_corpus


@dataclass(frozen=True)
class SystemPreview:
    """A system of the run: its label in tables, its name, how it decodes, and what of it isn't here.

    ``is_checked``: whether its kind can tell what it lacks; else only a run finds out, before it asks anything.
    """

    label: str
    name: str
    strategy: str
    missing: tuple[Missing, ...]
    is_checked: bool = True


@dataclass(frozen=True)
class ScorePreview:
    """A score: its id, its recipe in words (``""`` where a package that it needs isn't installed), what is missing.

    ``waits_for``: transcribers and judges that it needs and that lack something; what, stands with them.
    """

    id: str
    recipe: str
    missing: tuple[Missing, ...]
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskPreview:
    """A task of the run.

    Attributes:
        name, title, family, language, license: as of the task.
        n: samples that each system would be given; None if neither the data are here nor their size is known.
        is_listed: whether ``n`` was counted in the data; else it is that of the published set.
        hours: of audio in the whole published set; 0 if that isn't known.
        n_bytes: of the files that hold the audio; 0 if they aren't here.
        data: where they were looked for; ``""``: what is shipped, or nowhere.
        scores: with their recipes.
        missing: of the data.
    """

    name: str
    title: str
    family: str
    language: str
    license: str
    n: int | None
    is_listed: bool
    hours: float
    n_bytes: int
    data: str
    scores: tuple[ScorePreview, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True)
class DeriverPreview:
    """A transcriber or judge that scores of these tasks need, e.g. ``transcriber:whisper:tiny.en``; as of a system."""

    name: str
    tasks: tuple[str, ...]
    missing: tuple[Missing, ...]
    is_checked: bool = True


@dataclass(frozen=True)
class Preview:
    """Everything that a run of a suite would take; ``protocol`` holds the suite's notes on the tasks that are run."""

    suite: str
    title: str
    repeats: int
    systems: tuple[SystemPreview, ...]
    tasks: tuple[TaskPreview, ...]
    derivers: tuple[DeriverPreview, ...]
    protocol: tuple[ProtocolNote, ...]

    @property
    def n_requests(self) -> int:
        """Requests of the tasks whose size is known, if every system took every task."""
        return sum(task.n or 0 for task in self.tasks) * len(self.systems) * self.repeats

    @property
    def n_unknown(self) -> int:
        """Tasks whose size isn't known."""
        return sum(task.n is None for task in self.tasks)

    @property
    def n_unchecked(self) -> int:
        """Systems, transcribers and judges whose kind can't tell what they lack."""
        return sum(not one.is_checked for parts in (self.systems, self.derivers) for one in parts)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is known to be missing, of the suite's protocol neither."""
        scores = (score.missing for task in self.tasks for score in task.scores)
        parts = (part.missing for parts in (self.systems, self.tasks, self.derivers) for part in parts)
        return not any((*scores, *parts, *(note.missing for note in self.protocol)))


def preview(suite: Suite, device: str, *, allow_outside: bool = False) -> Preview:
    """Find out what a run of ``suite`` would do and what it lacks.

    Raises:
        UserError: what no data and no package could put right: an unknown system, task, score or option.
    """
    for system in suite.systems:
        check_label(system)
    check_ablations(suite, device, may_lack=True)
    listed = [_task(one, suite, device, allow_outside) for one in asked_tasks(suite)]
    tasks = tuple(one.preview for one in listed)
    resolved = {one.preview.name: one.specs for one in listed}
    check_metrics((name, list(filter(None, map(_column, specs)))) for name, specs in resolved.items())
    languages = frozenset(language for one in listed for language in one.languages)
    needed: dict[str, list[str]] = {}
    for name, specs in resolved.items():
        for deriver in _derivers(specs):
            needed.setdefault(deriver, []).append(name)
    found = tuple(_deriver(name, of, device) for name, of in needed.items())
    lacking_any = {one.name for one in found if one.missing}
    return Preview(
        suite.name,
        suite.title,
        suite.repeats,
        tuple(_system(one, device, languages, allow_outside) for one in suite.systems),
        tuple(replace(one, scores=_waiting(one.scores, resolved[one.name], lacking_any)) for one in tasks),
        found,
        tuple(note for note in suite.protocol if note.concerns(resolved)),
    )


def _waiting(
    scores: Sequence[ScorePreview], specs: Sequence[ScoreSpec], lacking_any: Collection[str]
) -> tuple[ScorePreview, ...]:
    """The scores of a task, with those of their transcribers and judges that lack something."""
    needed = {spec.id: _derivers([spec]) for spec in specs}
    return tuple(
        replace(one, waits_for=tuple(name for name in needed.get(one.id, ()) if name in lacking_any)) for one in scores
    )


def _language(asked: AskedTask) -> str:
    return asked.plan.language or asked.task.language


def _system(plan: SystemPlan, device: str, languages: frozenset[str], allow_outside: bool) -> SystemPreview:
    options = SystemOptions(
        device, strategy=plan.strategy, settings=plan.settings, languages=languages, allow_outside=allow_outside
    )
    try:
        check_system(plan.name, options)
        missing = lacking(plan.name, options, systems)
    except AbsentError as error:
        missing = (Missing(error.what, plan.get or error.get),)
    return SystemPreview(plan.label, plan.name, plan.strategy, missing or (), missing is not None)


def _deriver(name: str, tasks: Sequence[str], device: str) -> DeriverPreview:
    kind = name.partition(":")[0]
    if kind not in derivers:
        return DeriverPreview(name, tuple(tasks), (Missing(f"this version of tttbench has no deriver {kind!r}"),))
    options = SystemOptions(device)
    try:
        check_deriver(name, options)
        missing = lacking(name, options, derivers)
    except AbsentError as error:
        missing = (Missing(error.what, error.get),)
    return DeriverPreview(name, tuple(tasks), missing or (), missing is not None)


def _derivers(specs: Iterable[ScoreSpec]) -> list[str]:
    """Names of the derivers that scores need, each once, in their order."""
    found: dict[str, None] = {}
    for spec in specs:
        try:
            found |= dict.fromkeys(derivers_of([spec]))
        except AbsentError:  # the scorer's own package; what it derives from is asked for by an option, if at all
            if transcriber := spec.options.get("transcriber"):
                found[f"transcriber:{transcriber}"] = None
    return list(found)


@dataclass(frozen=True)
class _Listed:
    """A task as far as it is known: its scores as asked for, and the languages of its samples."""

    preview: TaskPreview
    specs: tuple[ScoreSpec, ...]
    languages: frozenset[str]


def _column(spec: ScoreSpec) -> Column | None:
    """The score; None where a package that it needs isn't installed."""
    with suppress(AbsentError):
        return columns([spec])[0]
    return None


def _score(task: str, spec: ScoreSpec, language: str, samples: Sequence[Sample] | None) -> ScorePreview:
    """A score, and whether ``samples`` are enough for it; None: they aren't known."""
    where = f"task {task!r}: scores"
    try:
        own = columns([spec])
        recipe = own[0].scorer.recipe({})
    except AbsentError as error:
        return ScorePreview(spec.id, "", (Missing(str(error)),))
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    missing = _transcriber_missing(spec, language)
    if samples:
        try:
            of_corpus(own, lambda: samples, where)
        except UserError as error:
            missing = (*missing, Missing(str(error)))
    return ScorePreview(spec.id, str(recipe), missing)


def _transcriber_missing(spec: ScoreSpec, language: str) -> tuple[Missing, ...]:
    """What to say of a score of spoken answers for which nobody transcribes them, and what the nearest one lacks."""
    if "transcriber" not in scorers.get(spec.scorer).options or spec.options.get("transcriber"):
        return ()
    name = "whisper:tiny.en" if primary_language(language) == "en" else "whisper:base"
    get = f"name one, as with --transcriber {name}"
    try:
        lacks = lacking(f"transcriber:{name}", SystemOptions(), derivers) or ()
        check_deriver(f"transcriber:{name}", SystemOptions())
    except AbsentError as error:
        lacks = (Missing(error.what, error.get),)
    get = "; ".join([get, *(f"{one.what}: {one.get}" if one.get else one.what for one in lacks)])
    return (Missing("a transcriber, without which it has no value for spoken answers", get),)


def _task(asked: AskedTask, suite: Suite, device: str, allow_outside: bool) -> _Listed:
    plan, task = asked.plan, asked.task
    specs = asked.scores_in(_language(asked), suite, device)
    found = TaskPreview(
        name=plan.name,
        title=task.title,
        family=task.family,
        language=_language(asked),
        license=task.license,
        n=_limited(task.size, plan.limit) or None,
        is_listed=False,
        hours=task.hours,
        n_bytes=0,
        data="" if plan.data is None else str(plan.data),
        scores=(*(_score(plan.name, spec, _language(asked), None) for spec in specs), *_published(task)),
        missing=(),
    )
    unlisted = _Listed(found, specs, frozenset({found.language}))
    try:
        samples = list_samples(task, plan.data, allow_outside=allow_outside)
    except UserError as error:
        return replace(unlisted, preview=replace(found, missing=(_missing_data(asked, error),)))
    if not samples:
        lacking_samples = replace(found, n=0, is_listed=True, missing=(Missing("the data hold no samples", task.get),))
        return replace(unlisted, preview=lacking_samples)
    chosen = [
        replace(sample, language=sample.language or found.language) for sample in first_samples(samples, plan.limit)
    ]
    language = shared_language(chosen)
    specs = asked.scores_in(language, suite, device)
    if all(_column(spec) for spec in specs):
        specs = fitting_scores(plan.name, specs, chosen)
    scores = tuple(_score(plan.name, spec, language, chosen) for spec in specs)
    scores += _published(task)
    found = replace(found, n=len(chosen), is_listed=True, n_bytes=_n_bytes(chosen), language=language, scores=scores)
    return _Listed(found, specs, frozenset(sample.language for sample in chosen))


def _published(task: Task) -> tuple[ScorePreview, ...]:
    """The published score of a task, where nothing computes it."""
    return (ScorePreview("published score", "", (Missing(task.missing),)),) if task.missing else ()


def _missing_data(asked: AskedTask, error: UserError) -> Missing:
    """What to say of data that can't be listed: they aren't given, or what is wrong with them."""
    get = asked.task.get
    if asked.plan.data is None and isinstance(error, AbsentError) and get:
        return Missing("its data", f"{get.rstrip('.')}; then --data {asked.given_with}=PATH")
    return Missing(str(error))


def _limited(size: int, limit: int | None) -> int:
    return size if limit is None else min(size, limit)


def _n_bytes(samples: Iterable[Sample]) -> int:
    """Size of the files that hold the audio of samples, each file once; those that aren't there count nothing."""
    paths = {turn.audio.path for sample in samples for turn in sample.turns if turn.audio is not None}
    total = 0
    for path in paths:
        with suppress(OSError, ValueError):
            total += os.stat(path).st_size
    return total


def n_missing(parts: Iterable[SystemPreview | TaskPreview | DeriverPreview]) -> int:
    """How many of these lack something."""
    return sum(bool(part.missing) for part in parts)


def fetched_bytes(previewed: Preview) -> Mapping[str, int]:
    """Return what has to be fetched for systems and derivers, in bytes by what it is, as far as sizes are known."""
    parts = (part.missing for parts in (previewed.systems, previewed.derivers) for part in parts)
    return {one.what: one.n_bytes for missing in parts for one in missing if one.n_bytes}
