"""How many requests at once, and how many a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeVar

from tttbench.core.errors import kind_and_message

T = TypeVar("T")
R = TypeVar("R")


class Spaced:
    """Lets callers pass ``per_minute`` times a minute at most, evenly; 0: at once."""

    def __init__(
        self,
        per_minute: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._between_s = 60 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next_s = 0.0

    def wait(self) -> None:
        """Wait until it is the caller's turn."""
        with self._lock:
            now_s = self._clock()
            at_s = max(now_s, self._next_s)
            self._next_s = at_s + self._between_s
        if at_s > now_s:
            self._sleep(at_s - now_s)


def arriving(call: Callable[[T], R], given: Sequence[T], at_once: int) -> Iterator[tuple[int, R | Exception]]:
    """Yield the place of each, and what ``call`` makes of it or raises, as it arrives, ``at_once`` at a time.

    Who stops taking them begins no further call. The threads end with the process: nobody waits for a server that
    doesn't answer.
    """
    arrived: SimpleQueue[tuple[int, R | Exception]] = SimpleQueue()
    pending, lock, is_over = iter(range(len(given))), threading.Lock(), threading.Event()

    def work() -> None:
        while True:
            with lock:
                at = None if is_over.is_set() else next(pending, None)
            if at is None:
                return
            try:
                arrived.put((at, call(given[at])))
            except Exception as error:
                arrived.put((at, error))
            except BaseException as error:  # a thread that ends without a word would be waited for
                arrived.put((at, RuntimeError(kind_and_message(error))))

    for _ in range(min(at_once, len(given))):
        threading.Thread(target=work, name="tttbench-client", daemon=True).start()
    try:
        for _ in given:
            yield arrived.get()
    finally:
        is_over.set()
