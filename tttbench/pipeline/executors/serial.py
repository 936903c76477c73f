"""``serial``: one batch after the other, in this process. What latencies are measured with."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from tttbench.core.derivation import Deriver
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_deriver, build_system
from tttbench.core.system import System
from tttbench.pipeline.deriving import derive_batch, without_derivation
from tttbench.pipeline.executors.lane import HungError, Lane, OverdueError, no_answer
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


@dataclass(frozen=True)
class SerialWorker:
    """A worker on a thread of its own. One that hangs ends the run, as it would disturb what is measured after it."""

    worker: System | Deriver
    device: str
    lane: Lane
    timeout_s: float

    def generate(self, items: Sequence[GenerateItem], batch_size: int) -> Iterator[tuple[Generated, ...]]:
        """Respond, a batch after the other, in order.

        Raises:
            HungError: a batch took longer than it may.
        """
        system = as_system(self.worker)
        watch = self.lane.run(partial(Watch, self.device))
        for batch in batches(items, batch_size):
            limit_s = self.timeout_s * len(batch)
            try:
                yield self.lane.run(partial(generate_batch, system, batch, watch), limit_s)
            except OverdueError as error:
                message = _overdue(limit_s, len(batch))
                raise HungError(f"{where_of(batch)}: {message}.", without_answer(batch, message)) from error

    def derive(self, items: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
        """Derive, likewise; each derivation is handed on as it arrives."""
        deriver = as_deriver(self.worker)
        for batch in batches(items, deriver.batch_size):
            limit_s, left = self.timeout_s * len(batch), batch
            try:
                for part in self.lane.stream(partial(derive_batch, deriver, batch), limit_s):
                    left = not_done(left, part)
                    yield part
            except OverdueError as error:
                message = _overdue(limit_s, len(batch))
                raise HungError(f"{where_of(left)}: {message}.", without_derivation(left, message)) from error

    def beside(self, worker: System) -> SerialWorker:
        """Run ``worker`` on the same thread."""
        return replace(self, worker=worker)


def _overdue(limit_s: float, n: int) -> str:
    return no_answer(limit_s) if n == 1 else f"{no_answer(limit_s)} to {n} requests"


class SerialExecutor:
    """One worker at a time."""

    @contextmanager
    def open(self, spec: WorkerSpec) -> Iterator[SerialWorker]:
        """Build the worker on its thread; memory is given back when the context is left."""
        lane = Lane()
        try:
            yield SerialWorker(build_on(lane, spec), spec.options.device, lane, spec.timeout_s)
        finally:
            lane.close()
            gc.collect()


BUILD_REQUESTS = 10
"""Building may take as long as so many requests: weights are read, or fetched."""


def build_on(lane: Lane, spec: WorkerSpec) -> System | Deriver:
    """Build what ``spec`` names on a thread that can be given up on.

    Raises:
        HungError: it takes too long.
        UserError: it can't be built.
    """
    limit_s = BUILD_REQUESTS * spec.timeout_s
    try:
        return lane.run(partial(build, spec), limit_s)
    except OverdueError as error:
        what = f"{spec.kind} {spec.name}: not built within {limit_s:g} s ({BUILD_REQUESTS} times timeout_s)."
        raise HungError(what, ()) from error


def build_apart(spec: WorkerSpec) -> System | Deriver:
    """Build likewise, on a thread of its own."""
    lane = Lane()
    try:
        return build_on(lane, spec)
    finally:
        lane.close()


def build(spec: WorkerSpec) -> System | Deriver:
    """Build what ``spec`` names; whatever goes wrong is a ``UserError``, as it costs this worker's requests alone."""
    make = build_system if spec.kind == "system" else build_deriver
    try:
        return make(spec.name, spec.options)
    except (UserError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plug-in's factory may raise anything, sys.exit() too
        raise UserError(f"{type(error).__name__}: {error}") from error
