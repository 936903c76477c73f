"""The ablation: six variants of the mini model, several seeds each, trained and evaluated once and kept as files.

    python benchmarks/ablation.py                  # everything; about six hours on two cores
    python benchmarks/ablation.py --seeds 0        # one seed of each
    python benchmarks/ablation.py --summary        # the table of what has been measured, in seconds

It can be stopped at any moment and goes on where it was. Trained models and runs lie in ``build/ablation``; a result is
written to ``benchmarks/results/ablation`` as soon as its model has been evaluated. Knows the order of the work and the
command line; what a result holds stands in ``ablation_results.py``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "ablation"
VARIANTS = ("ttt", "ar", "nar", "no_banom", "no_ppm", "no_sst")
SUITE = "mini-full"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is not done yet, and show what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS, metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2), metavar="N")
    parser.add_argument("--jobs", type=int, default=2, help="models at a time, each on one thread (default: 2)")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "ablation", help="models and runs")
    parser.add_argument("--results", type=Path, default=RESULTS, help="results (default: benchmarks/results/ablation)")
    parser.add_argument("--limit", type=int, help="samples a task (default: all)")
    parser.add_argument("--max-steps", type=int, help="of each training, for a smoke test")
    parser.add_argument("--summary", action="store_true", help="train and evaluate nothing")
    args = parser.parse_args(argv)
    from benchmarks.ablation_results import load_results, summary

    if not args.summary:
        # Seed by seed, so that a stopped ablation has compared all variants as often as it could.
        todo = [(variant, seed) for seed in args.seeds for variant in args.variants]
        with ThreadPoolExecutor(args.jobs) as pool:
            begun = [pool.submit(make, variant, seed, args) for variant, seed in todo]
            try:
                for done in wait(begun, return_when=FIRST_EXCEPTION).done:
                    done.result()
            except BaseException:
                # What runs is waited for; nothing new begins behind a failure or an interrupt.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    print(summary(load_results(args.results)))
    return 0


def make(variant: str, seed: int, args: argparse.Namespace) -> None:
    """Train and evaluate one model, as far as that is not done."""
    from benchmarks.ablation_results import check_current, collect, save_result

    name = f"{variant}-{seed}"
    file = args.results / f"{name}.json"
    if file.exists():
        check_current(file, variant, args.max_steps)
        return
    model, run = args.work / "models" / name, args.work / "runs" / name
    training = ["train", f"ablation/{variant}", "--seed", str(seed), "--out", str(model), "--threads", "1"]
    if args.max_steps is not None:
        training += ["--max-steps", str(args.max_steps)]
    call(training, args.work / f"{name}.log")
    evaluation = ["run", SUITE, "--systems", f"ttt:{model}", "--batch-size", "8", "--out", str(run)]
    if args.limit is not None:
        evaluation += ["--limit", str(args.limit)]
    if (run / "manifest.json").exists():
        evaluation.append("--resume")
    call(evaluation, args.work / f"{name}.log")
    save_result(file, collect(variant, seed, model, run))
    print(f"{name}: done", file=sys.stderr, flush=True)


def call(arguments: Sequence[str], log: Path) -> None:
    """Run ``tttbench`` at low priority on one thread, its output behind what ``log`` holds.

    Raises:
        SystemExit: it failed; says where its output is.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as output:
        done = subprocess.run(
            ["nice", "-n", "19", sys.executable, "-m", "tttbench", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
    if done.returncode != 0:
        raise SystemExit(f"tttbench {' '.join(arguments)}: exit status {done.returncode}; its output is in {log}")


if __name__ == "__main__":
    sys.path = [*(entry for entry in sys.path if Path(entry).resolve() != ROOT / "benchmarks"), str(ROOT)]
    sys.exit(main())
