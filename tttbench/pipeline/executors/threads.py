"""``threads``: several batches at once in this process, for systems that wait: servers.

Each answer's times then hold the load of the others, so they are no latencies.

As many threads as the system's capability wants requests at once; all share the one system.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tttbench.core.derivation import Deriver
from tttbench.core.system import System
from tttbench.pipeline.executors.serial import SerialWorker, build
from tttbench.pipeline.jobs import (
    DerivationDone,
    DeriveItem,
    Generated,
    GenerateItem,
    WorkerSpec,
    batches,
    derive_batch,
    generate_batch,
)

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class ThreadsWorker:
    """A worker that several threads share."""

    worker: System | Deriver
    device: str = "cpu"

    def generate(self, items: Sequence[GenerateItem], batch_size: int) -> Iterator[tuple[Generated, ...]]:
        """Respond, batches in the order in which they end.

        The machine is watched only where one call at a time is made: several share it.
        """
        system = self.worker
        assert isinstance(system, System)  # opened as one
        n_batches = math.ceil(len(items) / batch_size)
        at_once = min(system.card.capability.concurrency // batch_size, n_batches)
        if at_once <= 1:
            yield from SerialWorker(system, self.device).generate(items, batch_size)
            return
        yield from _overlapped(lambda batch: generate_batch(system, batch, None, at_once), items, batch_size, at_once)

    def derive(self, items: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
        """Derive, likewise; a deriver gets one call at a time unless it names its own ``concurrency``."""
        deriver = self.worker
        assert not isinstance(deriver, System)  # opened as a deriver
        at_once = max(1, int(getattr(deriver, "concurrency", 1)))
        yield from _overlapped(lambda batch: derive_batch(deriver, batch), items, deriver.batch_size, at_once)


def _overlapped(call: Callable[[Sequence[A]], B], items: Sequence[A], size: int, at_once: int) -> Iterator[B]:
    """Yield the results of all batches as they end, ``at_once`` in flight."""
    pending = batches(items, size)
    with ThreadPoolExecutor(at_once) as pool:
        running: set[Future[B]] = set()
        try:
            while True:
                while len(running) < at_once and (batch := next(pending, None)) is not None:
                    running.add(pool.submit(call, batch))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()


class ThreadsExecutor:
    """One worker at a time, called from several threads."""

    @contextmanager
    def open(self, spec: WorkerSpec) -> Iterator[ThreadsWorker]:
        """Build the worker here."""
        worker = build(spec)
        try:
            yield ThreadsWorker(worker, spec.options.device)
        finally:
            del worker
            gc.collect()
