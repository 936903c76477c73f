"""Baseline and run timed anew, interleaved: both systems in one process, the same requests, alternating order.

Whatever else the machine does meets both alike, so that a difference is the systems' own. Only systems that can be
built here again can be measured so: the weights must be those of the snapshots.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.plugins import build_system, build_task
from tttbench.core.system import System, SystemOptions
from tttbench.core.task import Task, why_not
from tttbench.data.samples import list_samples
from tttbench.gate.from_run import COMPARED_METRICS
from tttbench.gate.snapshot import Snapshot, SystemFacts
from tttbench.gate.speed import Rounds
from tttbench.pipeline.jobs import read_request, respond_all
from tttbench.pipeline.plan import generate_item
from tttbench.probes.latency import Figure, figures, timed

REQUESTS = 6
"""Requests a round and task: enough that one odd answer doesn't decide."""


@dataclass(frozen=True)
class Measured:
    """What was timed, and what couldn't be: a sentence each, with the reason."""

    rounds: tuple[Rounds, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Both:
    baseline: System
    run: System

    def take(self, task: Task) -> bool:
        """Whether both can be given the task."""
        capabilities = (self.baseline.card.capability, self.run.card.capability)
        return not any(why_not(one, task.needs, task.family, task.language) for one in capabilities)


def measure(baseline: Snapshot, run: Snapshot, n_rounds: int, device: str, report: Callable[[str], None]) -> Measured:
    """Time every system that both snapshots have on every task that both have.

    Args:
        baseline, run: which systems, tasks and samples; ``run``'s labels are already those of the baseline.
        n_rounds: rounds of each; a round is each side once, in alternating order.
        device: where.
        report: is told what is being measured.

    Returns:
        For each system, task and metric a value a round and side: the geometric mean over the requests that have the
        metric in every round on both sides. Left out is a system that can't be built, whose weights are others now, or
        that fails to respond, and a task whose samples aren't there any more.
    """
    found: list[Rounds] = []
    left_out: list[str] = []
    for label, facts in baseline.systems.items():
        if label not in run.systems:
            continue
        try:
            both = _Both(_built(facts, device, baseline), _built(run.systems[label], device, run))
        except UserError as error:
            left_out.append(f"{label} wasn't measured anew: {error}")
            continue
        for name in baseline.tasks:
            if name not in run.tasks or not both.take(build_task(name)):
                continue
            report(f"measuring {label} on {name}, {n_rounds} rounds interleaved")
            try:
                task = build_task(name)
                found += _rounds(label, task, both, _requests(label, task, baseline, run, device), n_rounds)
            except UserError as error:
                left_out.append(f"{label} on {name} wasn't measured anew: {error}")
        del both
        gc.collect()
    return Measured(tuple(found), tuple(left_out))


def _built(facts: SystemFacts, device: str, snapshot: Snapshot) -> System:
    system = build_system(facts.name, SystemOptions(device, 1, facts.strategy, facts.decode))
    card = system.card
    for what, now, then in (("weights", card.weights_sha256, facts.weights), ("codec", card.codec, facts.codec)):
        if now != then:
            raise UserError(
                f"{facts.name} has other {what} now than in {snapshot.source} "
                f"({now[:16] or 'none'}, not {then[:16] or 'none'}); restore them."
            )
    return system


def _requests(label: str, task: Task, baseline: Snapshot, run: Snapshot, device: str) -> list[Request]:
    wanted = [one for one in baseline.tasks[task.name].samples if one in run.tasks[task.name].samples][:REQUESTS]
    samples = {sample.id: sample for sample in list_samples(task)}
    missing = [one for one in wanted if one not in samples]
    if missing or not wanted:
        raise UserError(
            f"its samples ({', '.join(missing[:3]) or 'none'}) aren't among those that come with the task, so they "
            "can't be given again."
        )
    return [read_request(generate_item(task, samples[one], label, baseline.seed))[0] for one in wanted]


def _rounds(label: str, task: Task, both: _Both, requests: Sequence[Request], n_rounds: int) -> Iterator[Rounds]:
    for system in (both.baseline, both.run):
        _answers(system, requests[:1])
    units: dict[str, str] = {}
    # Logarithms by metric, request, side and round.
    logs: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    for at in range(n_rounds):
        # A B, then B A, so that neither always comes second.
        for side in (0, 1) if at % 2 == 0 else (1, 0):
            answers = _answers(both.run if side else both.baseline, requests)
            for request, figure in _figures(requests, answers):
                units[figure.metric] = figure.unit
                sides = logs.setdefault(figure.metric, {}).setdefault(request, ([], []))
                sides[side].append(math.log(figure.value))
    for name, by_request in logs.items():
        whole = [sides for sides in by_request.values() if len(sides[0]) == len(sides[1]) == n_rounds]
        if whole:
            means = np.exp(np.array(whole).mean(axis=0))
            yield Rounds(label, task.name, name, units[name], means[0].tolist(), means[1].tolist())


def _answers(system: System, requests: Sequence[Request]) -> list[Response]:
    found = []
    for request in requests:
        answer = respond_all(system, [request])[0]
        if isinstance(answer, Exception):
            raise UserError(f"it fails to respond to {request.id}: {answer}")
        found.append(answer)
    return found


def _figures(requests: Sequence[Request], answers: Sequence[Response]) -> Iterator[tuple[str, Figure]]:
    """The id of each completely answered request with each of its latency metrics that are compared and take time."""
    for request, answer in zip(requests, answers, strict=True):
        spoken, rate = answer.waveform, answer.sample_rate
        answer_s = len(spoken) / rate if spoken is not None and rate else 0.0
        if answer.is_cut or not (answer_s > 0 or answer.text.strip()):
            continue
        input_s = len(request.audio) / request.sample_rate if request.audio is not None else 0.0
        for figure in figures(timed(answer, answer_s, input_s)):
            if figure.metric in COMPARED_METRICS and figure.unit != "passes" and figure.value > 0:
                yield request.id, figure
