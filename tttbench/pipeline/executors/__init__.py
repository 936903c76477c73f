"""Executors: where and how many at once. All give the same answers; ``serial`` is the default."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from tttbench.core.errors import UserError, did_you_mean
from tttbench.pipeline.jobs import OpenWorker, WorkerSpec

NAMES = ("serial", "threads")


class Executor(Protocol):
    """Builds workers and runs their items."""

    def open(self, spec: WorkerSpec) -> AbstractContextManager[OpenWorker]:
        """Build a worker; leaving the context releases it.

        Raises:
            UserError: it can't be built.
        """
        ...


def executor(name: str) -> Executor:
    """Return the executor called ``name``; raises ``UserError`` if there is none."""
    from tttbench.pipeline.executors.serial import SerialExecutor
    from tttbench.pipeline.executors.threads import ThreadsExecutor

    if name == "serial":
        return SerialExecutor()
    if name == "threads":
        return ThreadsExecutor()
    raise UserError(f"--executor {name}: there is no such executor. {did_you_mean(name, NAMES)}")
