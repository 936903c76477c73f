"""Peak memory since a moment of our choosing: this process's (Linux; elsewhere since its start) and a CUDA device's."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from pathlib import Path


def reset_peak(device: str = "cpu") -> None:
    """Start counting anew, where the kernel allows it, and on ``device``."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def release_free_memory() -> None:
    """Give back to the system what was freed, where the C library can (glibc), so that the next peak is its own."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def peak_bytes() -> int:
    """Return the most memory this process held since ``reset_peak``, in bytes."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_peak_bytes(device: str) -> int | None:
    """Return the most memory that tensors took on a CUDA device since ``reset_peak``; None for other devices."""
    if not device.startswith("cuda"):
        return None
    import torch

    return int(torch.cuda.max_memory_allocated(device))
