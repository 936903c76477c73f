"""Speed of decoding on this machine, as ratios of two ways to do the same work with the same weights.

    python benchmarks/decoding.py --json            # everything; most of an hour or more on two cores
    python benchmarks/decoding.py --only block_vs_ar --shape mini --repeats 7
    python benchmarks/decoding.py --save            # also writes benchmarks/results/decoding.json and .md

Prints a table, and as last line one JSON document with ``ratios``. Knows the command line; what is compared stands in
``comparisons.py`` and ``curve.py``.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Behind what is installed, so that an installed package is what is measured.
sys.path.append(str(ROOT))

import torch  # noqa: E402  # the path had to come first

from benchmarks import comparisons  # noqa: E402
from benchmarks.curve import Point, curve  # noqa: E402
from benchmarks.limit import Ceilings, measure_ceilings  # noqa: E402
from benchmarks.shapes import SHAPES, random_model  # noqa: E402
from benchmarks.tables import compared_table, curve_table, markdown  # noqa: E402
from benchmarks.timing import Compared, Comparison, compare  # noqa: E402
from reference_model.transformer import TtTModel  # noqa: E402

NAMES = (
    "exact_vs_none_256",
    "exact_vs_none_256_cfg",
    "exact_vs_none_256_block26",
    "exact_vs_none_1024",
    "exact_vs_none_1024_cfg",
    "exact_vs_none_1024_block26",
    "ar_vs_transformers",
    "ar_vs_transformers_mini",
    "block_vs_ar",
    "batch16_vs_1",
    "batch16_vs_1_mini",
    "curve",
)
"""What can be asked for with ``--only``, in the order in which it is measured and shown."""

CONTEXTS = (256, 512, 1024, 2048, 4096, 8192)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["half-b", "mini", "tiny"], default="half-b", help="of the large model")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help=f"measure this alone, * is a wildcard; of: {', '.join(NAMES)}"
    )
    parser.add_argument("--repeats", type=int, default=5, help="pairs of each comparison (default: 5)")
    parser.add_argument(
        "--budget-s", type=float, default=900.0, metavar="S", help="no pair of a comparison begins after S seconds"
    )
    parser.add_argument("--threads", type=int, help="threads of torch (default: its own choice)")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/decoding.json and decoding.md")
    parser.add_argument("--json", action="store_true", help="the last line is JSON; it always is")
    args = parser.parse_args(argv)
    for pattern in args.only or ():
        if not fnmatch.filter(NAMES, pattern):
            parser.error(f"--only {pattern}: no such measurement; there are: {', '.join(NAMES)}")
    if args.repeats < 1 or (args.threads is not None and args.threads < 1):
        parser.error("--repeats and --threads must be at least 1")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments(argv)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    wanted = [name for name in NAMES if not args.only or any(fnmatch.fnmatch(name, p) for p in args.only)]
    found: list[Compared] = []
    points: list[Point] = []
    ceilings: Ceilings | None = None
    tiny = args.shape == "tiny"
    sizes = comparisons.Sizes((24, 40), 2, 3) if tiny else comparisons.Sizes()
    large = None if wanted and all(name.endswith("_mini") for name in wanted) else random_model(SHAPES[args.shape])
    small = random_model(SHAPES["tiny" if tiny else "mini"])
    for comparison in made(wanted, large, small, sizes):
        print(f"{comparison.name}: {comparison.title}", file=sys.stderr)
        found.append(compare(comparison, args.repeats, args.budget_s))
    if "curve" in wanted and large is not None:
        print("curve: one step against context length", file=sys.stderr)
        ceilings = measure_ceilings("cpu", torch.float32, *((64, 1 << 20) if tiny else (2048, 1 << 29)))
        points = curve(large, (16, 32) if tiny else CONTEXTS, ceilings, max(3, args.repeats))
    found.sort(key=lambda one: NAMES.index(one.name))
    document = {
        "benchmark": "decoding",
        "ratios": {one.name: one.ratio.median for one in found},
        "shape": args.shape,
        "command": " ".join(["python", "benchmarks/decoding.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": machine(),
        "comparisons": [asdict(one) for one in found],
        "ceilings": None if ceilings is None else asdict(ceilings),
        "curve": [asdict(point) for point in points],
    }
    print(compared_table(found))
    if points:
        print()
        print(curve_table(points))
    if args.save:
        folder = ROOT / "benchmarks" / "results"
        folder.mkdir(exist_ok=True)
        (folder / "decoding.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (folder / "decoding.md").write_text(markdown(document, found, points), encoding="utf-8")
    print(json.dumps(document))
    return 0


def made(
    wanted: Sequence[str], large: TtTModel | None, small: TtTModel, sizes: comparisons.Sizes
) -> Iterator[Comparison]:
    """The comparisons that are wanted, each made when its turn comes; the quick ones first."""
    if "ar_vs_transformers_mini" in wanted:
        yield comparisons.ar_vs_transformers(small, sizes, "_mini", 2.0)
    if "batch16_vs_1_mini" in wanted:
        yield comparisons.batch16_vs_1(small, sizes, "_mini", None)
    if large is None:
        return
    if "block_vs_ar" in wanted:
        yield comparisons.block_vs_ar(large, sizes)
    if "ar_vs_transformers" in wanted:
        yield comparisons.ar_vs_transformers(large, sizes, "", 1.0)
    if "batch16_vs_1" in wanted:
        yield comparisons.batch16_vs_1(large, sizes, "", 3.0)
    yield from (one for one in comparisons.exact_vs_none(large, sizes) if one.name in wanted)


def machine() -> dict[str, object]:
    """Where this ran, and with which versions."""
    versions = {"python": platform.python_version()}
    for package in ("torch", "transformers"):
        versions[package] = importlib.metadata.version(package)
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), processor)
    return {
        "device": "cpu",
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.platform(),
        "versions": versions,
    }


if __name__ == "__main__":
    sys.exit(main())
