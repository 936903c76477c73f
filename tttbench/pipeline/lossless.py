"""Whether ways of decoding that are declared lossless are: the first answers of each task again, by the oracle.

An answer that differs makes the run fail, unless it is only rounding that decided: then both ways agree where they are
computed more exactly. Knows systems by their contract; no strategy and no cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest

from tttbench.config.suite import SystemPlan
from tttbench.core.errors import UserError
from tttbench.core.exchange import Response
from tttbench.core.system import Lossless, System
from tttbench.pipeline.jobs import OpenWorker, as_system
from tttbench.pipeline.plan import Plan, PlannedTask, generate_item
from tttbench.pipeline.progress import ProgressReporter
from tttbench.pipeline.rounds import answered, filled
from tttbench.pipeline.scores import reason_to_skip
from tttbench.store.manifest import LosslessCheck
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore


class NotLosslessError(UserError):
    """A way of decoding that is declared lossless isn't: the run fails."""

    exit_status = 1


def unchecked(system: SystemPlan, plan: Plan, store: RunStore) -> list[PlannedTask]:
    """The tasks on which a system that is declared lossless has answers that are yet to be compared with its oracle."""
    entry = store.manifest.systems[system.label]
    if not plan.suite.verify or entry.card is None or not entry.card.details.get("lossless"):
        return []
    done = {one.task for one in entry.lossless if not one.difference and one.asked >= plan.suite.verify}
    return [
        task
        for task in plan.tasks
        if task.plan.name not in done
        and not reason_to_skip(entry, store.manifest.tasks[task.plan.name])
        and _first(store.answers(system.label, task.plan.name), 1)
    ]


def check_lossless(
    opened: OpenWorker, tasks: Sequence[PlannedTask], system: SystemPlan, plan: Plan, reporter: ProgressReporter,
    store: RunStore,
) -> None:  # fmt: skip
    """Compare the first ``suite.verify`` answers of each of ``tasks`` with those of the system's oracle.

    What was compared is noted in the manifest, also where it differs.

    Raises:
        NotLosslessError: an answer differs, or the oracle gave none; names system, task, sample and place.
        HungError: the oracle hangs.
    """
    if not tasks:
        return
    fast = as_system(opened.worker)
    if not isinstance(fast, Lossless):
        return
    oracle = fast.oracle()
    if oracle is None:
        return
    for task in tasks:
        kept = _first(store.answers(system.label, task.plan.name), plan.suite.verify)
        if not kept:
            continue
        again = _answers(opened, oracle, task, system.label, plan, store, kept)
        check = LosslessCheck(task.plan.name, fast.lossless, plan.suite.verify, len(kept))
        for one in kept:
            sample, response = one.key.sample, one.response
            found = again[sample]
            where = f"system {system.label}, task {task.plan.name}, sample {sample!a}"
            if isinstance(found, str):
                _note(store, system.label, replace(check, difference=f"{where}: the oracle failed: {found}"))
                raise NotLosslessError(
                    f"{where}: {fast.lossless} can't be compared with its oracle, which failed: {found}"
                )
            difference = first_difference(response, found) if response is not None else ""
            if not difference:
                continue
            if _is_rounding(opened, fast, task, system.label, plan, store, one):
                check = replace(check, rounding=check.rounding + 1)
                reporter.note(f"{where}: {difference}; rounding decided, in float64 both are equal.")
                continue
            _note(store, system.label, replace(check, difference=f"{where}: {difference}"))
            raise NotLosslessError(
                f"{where}: {difference}. {fast.lossless} is declared lossless and isn't; fix it, or take the "
                "declaration back."
            )
        _note(store, system.label, check)


def _first(answers: Iterator[StoredAnswer], n: int) -> list[StoredAnswer]:
    """The first ``n`` samples that were answered, each in its first repeat."""
    found = (one for one in answers if one.key.repeat == 0 and one.response is not None)
    return list(islice(found, n))


def _answers(
    opened: OpenWorker, system: System, task: PlannedTask, label: str, plan: Plan, store: RunStore,
    kept: Sequence[StoredAnswer],
) -> dict[str, Response | str]:  # fmt: skip
    """What a system makes of the requests of kept answers, by sample; an error where there is no answer."""
    wanted = {one.key.sample for one in kept}
    inputs = {one.sample.id: one.inputs for one in store.samples(task.plan.name)}
    items = [
        generate_item(task.task, sample, label, plan.suite.seed, 0, inputs.get(sample.id))
        for sample in task.samples
        if sample.id in wanted
    ]
    ready = filled(items, answered(store.answers(label, task.plan.name)), store.folder)
    found: dict[str, Response | str] = {item.key.sample: why for item, why in ready.impossible}
    for batch in opened.beside(system).generate(ready.items, 1):
        for one in batch:
            found[one.key.sample] = one.error if one.response is None else one.response
    return found


def _is_rounding(
    opened: OpenWorker, fast: Lossless, task: PlannedTask, label: str, plan: Plan, store: RunStore, one: StoredAnswer
) -> bool:
    """Whether both ways agree on a request where they are computed more exactly."""
    exact = fast.more_exact()
    oracle = None if exact is None else exact.oracle()
    if exact is None or oracle is None:
        return False
    mine, other = (_answers(opened, way, task, label, plan, store, [one])[one.key.sample] for way in (exact, oracle))
    return isinstance(mine, Response) and isinstance(other, Response) and not first_difference(mine, other)


def first_difference(answer: Response, oracle: Response) -> str:
    """Where an answer first differs from the oracle's, in words; ``""`` if both have the same tokens."""
    texts = [() if one.trace is None else one.trace.text_tokens for one in (answer, oracle)]
    for noun, mine, other in (
        ("text token", *texts),
        ("audio token", answer.audio_codes or (), oracle.audio_codes or ()),
    ):
        for at, (one, expected) in enumerate(zip_longest(mine, other)):
            if one != expected:
                shown = ["none" if token is None else repr(token) for token in (one, expected)]
                return f"{noun} {at} is {shown[0]}, the oracle's {shown[1]}"
    if answer.text != oracle.text:
        return f"the text is {answer.text!r:.80}, the oracle's {oracle.text!r:.80}"
    spans = [() if one.trace is None else one.trace.spans for one in (answer, oracle)]
    if spans[0] != spans[1]:
        return f"the spans of audio are {spans[0]}, the oracle's {spans[1]}"
    return ""


def _note(store: RunStore, label: str, check: LosslessCheck) -> None:
    manifest = store.manifest
    entry = manifest.systems[label]
    others = tuple(one for one in entry.lossless if one.task != check.task)
    store.write_manifest(
        replace(manifest, systems={**manifest.systems, label: replace(entry, lossless=(*others, check))})
    )
