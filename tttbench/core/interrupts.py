"""Ctrl-C and a polite kill, without loss.

``KeyboardInterrupt`` is swallowed where Python runs inside a callback of a C library, as when sound is read from or
written to a Python file object: what comes out is then a broken file instead of an interrupt. So the wish to stop is
noted as well, and asked for before anything is written down. Signals belong to the process, hence the one flag.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = threading.Event()


def stop_if_asked() -> None:
    """Raise ``KeyboardInterrupt`` if the process has been asked to stop; call it before writing a result down."""
    if _asked.is_set():
        raise KeyboardInterrupt


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
        _asked.clear()


def _interrupt(_number: int, _frame: object) -> None:
    _asked.set()
    raise KeyboardInterrupt
