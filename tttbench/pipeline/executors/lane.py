"""A thread of its own for what plug-ins do, which can be given up on: what hangs holds up nobody else.

A worker is built and called on one thread, since contexts of devices and of PyTorch belong to a thread. No thread can
be ended from outside: one that is given up on goes on, and the process leaves without it (``tttbench.cli.leave``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from tttbench.core.errors import UserError
from tttbench.core.interrupts import leave_behind

T = TypeVar("T")

_Calls = SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]


class OverdueError(Exception):
    """A call takes longer than it may."""


class HungError(UserError):
    """The run stops, as what hangs can't be ended. ``done``: what became of the requests, to be written down first."""

    exit_status = 1

    def __init__(self, message: str, done: tuple[Any, ...]) -> None:
        super().__init__(message)
        self.done = done


def no_answer(limit_s: float) -> str:
    """What is written down about a request to which there was no answer in time."""
    return f"no answer within {limit_s:g} s (timeout_s)"


class Lane:
    """Makes one call after the other, on a thread of its own."""

    def __init__(self) -> None:
        """Start the thread; ``close`` ends it when it has nothing left to do."""
        self._calls: _Calls = SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._calls,), name="tttbench-lane", daemon=True)
        self._thread.start()

    def begin(self, call: Callable[[], T]) -> Future[T]:
        """Make a call when all earlier ones have ended; whatever it raises is the future's."""
        outcome: Future[T] = Future()
        self._calls.put((call, outcome))
        return outcome

    def run(self, call: Callable[[], T], limit_s: float | None = None) -> T:
        """Make a call and return what it returns; whatever it raises is raised.

        Raises:
            OverdueError: it takes longer than ``limit_s`` seconds. The lane is of no use then.
        """
        outcome = self.begin(call)
        try:
            if not wait([outcome], None if limit_s is None else min(limit_s, threading.TIMEOUT_MAX)).done:
                raise OverdueError
            return outcome.result()
        finally:
            if not outcome.done():
                self.abandon()

    def stream(self, make: Callable[[], Iterator[T]], limit_s: float) -> Iterator[T]:
        """Yield what an iterator yields, which is made and stepped on this thread, each as it comes.

        Raises:
            OverdueError: it has been waited for longer than ``limit_s`` seconds in all. The lane is of no use then.
        """
        left_s, end = limit_s, object()
        made = self.run(make, left_s)
        while True:
            began_s = time.monotonic()
            found = self.run(partial(next, made, end), left_s)
            if found is end:
                return
            left_s = max(0.0, left_s - (time.monotonic() - began_s))  # what the caller does meanwhile doesn't count
            yield found

    def close(self) -> None:
        """End the thread when it has nothing left to do."""
        self._calls.put(None)

    def abandon(self) -> None:
        """Wait for it no longer."""
        leave_behind(self._thread)
        self.close()


def _serve(calls: _Calls) -> None:
    while (asked := calls.get()) is not None:
        call, outcome = asked
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)
        # What a call held is not kept until the next one.
        del asked, call, outcome
