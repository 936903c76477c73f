"""``serial``: one batch after the other, in this process. What latencies are measured with."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tttbench.core.derivation import Deriver
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_deriver, build_system
from tttbench.core.system import System
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
from tttbench.probes.conditions import Watch


@dataclass(frozen=True)
class SerialWorker:
    """A worker in this process."""

    worker: System | Deriver
    device: str

    def generate(self, items: Sequence[GenerateItem], batch_size: int) -> Iterator[tuple[Generated, ...]]:
        """Respond, a batch after the other, in order."""
        assert isinstance(self.worker, System)  # opened as one
        watch = Watch(self.device)
        for batch in batches(items, batch_size):
            yield generate_batch(self.worker, batch, watch)

    def derive(self, items: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
        """Derive, a batch after the other, in order."""
        assert not isinstance(self.worker, System)  # opened as a deriver
        for batch in batches(items, self.worker.batch_size):
            yield derive_batch(self.worker, batch)


class SerialExecutor:
    """One worker at a time."""

    @contextmanager
    def open(self, spec: WorkerSpec) -> Iterator[SerialWorker]:
        """Build the worker here; memory is given back when the context is left."""
        worker = build(spec)
        try:
            yield SerialWorker(worker, spec.options.device)
        finally:
            del worker
            gc.collect()


def build(spec: WorkerSpec) -> System | Deriver:
    """Build what ``spec`` names; whatever goes wrong is a ``UserError``, as it costs this worker's requests alone."""
    make = build_system if spec.kind == "system" else build_deriver
    try:
        return make(spec.name, spec.options)
    except (UserError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plug-in's factory may raise anything, sys.exit() too
        raise UserError(f"{type(error).__name__}: {error}") from error
