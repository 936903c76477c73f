"""Baseline and run timed anew, in turns: both systems in one process, the same requests, alternating order.

Whatever else the machine does meets both alike, so that a difference is the systems' own. Only systems that can be
built here again can be measured so: the weights must be those of the snapshots.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tttbench.data.task import Task
from tttbench.errors import UserError
from tttbench.execution.ask import Asking, answer_all, make_request
from tttbench.gate.from_run import COMPARED_FIGURES
from tttbench.gate.snapshot import Snapshot, SystemFacts
from tttbench.gate.speed import Rounds
from tttbench.probes.latency import Timed, figures
from tttbench.records import Request, Response
from tttbench.registry import build_system, build_task
from tttbench.systems.base import System, SystemOptions

REQUESTS = 6
"""Requests a round and task: enough that one odd answer doesn't decide."""


@dataclass(frozen=True)
class _Both:
    baseline: System
    run: System


def measure(baseline: Snapshot, run: Snapshot, n_rounds: int, device: str, tell: Callable[[str], None]) -> list[Rounds]:
    """Time every system that both snapshots have on every task that both have.

    Args:
        baseline, run: which systems, tasks and samples; ``run``'s labels are already those of the baseline.
        n_rounds: rounds of each; a round is each side once, in alternating order.
        device: where.
        tell: hears what is being measured.

    Returns:
        For each system, task and figure a value a round and side: the geometric mean over the round's requests.

    Raises:
        UserError: a system that can't be built, whose weights are others now, or that fails to answer.
    """
    found: list[Rounds] = []
    for label, facts in baseline.systems.items():
        if label not in run.systems:
            continue
        both = _Both(_built(label, facts, device, baseline), _built(label, run.systems[label], device, run))
        for name in baseline.tasks:
            if name not in run.tasks:
                continue
            task = build_task(name)
            if task.kind not in both.baseline.kinds:
                continue
            tell(f"measuring {label} on {name}, {n_rounds} rounds in turns")
            found += _rounds(label, task, both, _requests(label, task, baseline, run, device), n_rounds)
        del both
        gc.collect()
    return found


def _built(label: str, facts: SystemFacts, device: str, snapshot: Snapshot) -> System:
    options = SystemOptions(device, 1, None, facts.strategy, facts.decode)
    system = build_system(facts.name, options)
    weights = system.describe().get("weights_sha256") or ""
    if weights != facts.weights:
        raise UserError(
            f"--measure: {label} ({facts.name}) has other weights now than in {snapshot.source} "
            f"({str(weights)[:16] or 'none'}, not {facts.weights[:16] or 'none'}); restore them or go without it."
        )
    return system


def _requests(label: str, task: Task, baseline: Snapshot, run: Snapshot, device: str) -> list[Request]:
    wanted = [one for one in baseline.tasks[task.name].samples if one in run.tasks[task.name].samples][:REQUESTS]
    samples = {sample.id: sample for sample in task.samples(None)}
    missing = [one for one in wanted if one not in samples]
    if missing or not wanted:
        raise UserError(
            f"--measure: the samples of {task.name} ({', '.join(missing[:3]) or 'none'}) aren't among those that come "
            "with it, so they can't be asked again; leave --measure out."
        )
    asking = Asking(label, task, baseline.seed, 1, device)
    return [make_request(samples[one], asking) for one in wanted]


def _rounds(label: str, task: Task, both: _Both, requests: Sequence[Request], n_rounds: int) -> Iterator[Rounds]:
    values: dict[str, tuple[list[float], list[float]]] = {}
    units: dict[str, str] = {}
    for system in (both.baseline, both.run):
        _answers(label, system, requests[:1])
    for at in range(n_rounds):
        # A B, then B A, so that neither always comes second.
        for side in (0, 1) if at % 2 == 0 else (1, 0):
            answers = _answers(label, both.run if side else both.baseline, requests)
            for figure, unit, value in _means(requests, answers):
                units[figure] = unit
                values.setdefault(figure, ([], []))[side].append(value)
    for figure, (before, now) in values.items():
        if len(before) == len(now) == n_rounds:
            yield Rounds(label, task.name, figure, units[figure], before, now)


def _answers(label: str, system: System, requests: Sequence[Request]) -> list[Response]:
    found = []
    for request in requests:
        answer = answer_all(system, [request])[0]
        if isinstance(answer, Exception):
            raise UserError(f"--measure: {label} fails to answer {request.id}: {answer}")
        found.append(answer)
    return found


def _means(requests: Sequence[Request], answers: Sequence[Response]) -> Iterator[tuple[str, str, float]]:
    """Figure, unit and geometric mean over the requests that all have it."""
    speaks = any(answer.waveform is not None and len(answer.waveform) for answer in answers)
    logs: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    for request, answer in zip(requests, answers, strict=True):
        answer_s = (
            len(answer.waveform) / answer.sample_rate if answer.waveform is not None and answer.sample_rate else 0.0
        )
        input_s = len(request.audio) / request.sample_rate if request.audio is not None else 0.0
        timed = Timed(answer.trace, len(answer.audio_codes or ()), answer.sample_rate, answer_s, input_s)
        for figure in figures(timed, speaks):
            if figure.metric in COMPARED_FIGURES and figure.unit != "passes" and figure.value > 0:
                units[figure.metric] = figure.unit
                logs.setdefault(figure.metric, []).append(float(np.log(figure.value)))
    for name, found in logs.items():
        yield name, units[name], float(np.exp(np.mean(found)))
