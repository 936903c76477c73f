"""A suite as the command line changes it: other systems and tasks, data, limits, transcribers."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.config.suite import Suite, TaskPlan, refuse_twice, system_plan
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.scorer import ScoreSpec

CUSTOM = "custom"
"""The name of a suite that holds tasks which no suite has been asked for."""


def choose(
    suite: Suite,
    *,
    systems: Sequence[str] = (),
    tasks: Sequence[str] = (),
    data: Mapping[str, Path] | None = None,
    limit: int | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
    transcriber: str | None = None,
    judge: str | None = None,
    repeats: int | None = None,
    add: Sequence[ScoreSpec] = (),
    timeout_s: float | None = None,
    verify: int | None = None,
) -> Suite:
    """Return the suite as the command line changes it.

    Systems and tasks that the suite has keep its settings; others get the defaults and no limit of the suite.

    Args:
        suite: what to start from.
        systems: labels (``name`` or ``name@strategy``) that replace the suite's; empty keeps those.
        tasks: names that replace the suite's; empty keeps those.
        data: folders by task name, or by a pattern of names such as ``uro_*``; of several that fit the last counts.
        limit: samples a task, instead of every limit of the suite.
        seed: instead of the suite's.
        batch_size: instead of every batch size of the suite.
        transcriber, judge: instead of the suite's; ``""`` for none.
        repeats: instead of the suite's.
        add: scores beside the suite's.
        timeout_s, verify: instead of the suite's.

    Raises:
        UserError: something given twice, or data for a task that isn't run.
    """
    refuse_twice(systems, "--systems")
    refuse_twice(tasks, "--tasks")
    own_systems = {plan.label: plan for plan in suite.systems}
    own_tasks = {plan.name: plan for plan in suite.tasks}
    chosen_systems = tuple(own_systems.get(label) or system_plan(label) for label in systems) or suite.systems
    chosen_tasks = tuple(own_tasks.get(name) or TaskPlan(name) for name in tasks) or suite.tasks
    folders = _by_task(data or {}, [plan.name for plan in chosen_tasks])
    if limit is not None:
        chosen_tasks = tuple(replace(plan, limit=limit) for plan in chosen_tasks)
    if batch_size is not None:
        chosen_systems = tuple(replace(plan, batch_size=None) for plan in chosen_systems)
    chosen_labels = {plan.label for plan in chosen_systems}
    its_systems = chosen_labels == {*own_systems}
    its_tasks = {plan.name for plan in chosen_tasks} == {*own_tasks}
    is_suite = its_systems and its_tasks and not folders
    return replace(
        suite,
        name=suite.name if {plan.name for plan in chosen_tasks} <= {*own_tasks} else CUSTOM,
        title=suite.title if is_suite else "",
        oracle=suite.oracle if suite.oracle in chosen_labels else "",
        ablations=tuple(one for one in suite.ablations if {one.system, one.base} <= chosen_labels),
        systems=chosen_systems,
        tasks=tuple(replace(plan, data=folders.get(plan.name, plan.data)) for plan in chosen_tasks),
        seed=suite.seed if seed is None else seed,
        batch_size=suite.batch_size if batch_size is None else batch_size,
        transcriber=suite.transcriber if transcriber is None else transcriber,
        judge=suite.judge if judge is None else judge,
        protocol=tuple(note for note in suite.protocol if its_tasks or note.tasks or not note.missing),
        repeats=suite.repeats if repeats is None else repeats,
        add=(*suite.add, *add),
        timeout_s=suite.timeout_s if timeout_s is None else timeout_s,
        verify=suite.verify if verify is None else verify,
    )


def _by_task(data: Mapping[str, Path], names: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for given, folder in data.items():
        fitting = [given] if given in names else fnmatch.filter(names, given) if "*" in given else []
        if not fitting:
            what = f"no task of this run is called {given!r}" if "*" in given else f"task {given!r} is not in this run"
            raise UserError(f"--data {given}=…: {what}. {did_you_mean(given, names)}")
        found |= dict.fromkeys(fitting, folder)
    return found
