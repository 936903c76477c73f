"""One system measured: requests repeated after a warm-up, figures with percentiles. Knows no task and no disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tttbench.probes.latency import Timed, latency_probes
from tttbench.probes.memory import peak_bytes, reset_peak
from tttbench.records import ProbeResult, Request, RequestKind, Response
from tttbench.stats.percentiles import percentiles
from tttbench.systems.base import System

NOISE_HZ = 16_000


@dataclass(frozen=True)
class Measured:
    """The figures, and the messages of requests that failed."""

    probes: tuple[ProbeResult, ...]
    errors: tuple[str, ...]


def measure(
    system: System,
    label: str,
    task: str,
    requests: Sequence[Request],
    repeats: int,
    warmup: int,
    batch_size: int,
) -> Measured:
    """Ask every request ``repeats`` times, in calls of ``batch_size``, after ``warmup`` calls that don't count.

    Args:
        system: what is measured.
        label, task: names for the results.
        requests: what is asked; at least one.
        repeats, warmup, batch_size: how often, and how many at once.
    """
    reset_peak()
    batches = [requests[at : at + batch_size] for at in range(0, len(requests), batch_size)]
    for turn in range(warmup):
        system.answer(batches[turn % len(batches)])
    timed: list[Timed] = []
    errors: list[str] = []
    per_s: list[float] = []
    for _ in range(repeats):
        for batch in batches:
            before_s = time.perf_counter()
            answers = system.answer(batch)
            per_s.append(len(batch) / (time.perf_counter() - before_s))
            for request, answer in zip(batch, answers, strict=True):
                if isinstance(answer, Response):
                    timed.append(_timed(request, answer))
                else:
                    errors.append(f"{request.id}: {answer}")
    probes = latency_probes(label, system.strategy, task, timed)
    probes.append(_probe(system, label, task, "requests_per_s", "1/s", per_s))
    probes.append(_probe(system, label, task, "peak_memory", "MB", [peak_bytes() / 1e6]))
    return Measured(tuple(probes), tuple(errors))


def noise_requests(kind: RequestKind, count: int, seconds: float, seed: int) -> list[Request]:
    """Return ``count`` requests whose audio is quiet white noise of ``seconds`` at 16 kHz."""
    made = []
    for at in range(count):
        noise = np.random.default_rng([seed, at]).normal(0.0, 0.05, round(seconds * NOISE_HZ)).astype(np.float32)
        made.append(Request(f"noise-{at}", kind, noise, NOISE_HZ, seed=seed + at))
    return made


def _probe(system: System, label: str, task: str, metric: str, unit: str, values: Sequence[float]) -> ProbeResult:
    over = percentiles(values)
    return ProbeResult(label, system.strategy, task, metric, unit, over.p50, over.p90, over.p99, over.n)


def _timed(request: Request, answer: Response) -> Timed:
    answer_s = 0.0 if answer.waveform is None or not answer.sample_rate else len(answer.waveform) / answer.sample_rate
    input_s = 0.0 if request.audio is None else len(request.audio) / request.sample_rate
    return Timed(answer.trace, len(answer.audio_codes or ()), answer.sample_rate, answer_s, input_s)
