"""How often the gate is right: false alarms between runs of one system, and planted regressions that it finds.

    python benchmarks/gate.py --save          # about an hour on two idle cores
    python benchmarks/gate.py --only planted  # simulated worsenings alone: a few minutes

Runs are kept in ``build/gate_benchmark`` and not made again. The machine should be idle: the benchmark makes its own
load where it needs some. An idle run that met another load of the machine than the first one, or a slower machine, is
made again, at most twice: the gate would leave its speed open.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tttbench.core.scorer import ScoreSpec

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
WORLD = Path(__file__).resolve().parent / "gate_world"
DAMAGES = {"weak": 0.1, "middle": 0.2, "strong": 0.4}
"""Noise on every weight, in standard deviations of its tensor."""
SLOWED = {"slowed": 0.36, "slowed-more": 0.8}
"""How much longer each layer takes. Layers are about half of a small decode: the whole is some 20 and 50 % slower."""
PARTS = ("same", "damaged", "slowed", "recipe", "interleaved", "planted")


@dataclass(frozen=True)
class Made:
    """A run that the benchmark needs: its system, seed, and whether other processes keep the cores busy."""

    name: str
    system: str = ""
    seed: int = 1
    busy: bool = False


RUNS = (
    Made("first"),
    Made("again"),
    Made("other-seed", seed=2),
    Made("busy", seed=3, busy=True),
    *(Made(name, f"ttt:damaged/{name}", 2) for name in DAMAGES),
    *(Made(name, f"slowed:{share}/ttt:mini") for name, share in SLOWED.items()),
)
IDLE = ("first", "again", "other-seed", *SLOWED)
"""Runs whose times are compared. The first is the one that the others have to meet."""
TRIES = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Make the runs, simulate, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--gates", type=int, default=200, help="gates of each comparison (default: 200)")
    parser.add_argument("--rounds", type=int, default=40, help="rounds measured interleaved (default: 40)")
    parser.add_argument("--limit", type=int, help="samples a task (default: all)")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "gate_benchmark", help="runs and checkpoints")
    parser.add_argument("--save", nargs="?", type=Path, const=ROOT / "benchmarks" / "results", metavar="FOLDER")
    args = parser.parse_args(argv)
    from benchmarks.gate_simulation import HEAD, rows
    from benchmarks.machine import this_machine
    from tttbench.cli.columns import columns
    from tttbench.core.registry import include

    include(WORLD)
    args.work = args.work.resolve()
    began, machine = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), this_machine()
    tallies = [one for name in args.only for one in MEASURES[name](args)]
    print(columns([list(HEAD), *rows(tallies)], right=frozenset(range(1, 5))))
    document = {
        "benchmark": "gate",
        "began": began,
        "command": "python benchmarks/gate.py " + " ".join(sys.argv[1:] if argv is None else argv),
        "machine": asdict(machine),
        "comparisons": [asdict(one) for one in tallies],
    }
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "gate.json").write_text(json.dumps(document, indent=1) + "\n")
        (args.save / "gate.md").write_text(_markdown(document, [list(HEAD), *rows(tallies)]))
    print(json.dumps(document))
    return 0


def _same(args: argparse.Namespace) -> Iterator[Any]:
    """One system, twice: nothing may be found."""
    from benchmarks.gate_simulation import halves
    from tttbench.gate.rules import Rules

    for before, now in (("first", "again"), ("first", "other-seed"), ("first", "busy"), ("other-seed", "busy")):
        yield halves(f"same system: {before}, {now}", _run(before, args), _run(now, args), Rules(), args.gates, 1)


def _damaged(args: argparse.Namespace) -> Iterator[Any]:
    """A checkpoint with noise on its weights."""
    from benchmarks.gate_simulation import halves
    from tttbench.gate.rules import Rules

    quality = Rules(speed="off")
    for name in DAMAGES:
        yield halves(f"checkpoint damaged: {name}", _run("first", args), _run(name, args), quality, args.gates, 2)


def _slowed(args: argparse.Namespace) -> Iterator[Any]:
    """A decode that takes longer, both runs on a idle machine."""
    from benchmarks.gate_simulation import halves
    from tttbench.gate.rules import Rules

    for name in SLOWED:
        run, truth = _run(name, args), _slowdown(name, args)
        yield halves(f"decode {name}", _run("first", args), run, Rules(), args.gates, 3, slowdown=truth)


def _slowdown(name: str, args: argparse.Namespace) -> dict[tuple[str, str], float]:
    """How many times as slow it truly is, by task and metric: measured interleaved, on the idle machine."""
    from tttbench.gate.interleaved import measure
    from tttbench.stats.effect_size import shift_factor

    kept = args.work / f"slowdown-{name}.json"
    if not kept.exists():
        first, run = _run("first", args), _run(name, args)
        rounds = measure(first, run, args.rounds, "cpu", lambda line: print(line, file=sys.stderr)).rounds
        kept.write_text(json.dumps([[one.task, one.figure, shift_factor(one.run, one.baseline)] for one in rounds]))
    return {(task, figure): factor for task, figure, factor in json.loads(kept.read_text())}


def _recipe(args: argparse.Namespace) -> Iterator[Any]:
    """Another normalizer: its recipe is another."""
    from benchmarks.gate_simulation import halves
    from tttbench.gate.rules import Rules

    first = _run("first", args)
    found = halves("normalizer changed", first, _renormalized("again", args), Rules(), args.gates, 4)
    yield replace(found, due=found.gates, caught_of_due=found.regressions + found.not_comparable)


def _interleaved(args: argparse.Namespace) -> Iterator[Any]:
    """Measured now, baseline and run interleaved, while other processes keep the cores busy."""
    from benchmarks.gate_simulation import halves
    from tttbench.gate.interleaved import measure
    from tttbench.gate.rules import Rules

    first = _run("first", args)
    for name, now, slower in (("same system", "again", False), ("decode slowed", "slowed", True)):
        run = _run(now, args)
        with _others():
            measured = measure(first, run, args.rounds, "cpu", lambda line: print(line, file=sys.stderr))
        truth = _slowdown(now, args) if slower else {}
        named = f"{name}, interleaved, busy machine"
        yield halves(named, first, run, Rules(), args.gates, 5, measured.rounds, slowdown=truth)


def _planted(args: argparse.Namespace) -> Iterator[Any]:
    """Worsenings of exactly the size that the gate says it would find."""
    from benchmarks.gate_simulation import planted
    from tttbench.gate.rules import Rules

    rules = Rules(speed="off", resamples=2_000)
    for kind in ("accuracy", "wer"):
        for n, changed in ((32, 0.0), (200, 0.05), (200, 0.2), (1000, 0.1)):
            yield planted(kind, n, changed, 2 * args.gates, rules, 6)
            if kind == "wer" or n > 32:
                # Seven clusters would show nothing at all.
                yield planted(kind, n, changed, 2 * args.gates, rules, 7, piece=5 if kind == "accuracy" else 10)


MEASURES = {
    "same": _same,
    "damaged": _damaged,
    "slowed": _slowed,
    "recipe": _recipe,
    "interleaved": _interleaved,
    "planted": _planted,
}


def _run(name: str, args: argparse.Namespace) -> Any:
    """The snapshot of a run, made if it isn't there; its system is called as in the first."""
    import shutil

    made = next(one for one in RUNS if one.name == name)
    folder = args.work / "runs" / name
    system = made.system.replace("ttt:damaged", f"ttt:{args.work}/damaged")
    if (folder / "report.html").exists():
        return _snapshot(folder)
    if made.system.startswith("ttt:damaged"):
        _damage(args.work / "damaged" / name, DAMAGES[name])
    _make(folder, made, system, args)
    for _ in range(TRIES - 1):
        if name not in IDLE or _met_the_same(_run(IDLE[0], args), _snapshot(folder)):
            break
        print(f"{name} met another load of the machine: made again", file=sys.stderr, flush=True)
        shutil.rmtree(folder)
        _make(folder, made, system, args)
    return _snapshot(folder)


def _snapshot(folder: Path) -> Any:
    from tttbench.gate.decide import renamed
    from tttbench.gate.from_run import snapshot_of

    snapshot = snapshot_of(folder)
    label = next(iter(snapshot.systems))
    return snapshot if label == "ttt:mini" else renamed(snapshot, {label: "ttt:mini"})


def _met_the_same(first: Any, run: Any) -> bool:
    """Whether the gate would look at the times of all tasks."""
    from tttbench.gate.rules import Rules
    from tttbench.gate.speed import disturbance

    return not any(disturbance(load, run.loads.get(key), Rules()) for key, load in first.loads.items())


def _make(folder: Path, made: Made, system: str, args: argparse.Namespace) -> None:
    suite = (WORLD / "sampled.toml").read_text()
    if system:
        suite = suite.replace('name = "ttt:mini"', f'name = "{system}"')
    path = args.work / f"{made.name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(suite)
    words = ["run", str(path), "--include", str(WORLD), "--seed", str(made.seed), "--out", str(folder)]
    words += ["--limit", str(args.limit)] if args.limit else []
    words += ["--resume"] if folder.exists() else []
    print(f"running {made.name}", file=sys.stderr, flush=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with _others() if made.busy else _nobody():
        subprocess.run(
            [sys.executable, "-m", "tttbench", *words], check=True, env=environment, stdout=subprocess.DEVNULL
        )


def _renormalized(name: str, args: argparse.Namespace) -> Any:
    """The snapshot of a run whose words were counted by other rules."""
    import shutil

    from tttbench.gate.from_run import snapshot_of
    from tttbench.pipeline.scores import Columns
    from tttbench.pipeline.summarize import summarize
    from tttbench.store.run_directory import RunStore

    _run(name, args)
    folder = args.work / "runs" / f"{name}-renormalized"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(args.work / "runs" / name, folder)
    with RunStore.open(folder, write=True) as store:
        manifest = store.manifest
        tasks = {
            task: replace(entry, scores=tuple(map(_by_other_rules, entry.scores)))
            for task, entry in manifest.tasks.items()
        }
        store.write_manifest(replace(manifest, tasks=tasks))
        store.write_summary(summarize(store, Columns(store.manifest)))
    return snapshot_of(folder)


def _by_other_rules(score: ScoreSpec) -> ScoreSpec:
    if score.scorer != "wer":
        return score
    return replace(score, options={**score.options, "normalizer": "whisper-basic"})


def _damage(folder: Path, strength: float) -> None:
    """Copy the mini checkpoint with noise on its weights."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    from reference_model.checkpoint import tokenizer_file
    from tttbench.systems.ttt.folder import checkpoint_folder

    shutil.copytree(checkpoint_folder("mini"), folder, dirs_exist_ok=True)
    # The shipped models share one tokenizer, which lies beside their folders.
    shutil.copyfile(tokenizer_file(checkpoint_folder("mini")), folder / "tokenizer.json")
    weights = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(0)
    for name, tensor in weights.items():
        if tensor.ndim == 2:
            noise = torch.randn(tensor.shape, generator=generator) * strength * tensor.float().std()
            weights[name] = (tensor.float() + noise).to(tensor.dtype)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@contextmanager
def _others() -> Iterator[None]:
    """Two processes that work in bursts: the cores are busy, and unevenly so."""
    code = "import time\nwhile True:\n e = time.time() + 0.7\n while time.time() < e: pass\n time.sleep(0.2)"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def _nobody() -> Iterator[None]:
    yield


def _markdown(document: dict[str, Any], table: Sequence[Sequence[str]]) -> str:
    machine = document["machine"]
    lines = [
        "# How often the gate is right",
        "",
        "Each line: so many gates at default thresholds on random halves of the samples of two runs (`ttt:mini`, text",
        "sampled, mini_asr and mini_qa, 200 samples each), or on answers made up with a worsening planted. Those due",
        "are gates in which something that gates is truly worse by at least the smallest worsening that the gate says",
        "it would find; of the other normalizer, all. How slow a slowed decode truly is was measured interleaved.",
        "",
        "| " + " | ".join(table[0]) + " |",
        "|---" + "|--:" * (len(table[0]) - 1) + "|",
        *("| " + " | ".join(row) + " |" for row in table[1:]),
        "",
        f"{document['began']}, {machine['processor']}, {machine['cores']} cores, code `{machine['code']}`: "
        f"`{document['command']}`",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
