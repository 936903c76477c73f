"""Machine load while something was timed: the time of a fixed piece of work, and other processes' share of the cores.

Two timings can be compared only if both were taken on an idle machine: one that was busy with something else, or that
ran at another clock, makes a model look slow that isn't. What is noted here lets a comparison say so. Knows no model.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from tttbench.core.exchange import Conditions
from tttbench.core.extras import is_installed, require

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
        self._calibration_s = 0.0
        self._at = (0.0, 0.0, 0.0)

    def begin(self) -> None:
        """Start to count and take the calibration time.

        The kernel counts in ticks of 10 ms: of a call of microseconds alone, one tick would be hundreds of cores.
        """
        self._at = _now()
        started = time.perf_counter()
        self._work()
        self._calibration_s = time.perf_counter() - started

    def end(self) -> Conditions:
        """Return what has been seen since ``begin()``."""
        wall, busy, own = (after - before for after, before in zip(_now(), self._at, strict=True))
        known = _STAT.exists() and wall > 0
        return Conditions(self._calibration_s, (busy - own) / wall if known else None)


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


def calibration() -> Literal["torch", "numpy"]:
    """Return what does the fixed piece of work here: NumPy where torch isn't installed. Times of the two differ."""
    return "torch" if is_installed("torch") else "numpy"


@cache
def fixed_work(device: str) -> Callable[[], None]:
    """Return a piece of work like a small model's: products with one row and with many, a few milliseconds.

    Raises:
        UserError: ``device`` isn't the CPU, and torch isn't installed.
    """
    if calibration() == "torch":
        return _torch_work(device)
    if device != "cpu":
        require("model", f"device {device}")
    return _numpy_work()


def _torch_work(device: str) -> Callable[[], None]:
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


def _numpy_work() -> Callable[[], None]:
    weight = np.random.default_rng(0).standard_normal((1024, 1024), dtype=np.float32) / np.float32(32)

    def work() -> None:
        for n_rows, times in ((1, 8), (64, 2)):
            rows = np.ones((n_rows, 1024), dtype=np.float32)
            for _ in range(times):
                rows = np.tanh(rows @ weight)

    return work
