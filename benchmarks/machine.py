"""Where and on which code a measurement was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Machine:
    """What the seconds depend on besides the command.

    Attributes:
        processor: its name.
        cores: those this process may use.
        threads: torch's.
        capability: vector instructions that torch uses.
        platform: operating system and architecture.
        load: processes that wanted to run, mean of the minute before; others' work shows here.
        code: commit of the repository, and whether anything but results was changed since; empty outside of one.
        versions: of Python and of the packages that matter, as far as installed.
    """

    processor: str
    cores: int
    threads: int
    capability: str
    platform: str
    load: float
    code: str
    versions: Mapping[str, str]

    def __str__(self) -> str:
        """All that doesn't change from hour to hour."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"{self.processor}, {self.threads} threads on {self.cores} cores ({self.capability}), "
            f"{self.platform}, {versions}"
        )


def this_machine(packages: Sequence[str] = ("torch", "transformers")) -> Machine:
    """Look around; ``packages`` are those that matter."""
    import torch

    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        capability=torch.backends.cpu.get_cpu_capability(),
        platform=f"{platform.system()} {platform.machine()}",
        load=round(os.getloadavg()[0], 2),
        code=_code(),
        versions={"python": platform.python_version(), **_versions(*packages)},
    )


def _processor() -> str:
    names = Path("/proc/cpuinfo")
    if names.exists():
        for line in names.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _versions(*packages: str) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _code() -> str:
    try:
        commit = _git("describe", "--always")
        # What benchmarks write while they run makes no other code of it.
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
