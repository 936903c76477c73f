"""From a suite to what has to be done: tasks looked up, samples listed, and the manifest that says so.

Everything that the caller got wrong is found here, before any system is built.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tttbench.config.suite import Suite, SystemPlan, TaskPlan
from tttbench.core.errors import UserError
from tttbench.core.records import Sample
from tttbench.core.registry import build_task, check_system, scorers
from tttbench.core.system import SystemOptions
from tttbench.core.task import Task, fingerprint_samples
from tttbench.pipeline.environment import machine, versions


@dataclass(frozen=True)
class PlannedTask:
    """A task of the run: the samples that will be asked, and the hash of the data."""

    plan: TaskPlan
    task: Task
    samples: tuple[Sample, ...]
    fingerprint: str


@dataclass(frozen=True)
class Plan:
    """A suite whose names exist and whose samples are listed. ``device``: ``"cpu"``, ``"cuda"`` …"""

    suite: Suite
    tasks: tuple[PlannedTask, ...]
    device: str

    def batch_size(self, system: SystemPlan) -> int:
        """Return the most requests that a call of ``system`` may carry."""
        return system.batch_size or self.suite.batch_size


def make_plan(suite: Suite, device: str) -> Plan:
    """Look up all names of ``suite`` and list its samples.

    Raises:
        UserError: an unknown system, task or scorer, data that aren't there, two samples with one id, no samples.
    """
    for system in suite.systems:
        check_system(system.name, SystemOptions(device, strategy=system.strategy, decode=system.decode))
    if suite.judge:
        check_system(suite.judge, SystemOptions(device))
    tasks = {plan.name: build_task(plan.name) for plan in suite.tasks}
    plans = {plan.name: plan for plan in suite.tasks}
    for plan in suite.tasks:
        for name in tasks[plan.name].doubles_as:
            if name not in plans:
                plans[name], tasks[name] = replace(plan, name=name), build_task(name)
    return Plan(suite, tuple(_plan_task(plan, tasks[name]) for name, plan in plans.items()), device)


def _plan_task(plan: TaskPlan, task: Task) -> PlannedTask:
    task = replace(task, metrics=plan.metrics or task.metrics)
    for metric in task.metrics:
        scorers.get(metric)
    samples = task.samples(plan.data)
    where = f"task {plan.name!r}" + (f" ({plan.data})" if plan.data else "")
    if not samples:
        raise UserError(f"{where}: has no samples; give a folder that holds some with --data {plan.name}=DIR.")
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise UserError(f"{where}: the id {sample.id!r} stands there twice; give every sample its own.")
        seen.add(sample.id)
    chosen = tuple(samples if plan.limit is None else samples[: plan.limit])
    own = task.data_fingerprint
    return PlannedTask(plan, task, chosen, fingerprint_samples(chosen) if own is None else own(plan.data))


def manifest_of(plan: Plan) -> dict[str, Any]:
    """Return the manifest of a run that has not begun: no systems built, no sessions."""
    suite = plan.suite
    return {
        "status": "running",
        "suite": {
            "name": suite.name,
            "title": suite.title,
            "seed": suite.seed,
            "judge": suite.judge,
            "batch_size": suite.batch_size,
            "resamples": suite.resamples,
            "warmup": suite.warmup,
            "oracle": suite.oracle,
        },
        "systems": {
            system.label: {
                "name": system.name,
                "strategy": system.strategy,
                "batch_size": plan.batch_size(system),
                "decode": system.decode,
                "card": {},
            }
            for system in suite.systems
        },
        "tasks": {
            entry.plan.name: {
                "title": entry.task.title,
                "kind": entry.task.kind,
                "description": entry.task.description,
                "metrics": entry.task.metrics,
                "instruction": entry.task.instruction,
                "n": len(entry.samples),
                "limit": entry.plan.limit,
                "data": None if entry.plan.data is None else str(Path(entry.plan.data).absolute()),
                "data_sha256": entry.fingerprint,
            }
            for entry in plan.tasks
        },
        "judge": {"system": suite.judge, "recipe": "", "card": {}},
        "versions": versions(),
        "machine": machine(plan.device),
        "sessions": [],
    }


def refuse_other_run(folder: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise ``UserError`` if the run in ``folder`` is not the one that is asked for now, naming what differs.

    What can't change an answer (batch sizes, resamples, paths of equal data) may differ.
    """
    was, asked = _identity(old), _identity(new)
    for key in {**was, **asked}:
        if was.get(key) != asked.get(key):
            command = shlex.join(old["sessions"][0]["command"]) if old.get("sessions") else ""
            again = f" It was started with: {command}" if command else ""
            raise UserError(
                f"--resume {folder}: {key} differs: the run has {was.get(key, 'none')!r}, this call gives "
                f"{asked.get(key, 'none')!r}. Give the same, or another --out.{again}"
            )


def _identity(manifest: Mapping[str, Any]) -> dict[str, object]:
    suite = manifest["suite"]
    found: dict[str, object] = {
        "suite": suite["name"],
        "seed": suite["seed"],
        "judge": suite["judge"],
        "systems": _joined(manifest["systems"]),
        "tasks": _joined(manifest["tasks"]),
    }
    for label, system in manifest["systems"].items():
        found[f"system {label}: decode"] = dict(system["decode"])
    for name, task in manifest["tasks"].items():
        found[f"task {name}: limit"] = task["limit"]
        found[f"task {name}: data_sha256"] = task["data_sha256"]
    return found


def _joined(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(sorted(names))
