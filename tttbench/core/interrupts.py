"""Ctrl-C and a polite kill, without loss.

``KeyboardInterrupt`` is swallowed where Python runs inside a callback of a C library, as when audio is read from or
written to a Python file object: what comes out is then a broken file instead of an interrupt, and a traceback on
stderr. So such calls are made with interrupts ``deferred``, and the wish to stop is noted and looked up before
anything is written down. Signals belong to the process, hence the flags of the module.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_wanted = threading.Event()
_deferring = 0
"""How many calls of the main thread must not be interrupted."""


def stop_if_asked() -> None:
    """Raise ``KeyboardInterrupt`` if the process has been asked to stop; call it before writing a result down."""
    if _wanted.is_set():
        raise KeyboardInterrupt


@contextmanager
def deferred() -> Iterator[None]:
    """Let no interrupt be raised inside; one that comes is raised when the block ends."""
    global _deferring
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _deferring += 1
    try:
        yield
    finally:
        _deferring -= 1
    stop_if_asked()


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise ``KeyboardInterrupt`` inside, and be remembered by ``stop_if_asked``."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _wanted.clear()


def _interrupt(_number: int, _frame: object) -> None:
    _wanted.set()
    if not _deferring:
        raise KeyboardInterrupt


_left_behind: list[threading.Thread] = []


def leave_behind(thread: threading.Thread) -> None:
    """Note a thread that nobody waits for any longer, and that nobody can end."""
    _left_behind.append(thread)


def anything_left_behind() -> bool:
    """Whether such a thread is still running: then the process has to leave without it."""
    return any(thread.is_alive() for thread in _left_behind)
