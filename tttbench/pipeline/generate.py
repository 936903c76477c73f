"""Stage 1: every system responds to every task that it can take; what has been done before is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from tttbench.config.suite import SystemPlan
from tttbench.core.checked import PLUGIN, card_of
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Status
from tttbench.core.plugins import check_deriver
from tttbench.core.secrets import without_secrets
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.data.audio import read_audio
from tttbench.data.voices.made import is_kept
from tttbench.pipeline.executors import Executor
from tttbench.pipeline.executors.lane import HungError
from tttbench.pipeline.jobs import Generated, GenerateItem, OpenWorker, WorkerSpec, as_system, now
from tttbench.pipeline.lossless import NotLosslessError, check_lossless, unchecked
from tttbench.pipeline.plan import Plan, PlannedTask, generate_item
from tttbench.pipeline.progress import ProgressReporter, Work
from tttbench.pipeline.rounds import answered, filled, in_rounds, needs_own_answers
from tttbench.pipeline.scores import applies, columns, reason_to_skip
from tttbench.probes.memory import peak_bytes, reset_peak
from tttbench.store.rows import NewAnswer
from tttbench.store.run_directory import RunStore


def generate_all(plan: Plan, store: RunStore, executor: Executor, reporter: ProgressReporter) -> None:
    """Let every system of ``plan`` respond to what it hasn't responded to yet."""
    for system in plan.suite.systems:
        reporter.planned(_works(plan, store))
        _generate(system, plan, store, executor, reporter)


def _generate(
    system_plan: SystemPlan, plan: Plan, store: RunStore, executor: Executor, reporter: ProgressReporter
) -> None:
    label, manifest = system_plan.label, store.manifest
    pending = {task.plan.name: _pending(label, task, plan, store) for task in plan.tasks}
    tasks = [
        task
        for task in plan.tasks
        if pending[task.plan.name] and not reason_to_skip(manifest.systems[label], manifest.tasks[task.plan.name])
    ]
    if not tasks and not unchecked(system_plan, plan, store):
        return
    batch_size = plan.batch_size(system_plan)
    options = plan.options(system_plan)
    reset_peak()
    try:
        spec = WorkerSpec("system", system_plan.name, options, plan.suite.timeout_s)
        with executor.open(spec) as opened:
            card = card_of(as_system(opened.worker), label)
            _note_card(store, label, card)
            entry = store.manifest.systems[label]
            tasks = [task for task in tasks if not reason_to_skip(entry, manifest.tasks[task.plan.name])]
            _check_transcribers(tasks, card.capability, plan.device)
            reporter.planned(_works(plan, store))
            for task in tasks:
                _make_speech(task.plan.name, pending[task.plan.name], _works(plan, store), reporter)
            try:
                _warm_up(opened, tasks, pending, plan)
                for task in tasks:
                    items = pending[task.plan.name]
                    reporter.started(_work(label, task, len(items)))
                    for one_round in in_rounds(items):
                        for done in opened.generate(_ready(one_round, store, reporter), batch_size):
                            _write(done, store, reporter)
                    reporter.finished()
            except HungError as hung:
                _write(hung.done, store, reporter)
                raise
            _note_peak(store, label)
            check_lossless(opened, unchecked(system_plan, plan, store), system_plan, plan, reporter, store)
    except _OtherSystemError as error:
        raise UserError(str(error)) from error
    except HungError as hung:
        if not hung.done:  # building it hangs: a resumed run goes on without it
            for task in tasks:
                _fail(str(hung), pending[task.plan.name], store, reporter)
        raise
    except NotLosslessError:
        raise
    except UserError as error:
        if type(error) is not UserError or store.manifest.systems[label].card is not None:
            raise
        reporter.failed(label, str(error))
        reporter.note(
            f"{label}: all its requests count as errors; fix that, then --resume --retry-errors repeats them."
        )
        for task in tasks:
            items = pending[task.plan.name]
            reporter.started(_work(label, task, len(items)))
            _fail(str(error), items, store, reporter)
            reporter.finished()


def _check_transcribers(tasks: Sequence[PlannedTask], capability: Capability, device: str) -> None:
    """Raise ``UserError`` where what will transcribe the spoken answers can't take their language."""
    for task in tasks:
        languages = frozenset(sample.language for sample in task.samples)
        for column, spec in zip(columns(task.scores), task.scores, strict=True):
            transcriber = spec.options.get("transcriber")
            if transcriber and applies(column.scorer, capability.produces):
                check_deriver(f"transcriber:{transcriber}", SystemOptions(device, languages=languages))


def _make_speech(task: str, items: Sequence[GenerateItem], ahead: Sequence[Work], reporter: ProgressReporter) -> None:
    """Make the speech of requests that the cache doesn't hold, before anything is timed."""
    audio = {str(one.path): one for item in items for turn in item.turns if (one := turn.audio) is not None}
    missing = [one for one in audio.values() if not is_kept(one)]
    if not missing:
        return
    work = Work(f"speech · {task}", len(missing))
    reporter.planned([work, *ahead])
    reporter.started(work)
    for one in missing:
        with suppress(InputError):  # it will be the error of its request
            read_audio(one)
        reporter.advanced(1, 0)
    reporter.finished()


class _OtherSystemError(Exception):
    """A resumed run's system isn't the one that it was started with."""


def _pending(label: str, task: PlannedTask, plan: Plan, store: RunStore) -> list[GenerateItem]:
    done = store.done(label, task.plan.name)
    kept = {one.sample.id: one.inputs for one in store.samples(task.plan.name)}
    return [
        generate_item(task.task, sample, label, plan.suite.seed, repeat, kept.get(sample.id))
        for repeat in range(plan.suite.repeats)
        for sample in task.samples
        if (sample.id, repeat) not in done
    ]


def _write(done: Sequence[Generated], store: RunStore, reporter: ProgressReporter) -> None:
    """Keep what came back: recordings of inputs first, then the answers."""
    rows = []
    for one in done:
        key, error, response = one.key, one.error, one.response
        try:
            for turn, clip in one.clips.items():
                store.save_input(key.task, key.sample, turn, clip.samples, clip.sample_rate)
        except InputError as refused:
            error, response = str(refused), None
        if error:
            reporter.failed(f"{key.system} · {key.task} · {key.sample}", error)
        status: Status = "error"
        if response is not None:
            spoken = response.waveform is not None and len(response.waveform) > 0
            status = "ok" if spoken or response.text.strip() else "empty"
        rows.append(NewAnswer(key, status, response, error, one.batch_size, one.finished_at, one.conditions))
    store.save_answers(rows)
    reporter.advanced(len(rows), sum(row.status == "error" for row in rows))


def _ready(items: Sequence[GenerateItem], store: RunStore, reporter: ProgressReporter) -> Sequence[GenerateItem]:
    """Requests with the system's own answers to earlier rounds in them; those that can't be asked end as errors."""
    if not any(map(needs_own_answers, items)):
        return items
    key = items[0].key
    found = filled(items, answered(store.answers(key.system, key.task)), store.folder)
    for item, why in found.impossible:
        reporter.failed(f"{item.key.system} · {item.key.task} · {item.key.sample}", why)
        _fail(why, [item], store, reporter)
    return found.items


def _fail(message: str, items: Sequence[GenerateItem], store: RunStore, reporter: ProgressReporter) -> None:
    """Note that none of ``items`` could be responded to, because the system can't be built."""
    store.save_answers([NewAnswer(item.key, "error", None, message, 0, now()) for item in items])
    reporter.advanced(len(items), len(items))


def _note_card(store: RunStore, label: str, card: SystemCard) -> None:
    """Keep what the system is; refuse one that isn't what the run was started with."""
    manifest = store.manifest
    before = manifest.systems[label].card
    if before is not None:
        # Of what the version that began the run didn't know nothing can be said.
        is_of_0_1 = manifest.versions.get("tttbench", "").startswith("0.1.")
        unknown = {name: value for name, value in card.identity.items() if is_of_0_1 or name == PLUGIN}
        before = replace(
            before,
            settings=without_secrets(before.settings),  # runs of before kept secrets
            identity={**unknown, **{name: str(value) for name, value in without_secrets(before.identity).items()}},
        )
    if before is not None and before.digest != card.digest:
        for name in ("name", "strategy", "weights_sha256", "codec", "prompts", "settings", "identity"):
            was, is_now = getattr(before, name), getattr(card, name)
            if was != is_now:
                raise _OtherSystemError(
                    f"--resume {store.folder}: {name} of system {label} differs: the run has {was!r}, now it is "
                    f"{is_now!r}. Restore it, or give another --out."
                )
    entry = replace(manifest.systems[label], card=card)
    store.write_manifest(replace(manifest, systems={**manifest.systems, label: entry}))


def _note_peak(store: RunStore, label: str) -> None:
    manifest = store.manifest
    before = manifest.systems[label]
    entry = replace(before, peak_rss_bytes=max(peak_bytes(), before.peak_rss_bytes))
    store.write_manifest(replace(manifest, systems={**manifest.systems, label: entry}))


def _warm_up(
    opened: OpenWorker, tasks: Sequence[PlannedTask], pending: dict[str, list[GenerateItem]], plan: Plan
) -> None:
    """Respond to a few requests whose answers are thrown away; errors show when they are measured."""
    for task in tasks[:1]:
        for sample in task.samples[: plan.suite.warmup]:
            item = next((one for one in pending[task.plan.name] if one.key.sample == sample.id), None)
            if item is not None and not needs_own_answers(item):
                for _ in opened.generate([item], 1):
                    pass


def _works(plan: Plan, store: RunStore) -> list[Work]:
    """What is left to generate; which tasks a system is given is known once it has been built."""
    manifest = store.manifest
    works = [
        _work(
            system.label, task, len(task.samples) * plan.suite.repeats - len(store.done(system.label, task.plan.name))
        )
        for system in plan.suite.systems
        for task in plan.tasks
        if not reason_to_skip(manifest.systems[system.label], manifest.tasks[task.plan.name])
    ]
    return [work for work in works if work.total]


def _work(label: str, task: PlannedTask, total: int) -> Work:
    return Work(f"{label} · {task.plan.name}", total)
