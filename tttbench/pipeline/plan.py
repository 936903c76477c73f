"""From a suite to what has to be done: tasks looked up, samples listed, and the manifest that says so.

Everything that the caller got wrong is found here, before any system is built.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tttbench.config.suite import AUTO, Suite, SystemPlan, TaskPlan
from tttbench.core.errors import AbsentError, UserError
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.language import primary_language
from tttbench.core.metric import TOPLINE, MetricInfo
from tttbench.core.plugins import check_deriver, check_system, derivers, make_ready, systems
from tttbench.core.sample import AudioRef, Sample, SpeechRecipe
from tttbench.core.scorer import ScoreSpec
from tttbench.core.secrets import masked, without_secrets
from tttbench.core.system import SystemOptions
from tttbench.core.tables import odd_character
from tttbench.core.task import Task
from tttbench.data.first_samples import first_samples
from tttbench.data.samples import list_samples
from tttbench.pipeline.ablations import check_ablations
from tttbench.pipeline.asked import AskedTask, asked_tasks
from tttbench.pipeline.environment import machine, versions
from tttbench.pipeline.jobs import GenerateItem, request_seed
from tttbench.pipeline.kept_transcribers import KeptTranscribers
from tttbench.pipeline.no_speech import fitting_scores
from tttbench.pipeline.scores import Column, columns, derivers_of, of_corpus
from tttbench.store.manifest import AblationEntry, Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, Recording, StoredSample

log = logging.getLogger("tttbench")


@dataclass(frozen=True)
class PlannedTask:
    """A task of the run: the samples that will be asked for, the scores, and the hash of the listing."""

    plan: TaskPlan
    task: Task
    scores: tuple[ScoreSpec, ...]
    samples: tuple[Sample, ...]
    listing_sha256: str


@dataclass(frozen=True)
class Plan:
    """A suite whose names exist and whose samples are listed.

    ``device``: ``"cpu"``, ``"cuda"`` …; ``allow_outside``: whether lists may name audio outside of their folders.
    """

    suite: Suite
    tasks: tuple[PlannedTask, ...]
    device: str
    allow_outside: bool = False

    def batch_size(self, system: SystemPlan) -> int:
        """Return the most requests that a call of ``system`` may carry: one, unless a suite or a call asks for more."""
        return system.batch_size or self.suite.batch_size or 1

    def options(self, system: SystemPlan) -> SystemOptions:
        """Return how ``system`` is set up."""
        return SystemOptions(
            self.device,
            self.batch_size(system),
            system.strategy,
            system.settings,
            allow_outside=self.allow_outside,
        )


def make_plan(suite: Suite, device: str, *, allow_outside: bool = False, kept: KeptTranscribers | None = None) -> Plan:
    """Look up all names of ``suite`` and list its samples, which may lie outside of their folders if that is allowed.

    ``kept``: the transcribers of the run that is resumed.

    Raises:
        UserError: an unknown system, task, score, option or deriver, data that aren't there, two samples with one id,
            no samples, a label that is reserved.
    """
    for system in suite.systems:
        check_label(system)
        options = SystemOptions(device, strategy=system.strategy, settings=system.settings, allow_outside=allow_outside)
        try:
            check_system(system.name, options)
        except AbsentError as error:
            raise AbsentError(f"{error} {system.get}".rstrip()) from error
    check_ablations(suite, device)
    planned = tuple(_plan_task(asked, suite, device, allow_outside) for asked in asked_tasks(suite, kept))
    check_metrics((entry.plan.name, columns(entry.scores)) for entry in planned)
    languages = frozenset(sample.language for entry in planned for sample in entry.samples)
    made = Plan(suite, planned, device, allow_outside)
    for system in suite.systems:
        check_system(system.name, replace(made.options(system), languages=languages))
    for entry in planned:
        for name in derivers_of(entry.scores):
            check_deriver(name, SystemOptions(device))
    return made


def check_ready(plan: Plan, labels: Collection[str]) -> None:
    """Make sure that what the systems called ``labels`` and all transcribers and judges need is there: weights …

    Nothing is lost yet then; some of it may be fetched.

    Raises:
        UserError: naming what is missing and where to get it.
    """
    for system in plan.suite.systems:
        if system.label in labels:
            make_ready(system.name, plan.options(system), systems)
    for name in sorted({name for task in plan.tasks for name in derivers_of(task.scores)}):
        make_ready(name, SystemOptions(plan.device), derivers)


def check_label(system: SystemPlan) -> None:
    """Raise ``UserError`` for a label that is reserved, or that no table can show."""
    if system.label == TOPLINE:
        raise UserError(f"system {system.name}: the label {TOPLINE!r} is reserved; give it another.")
    if masked(system.label, keep_variables=True) != system.label:
        raise UserError(
            f"system {system.name}: its label, which tables and runs show, holds a key, token or password; give the "
            "system a label of its own in a suite, and what is secret in an environment variable."
        )
    if odd := odd_character(system.label):
        what = f"the label {system.label!a} holds the character {odd.group()!a}; give it another."
        raise UserError(f"system {system.name!a}: {what}")


def _plan_task(asked: AskedTask, suite: Suite, device: str, allow_outside: bool) -> PlannedTask:
    plan, task = asked.plan, asked.task
    _scores(asked, suite, device, task.language)  # first, as listing samples can take long
    samples = list_samples(task, plan.data, allow_outside=allow_outside)
    if not samples:
        where = f"task {plan.name!r}" + (f" ({plan.data})" if plan.data else "")
        raise UserError(f"{where}: has no samples; give data that hold some with --data {plan.name}=PATH.")
    chosen = tuple(first_samples(samples, plan.limit))
    if plan.limit is not None and len(chosen) > plan.limit:
        log.warning(
            "task %s: %d samples, not %d: a conversation that --limit would cut is taken whole.",
            *(plan.name, len(chosen), plan.limit),
        )
    listing = listing_sha256(chosen, task.language)
    task = replace(task, language=plan.language or task.language)
    chosen = tuple(replace(sample, language=sample.language or task.language) for sample in chosen)
    scores = _scores(asked, suite, device, shared_language(chosen))
    asked.tell_kept(scores, shared_language(chosen), suite, device)
    scores = fitting_scores(plan.name, scores, chosen)
    _tell_unknown_language(plan.name, chosen, scores, suite)
    of_corpus(columns(scores), lambda: chosen, f"task {plan.name!r}: scores")
    return PlannedTask(plan, task, scores, chosen, listing)


def _tell_unknown_language(task: str, samples: Sequence[Sample], scores: Sequence[ScoreSpec], suite: Suite) -> None:
    """Warn of a transcriber that was chosen by language where samples name none."""
    n_unknown = sum(not sample.language for sample in samples)
    used = dict.fromkeys(one.options["transcriber"] for one in scores if one.options.get("transcriber"))
    if n_unknown and used and (suite.transcriber == AUTO or not isinstance(suite.transcriber, str)):
        log.warning(
            "task %s: %d of its samples name no language, so %s transcribes its answers, as in languages that the "
            "suite's transcriber doesn't name. Name it: language = \"en\" of the task in a suite, or in the data.",
            *(task, n_unknown, " and ".join(used)),
        )


def _scores(asked: AskedTask, suite: Suite, device: str, language: str) -> tuple[ScoreSpec, ...]:
    """The scores of a task in that language, each of which can be built."""
    scores = asked.scores_in(language, suite, device)
    try:
        columns(scores)
    except UserError as error:
        raise UserError(f"task {asked.plan.name!r}: scores: {error}") from error
    return scores


def shared_language(samples: Iterable[Sample]) -> str:
    """Return the tag of all samples, or the language that their tags have in common; ``""`` if there is none."""
    tags = {sample.language for sample in samples}
    common = tags if len(tags) == 1 else {primary_language(tag) for tag in tags}
    return common.pop() if len(common) == 1 else ""


def kept_language(samples: Sequence[Sample], of_task: str) -> str:
    """Return the language of the answers to a run's samples; runs of 0.1 kept that of the task alone."""
    return shared_language(samples) if any(one.language for one in samples) else of_task


def check_metrics(tasks: Iterable[tuple[str, Sequence[Column]]]) -> None:
    """Raise ``UserError`` where one score id means two metrics; ``tasks``: names, with their scores."""
    seen: dict[str, tuple[str, MetricInfo]] = {}
    for name, own in tasks:
        for column in own:
            where, info = seen.setdefault(column.id, (name, column.scorer.info))
            if info != column.scorer.info:
                raise UserError(
                    f"score {column.id!r} is another metric in task {name!r} than in {where!r}; give one of "
                    "them another id."
                )


def listing_sha256(samples: Sequence[Sample], language: str = "") -> str:
    """Return the sha256 over a listing in order: ids, texts, references, renditions, and name, place and size of audio.

    A language counts where it isn't ``language``, the task's. No audio is read; a file that is missing counts as such,
    so that a broken sample doesn't stop a run.
    """
    digest = hashlib.sha256()
    for sample in samples:
        row = [
            sample.id,
            [
                [turn.role, turn.text, _place(turn.audio), *([turn.answer_to] if turn.answer_to else [])]
                for turn in sample.turns
            ],
            list(sample.references),
            None if sample.answer is None else [sample.answer.text, _place(sample.answer.audio)],
            *([sample.language] if sample.language not in ("", language) else []),
            *([[sample.renditions.codec, *map(list, sample.renditions.codes)]] if sample.renditions else []),
        ]
        digest.update(json.dumps(row, ensure_ascii=False).encode(errors="surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()


def _place(audio: AudioRef | None) -> list[object] | None:
    if audio is None:
        return None
    if audio.made is not None:  # its name is the hash of all that makes it
        return [audio.path.name, "", 0.0, None, 0]
    try:
        size = audio.path.stat().st_size
    except (OSError, ValueError):
        size = -1
    return [audio.path.name, audio.member, audio.start_s, audio.end_s, size]


_MOST_NAMED = 3


def _title(plan: Plan) -> str:
    """What is run, where no suite has a title for it."""
    systems = _few([system.label for system in plan.suite.systems], "systems")
    return f"{systems} on {_few([entry.task.title for entry in plan.tasks], 'tasks')}"


def _few(names: Sequence[str], noun: str) -> str:
    if len(names) > _MOST_NAMED:
        return f"{len(names)} {noun}"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def generate_item(
    task: Task, sample: Sample, label: str, run_seed: int, repeat: int = 0, kept: Mapping[int, Recording] | None = None
) -> GenerateItem:
    """Return the request for ``sample``, its audio unread.

    Args:
        task, sample: what is asked for.
        label: of the system.
        run_seed: of the run.
        repeat: from 0.
        kept: as in ``GenerateItem``.
    """
    return GenerateItem(
        AnswerKey(label, task.name, sample.id, repeat),
        sample.turns,
        task.family,
        task.instruction,
        sample.language or task.language,
        task.max_seconds,
        request_seed(run_seed, task.name, sample.id, repeat),
        kept or {},
    )


def manifest_of(plan: Plan) -> Manifest:
    """Return the manifest of a run that has not begun: no systems built, no sessions."""
    suite = plan.suite
    return Manifest(
        suite=SuiteEntry(
            suite.name,
            suite.title or _title(plan),
            suite.seed,
            suite.batch_size,
            suite.resamples,
            suite.warmup,
            suite.repeats,
            suite.oracle,
            suite.timeout_s,
            tuple(AblationEntry(one.system, one.base, one.switch) for one in suite.ablations),
            suite.verify,
        ),
        systems={
            system.label: SystemEntry(
                system.name, system.strategy, without_secrets(system.settings), plan.batch_size(system)
            )
            for system in suite.systems
        },
        tasks={
            entry.plan.name: TaskEntry(
                title=entry.task.title,
                family=entry.task.family,
                description=entry.task.description,
                instruction=entry.task.instruction,
                needs=entry.task.needs,
                language=entry.task.language,
                scores=entry.scores,
                n=len(entry.samples),
                limit=entry.plan.limit,
                data=None if entry.plan.data is None else str(Path(entry.plan.data).absolute()),
                listing_sha256=entry.listing_sha256,
                cluster=entry.task.cluster,
                max_seconds=entry.task.max_seconds,
                speech=_speech(entry.samples),
                condition=entry.task.condition,
                condition_of=entry.task.condition_of,
                missing=entry.task.missing,
            )
            for entry in plan.tasks
        },
        versions=versions(),
        machine=machine(plan.device),
    )


def _speech(samples: Sequence[Sample]) -> tuple[SpeechRecipe, ...]:
    """How the speech of the samples is made, each way once."""
    audio = (turn.audio for sample in samples for turn in sample.turns)
    return tuple(dict.fromkeys(one.made.recipe for one in audio if one is not None and one.made is not None))


def refuse_other_run(folder: Path, old: Manifest, new: Manifest) -> None:
    """Raise ``UserError`` if the run in ``folder`` is not the one that is asked for now, naming what differs.

    What can't change an answer (batch sizes, resamples, scores, titles, paths of equal data) may differ, but not what
    tells how fast the machine itself was: times of one run are on one scale. What a system is made of is compared once
    it has been built, and the samples' languages by ``refuse_other_languages``.
    """
    was, wanted = _identity(old), _identity(new)
    for key in {**was, **wanted}:
        # A run of format 2 has no hash of its listing, and no languages.
        if key.endswith((": listing_sha256", ": language")) and not was.get(key):
            continue
        if was.get(key) != wanted.get(key):
            command = shlex.join(old.sessions[0].command) if old.sessions else ""
            again = f" It was started with: {command}" if command else ""
            raise UserError(
                f"--resume {folder}: {key} differs: the run has {was.get(key, 'none')!r}, this call gives "
                f"{wanted.get(key, 'none')!r}. Give the same, or another --out.{again}"
            )


def refuse_other_languages(folder: Path, kept: Sequence[StoredSample], planned: PlannedTask) -> None:
    """Raise ``UserError`` if a sample's language, which its request names, isn't that of the run in ``folder``."""
    languages = {sample.id: sample.language for sample in planned.samples}
    for one in kept:
        was, wanted = one.sample.language, languages.get(one.sample.id, one.sample.language)
        if was != wanted:
            what = f"task {planned.plan.name}: language of sample {one.sample.id!a}"
            raise UserError(
                f"--resume {folder}: {what} differs: the run has {was or 'none'!r}, this call gives "
                f"{wanted or 'none'!r}. Give the same, or another --out."
            )


def _identity(manifest: Manifest) -> JsonObject:
    suite = manifest.suite
    found: dict[str, JsonValue] = {
        "seed": suite.seed,
        "repeats": suite.repeats,
        "systems": _joined(manifest.systems),
        "tasks": _joined(manifest.tasks),
        "calibration (torch is installed, or not)": manifest.machine.calibration,
    }
    for label, system in manifest.systems.items():
        found[f"system {label}: name"] = system.name
        found[f"system {label}: strategy"] = system.strategy
        found[f"system {label}: decode"] = dict(without_secrets(system.settings))  # runs of before kept secrets
    for name, task in manifest.tasks.items():
        found[f"task {name}: family"] = task.family
        found[f"task {name}: instruction"] = task.instruction
        found[f"task {name}: language"] = task.language
        found[f"task {name}: max_seconds"] = task.max_seconds
        found[f"task {name}: limit"] = task.limit
        found[f"task {name}: listing_sha256"] = task.listing_sha256
    return found


def _joined(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
