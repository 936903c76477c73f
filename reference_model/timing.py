"""How long calls take on a device. Knows no model."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise


def seconds_of(call: Callable[[], object], device: str, repeats: int, warmup: int = 3) -> list[float]:
    """Seconds of each of ``repeats`` calls; on CUDA by device events, which see the device's time alone."""
    for _ in range(warmup):
        call()
    if not device.startswith("cuda"):
        taken = []
        for _ in range(repeats):
            before_s = time.perf_counter()
            call()
            taken.append(time.perf_counter() - before_s)
        return taken
    import torch

    make: Callable[..., torch.cuda.Event] = torch.cuda.Event
    marks = [make(enable_timing=True) for _ in range(repeats + 1)]
    marks[0].record()
    for mark in marks[1:]:
        call()
        mark.record()
    torch.cuda.synchronize()
    return [before.elapsed_time(after) / 1000 for before, after in pairwise(marks)]
