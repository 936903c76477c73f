"""How quiet the machine was while something was timed: a fixed piece of work, and other processes' share of the cores.

Two timings can be compared only if both were taken in peace: a machine that was busy with something else, or that ran
at another clock, makes a model look slow that isn't. What is noted here lets a comparison say so. Knows no model.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.core.records import Conditions

if TYPE_CHECKING:
    import torch

_STAT = Path("/proc/stat")
_BUSY = (0, 1, 2, 5, 6, 7)
"""Of the first line of /proc/stat: user, nice, system, irq, softirq, and what other guests of the host took (steal)."""


class Watch:
    """Watches the machine while something runs: ``begin()`` right before it, ``end()`` right behind it."""

    def __init__(self, device: str) -> None:
        """Prepare for timings on ``device`` (``"cpu"``, ``"cuda"`` …)."""
        self._work = fixed_work(device)
        self._work()
        self._pace_s = 0.0
        self._at = (0.0, 0.0, 0.0)

    def begin(self) -> None:
        """Take the pace and start to count."""
        started = time.perf_counter()
        self._work()
        self._pace_s = time.perf_counter() - started
        self._at = _now()

    def end(self) -> Conditions:
        """Return what has been seen since ``begin()``."""
        wall, busy, own = (after - before for after, before in zip(_now(), self._at, strict=True))
        known = _STAT.exists() and wall > 0
        return Conditions(self._pace_s, (busy - own) / wall if known else None)


def _now() -> tuple[float, float, float]:
    """Seconds: wall clock, all processes on all cores, this process with its children."""
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter(), _busy_s(), own


def _busy_s() -> float:
    try:
        ticks = _STAT.read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    return sum(int(ticks[at]) for at in _BUSY) / os.sysconf("SC_CLK_TCK")


@cache
def fixed_work(device: str) -> Callable[[], None]:
    """Return a piece of work like a small model's: products with one row and with many, a few milliseconds."""
    import torch

    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(1024, 1024, generator=generator).to(device) / 32
    row, rows = torch.ones(1, 1024, device=device), torch.ones(64, 1024, device=device)

    def work() -> None:
        with torch.inference_mode():
            _pass_through(row, weight, 8)
            _pass_through(rows, weight, 2)
            if device.startswith("cuda"):
                torch.cuda.synchronize(device)

    return work


def _pass_through(rows: torch.Tensor, weight: torch.Tensor, times: int) -> None:
    for _ in range(times):
        rows = (rows @ weight).tanh()
