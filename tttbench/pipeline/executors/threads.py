"""``threads``: several batches at once in this process, for systems that wait: servers.

Each answer's times then hold the load of the others, so they are no latencies.

As many threads as the system's capability wants requests at once; all share the one system. One that hangs is given up
on, with its thread, and another is built in its place.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from tttbench.core.checked import card_of
from tttbench.core.derivation import Deriver
from tttbench.core.errors import UserError
from tttbench.core.system import System
from tttbench.pipeline.deriving import derive_batch, without_derivation
from tttbench.pipeline.executors.lane import HungError, Lane, no_answer
from tttbench.pipeline.executors.serial import build_apart
from tttbench.pipeline.jobs import (
    DerivationDone,
    DeriveItem,
    Generated,
    GenerateItem,
    WorkerSpec,
    as_deriver,
    as_system,
    batches,
    generate_batch,
    not_done,
    where_of,
    without_answer,
)
from tttbench.probes.conditions import Watch

log = logging.getLogger("tttbench")

A = TypeVar("A", GenerateItem, DeriveItem)
B = TypeVar("B", Generated, DerivationDone)

MOST_GIVEN_UP = 8
"""So many calls may hang before the run stops: their threads, and what they hold, can't be had back."""


_Call = Callable[[Sequence[A]], Iterator[tuple[B, ...]]]
"""Yields what becomes of a batch, as it arrives."""


@dataclass(frozen=True)
class _InFlight(Generic[A, B]):
    """A call: what of its batch is missing, on which thread, until when it is waited for, and what it yields."""

    left: Sequence[A]
    lane: Lane
    until_s: float
    parts: Iterator[tuple[B, ...]]

    def next(self) -> Future[tuple[B, ...]]:
        """Ask for what it yields next; nothing at its end."""
        return self.lane.begin(lambda: next(self.parts, ()))


@dataclass
class ThreadsWorker:
    """A worker that several threads share; ``rebuild`` makes another one in the place of one that hangs."""

    worker: System | Deriver
    rebuild: Callable[[], System | Deriver] | None = None
    timeout_s: float = 300.0
    device: str = "cpu"

    def generate(self, items: Sequence[GenerateItem], batch_size: int) -> Iterator[tuple[Generated, ...]]:
        """Respond, batches in the order in which they end.

        The machine is watched only where one call at a time is made: several share it.

        Raises:
            HungError: too many calls took longer than they may.
        """
        n_batches = math.ceil(len(items) / batch_size)
        label = items[0].key.system if items else ""
        concurrency = card_of(as_system(self.worker), label).capability.concurrency
        at_once = max(1, min(concurrency // batch_size, n_batches))
        watch = Watch(self.device) if at_once == 1 else None
        call = partial(self._generate, watch=watch, at_once=at_once)
        yield from self._overlapped(call, items, batch_size, at_once, without_answer)

    def derive(self, items: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
        """Derive, likewise; a deriver gets one call at a time unless it names its own ``concurrency``."""
        at_once = max(1, int(getattr(self.worker, "concurrency", 1)))
        yield from self._overlapped(
            self._derive, items, as_deriver(self.worker).batch_size, at_once, without_derivation
        )

    def beside(self, worker: System) -> ThreadsWorker:
        """Run ``worker`` likewise; in its place none can be built."""
        return replace(self, worker=worker, rebuild=None)

    def _generate(
        self, batch: Sequence[GenerateItem], watch: Watch | None, at_once: int
    ) -> Iterator[tuple[Generated, ...]]:
        yield generate_batch(as_system(self.worker), batch, watch, at_once)

    def _derive(self, batch: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
        return derive_batch(as_deriver(self.worker), batch)

    def _overlapped(
        self,
        call: _Call[A, B],
        items: Sequence[A],
        size: int,
        at_once: int,
        given_up: Callable[[Sequence[A], str], tuple[B, ...]],
    ) -> Iterator[tuple[B, ...]]:
        """Yield the results of all batches as they arrive, ``at_once`` in flight."""
        pending = deque(batches(items, size))
        idle: list[Lane] = []
        running: dict[Future[tuple[B, ...]], _InFlight[A, B]] = {}
        n_given_up = 0
        try:
            while pending or running:
                while pending and len(running) < at_once:
                    batch, lane = pending.popleft(), idle.pop() if idle else Lane()
                    until_s = time.monotonic() + self.timeout_s * len(batch)
                    begun = _InFlight(batch, lane, until_s, call(batch))
                    running[begun.next()] = begun
                first_s = min(one.until_s for one in running.values()) - time.monotonic()
                done, _ = wait(running, min(max(first_s, 0.0), threading.TIMEOUT_MAX), FIRST_COMPLETED)
                for future in done:
                    one = running.pop(future)
                    if future.exception() is not None:
                        idle.append(one.lane)
                    part = future.result()
                    one = replace(one, left=not_done(one.left, part))
                    if one.left:
                        running[one.next()] = one
                    else:
                        idle.append(one.lane)
                    yield part
                now_s = time.monotonic()
                for future in [future for future, one in running.items() if one.until_s <= now_s]:
                    hung = running.pop(future)
                    hung.lane.abandon()
                    n_given_up += 1
                    if len(hung.left) > 1:
                        pending.extendleft([one] for one in reversed(hung.left))  # which of them hangs will show
                    else:
                        yield self._given_up(hung.left, given_up, n_given_up)
                    self._renew()
        finally:
            for lane in idle:
                lane.close()
            for one in running.values():
                one.lane.abandon()

    def _given_up(
        self, batch: Sequence[A], given_up: Callable[[Sequence[A], str], tuple[B, ...]], n_given_up: int
    ) -> tuple[B, ...]:
        message = no_answer(self.timeout_s)
        if n_given_up < MOST_GIVEN_UP:
            return given_up(batch, message)
        raise HungError(f"{where_of(batch)}: {message}, the {n_given_up}th call that hangs.", given_up(batch, message))

    def _renew(self) -> None:
        if self.rebuild is None:
            return
        try:
            self.worker = self.rebuild()
        except UserError as error:
            log.warning("what hangs could not be built anew, so the one that hangs is called again: %s", error)


class ThreadsExecutor:
    """One worker at a time, called from several threads."""

    @contextmanager
    def open(self, spec: WorkerSpec) -> Iterator[ThreadsWorker]:
        """Build the worker here."""
        opened = ThreadsWorker(build_apart(spec), partial(build_apart, spec), spec.timeout_s, spec.options.device)
        try:
            yield opened
        finally:
            del opened
            gc.collect()
