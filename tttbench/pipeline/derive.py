"""Stage 2: whatever scorers need that costs more than a function, made once for every input and recipe, and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.blame import FIX, blamed, named
from tttbench.core.checked import checked_need
from tttbench.core.declared import recipe_of
from tttbench.core.derivation import Need
from tttbench.core.errors import InputError, StorageError, UserError
from tttbench.core.json_values import JsonObject
from tttbench.core.judging import deriver_title
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.core.secrets import without_secrets
from tttbench.core.system import SystemOptions
from tttbench.data.audio import read_audio
from tttbench.pipeline.deriving import deriver_spec
from tttbench.pipeline.executors import Executor
from tttbench.pipeline.executors.lane import HungError
from tttbench.pipeline.jobs import DerivationDone, DeriveItem, as_deriver
from tttbench.pipeline.plan import PlannedTask
from tttbench.pipeline.progress import ProgressReporter, Work
from tttbench.pipeline.scores import Column, Columns, reason_to_skip
from tttbench.pipeline.view import AnswerView, Derivations, Peers, ReferenceView, has_rounds
from tttbench.store.manifest import DeriverEntry
from tttbench.store.run_directory import RunStore

MOST_ROUNDS = 8
"""A derivation may need another one first; a scorer that never has enough is a defect of its own."""


def keep_reference_audio(tasks: Sequence[PlannedTask], store: RunStore, reporter: ProgressReporter) -> None:
    """Copy the recordings of reference answers into the run, where they aren't yet."""
    for task in tasks:
        kept = {entry.sample.id for entry in store.samples(task.plan.name) if entry.answer_audio is not None}
        for sample in task.samples:
            if sample.answer is None or sample.answer.audio is None or sample.id in kept:
                continue
            try:
                audio = read_audio(sample.answer.audio)
                store.save_reference_audio(task.plan.name, sample.id, audio.samples, audio.sample_rate)
            except InputError as error:
                reporter.note(f"{task.plan.name} {sample.id}: not in the topline: {error}")


def deriver_options(device: str, batch_size: int | None) -> SystemOptions:
    """Return how derivers are set up; without a batch size that was asked for they take their own default."""
    return SystemOptions(device) if batch_size is None else SystemOptions(device, batch_size)


def derive_all(
    columns: Columns, store: RunStore, executor: Executor, options: SystemOptions, reporter: ProgressReporter
) -> None:
    """Make all derivations that the run's scores need and that haven't been made.

    A deriver that can't be built is reported, and the scores that need it end as ``derivation_failed``.
    """
    unusable: set[str] = set()
    for _ in range(MOST_ROUNDS):
        missing = _missing(columns, store, unusable)
        if not missing:
            return
        for deriver, items in missing.items():
            if not _derive(deriver, items, store, executor, options, reporter):
                unusable.add(deriver)


def _derive(
    name: str,
    items: Sequence[DeriveItem],
    store: RunStore,
    executor: Executor,
    options: SystemOptions,
    reporter: ProgressReporter,
) -> bool:
    work = Work(deriver_title(name), len(items))
    reporter.planned([work])
    reporter.started(work)
    try:
        with executor.open(deriver_spec(name, options, store.manifest.suite.timeout_s)) as opened:
            deriver = as_deriver(opened.worker)
            recipe = deriver.recipe
            _note_recipe(store, name, recipe, getattr(deriver, "details", {}))
            # What another score, or an earlier run of this recipe, already paid for.
            known = store.derived_all(recipe)
            items = [item for item in items if item.need.input_sha256 not in known]
            reporter.advanced(work.total - len(items), 0)
            try:
                for done in opened.derive(items):
                    _write(done, recipe, store, reporter)
            except HungError as hung:
                _write(hung.done, recipe, store, reporter)
                raise
    except (StorageError, HungError):
        raise
    except UserError as error:
        reporter.failed(deriver_title(name), str(error))
        reporter.note("Scores that need it have no value; fix that and continue with --resume.")
        reporter.finished()
        return False
    reporter.finished()
    return True


def _write(done: Sequence[DerivationDone], recipe: str, store: RunStore, reporter: ProgressReporter) -> None:
    store.save_derived(recipe, {one.need.input_sha256: one.derived for one in done})
    failed = [one for one in done if one.derived.status == "failed"]
    for one in failed:
        reporter.failed(deriver_title(one.need.deriver), one.derived.error)
    reporter.advanced(len(done), len(failed))


def _note_recipe(store: RunStore, name: str, recipe: str, details: JsonObject) -> None:
    manifest, entry = store.manifest, DeriverEntry(recipe, dict(without_secrets(details)))
    store.write_manifest(replace(manifest, derivers={**manifest.derivers, name: entry}))


def _missing(columns: Columns, store: RunStore, unusable: set[str]) -> dict[str, list[DeriveItem]]:
    """What is needed and not there, by deriver, each input once."""
    derivations = Derivations(store)
    found: dict[str, dict[str, DeriveItem]] = {}
    kept: set[str] = set()
    for need, recording in _needs(columns, store, derivations):
        if derivations.get(need) is not None:
            kept.add(need.deriver)
        elif need.deriver not in unusable:
            found.setdefault(need.deriver, {}).setdefault(need.input_sha256, DeriveItem(need, recording))
    for name in sorted(kept - store.manifest.derivers.keys()):  # made under another name, and not built for this one
        _note_recipe(store, name, recipe_of(name, {}), {})
    return {deriver: list(items.values()) for deriver, items in found.items()}


def _needs(columns: Columns, store: RunStore, derivations: Derivations) -> Iterator[tuple[Need, Path | None]]:
    manifest = store.manifest
    for name in manifest.tasks:
        recordings: dict[str, Path] = {}
        kept = store.samples(name) if store.was_generated(name) else []
        for entry in kept:
            for recording in (entry.input_audio, entry.answer_audio):
                if recording is not None:
                    recordings[recording.sha256] = store.folder / recording.file
            if entry.answer_audio is None:
                continue
            view = ReferenceView(entry, store, derivations)
            for column in columns.of_reference(name):
                for need in _needs_of(column, entry.sample, view):
                    yield need, recordings.get(need.audio_sha256)
        for label, system in manifest.systems.items():
            if reason_to_skip(system, manifest.tasks[name]):
                continue
            beside = Peers().with_answers(store.answers(label, name)) if has_rounds(kept) else Peers()
            for answer in store.answers(label, name):
                if answer.audio is not None:
                    recordings[answer.audio.sha256] = store.folder / answer.audio.file
                seen = AnswerView(answer, store, derivations, beside)
                for column in columns.of_system(label, system, name):
                    for need in _needs_of(column, answer.sample.sample, seen):
                        yield need, recordings.get(need.audio_sha256)


def _needs_of(column: Column, sample: Sample, view: View) -> list[Need]:
    where = f"score {column.id!r} of sample {sample.id!r}: what its scorer needs"
    with blamed(where):
        needs = list(column.scorer.needs(sample, view))
    with named(where, FIX):
        return [checked_need(need) for need in needs]
