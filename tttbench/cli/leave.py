"""How the process of a command ends: with its status, whatever a plug-in has left running."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from tttbench.core.interrupts import anything_left_behind

PATIENCE_S = 10.0
"""How long Python may take to end the threads and exit handlers of plug-ins."""


def leave(command: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with the status that it returns.

    A thread that was given up on is left alone: Python would end it in the midst of whatever it does, which can abort
    the process. One that a plug-in started, and that the interpreter would wait for, is waited for a while.
    """
    try:
        status = command()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    if anything_left_behind():
        _leave_now(status)
    watchdog = threading.Timer(PATIENCE_S, _leave_now, (status,))
    watchdog.daemon = True
    watchdog.start()
    sys.exit(status)


def _leave_now(status: int) -> NoReturn:
    import logging

    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
