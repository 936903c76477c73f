"""Speed of decoding on this machine, as ratios of two ways to do the same work with the same weights.

    python benchmarks/decoding.py --json                        # everything; one to two hours on two cores
    python benchmarks/decoding.py --only block_vs_ar --save     # one part, kept beside the parts saved before
    python benchmarks/decoding.py --shape tiny --repeats 1      # a smoke test of seconds

Prints a table, and as last line one JSON document with ``ratios``. Knows the command line; what is compared stands in
``comparisons.py`` and ``curve.py``.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.curve import Curve
    from benchmarks.timing import Compared
    from reference_model.transformer import TtTModel

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

NAMES = (
    "ar_vs_transformers_mini",
    "batch16_vs_1_mini",
    "block_vs_ar",
    "ar_vs_transformers",
    "curve",
    "batch16_vs_1",
    "exact_vs_none_256",
    "exact_vs_none_256_cfg",
    "exact_vs_none_256_block26",
    "exact_vs_none_1024",
    "exact_vs_none_1024_cfg",
    "exact_vs_none_1024_block26",
)
"""What can be asked for with ``--only``, in the order in which it is measured and shown: quick ones first."""

CONTEXTS = (256, 512, 1024, 2048, 4096, 8192)


def arguments(argv: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Read the command line, without torch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["half-b", "mini", "tiny"], default="half-b", help="of the large model")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help=f"measure this alone, * is a wildcard; of: {', '.join(NAMES)}"
    )
    parser.add_argument("--repeats", type=int, default=6, help="pairs of each comparison (default: 6)")
    parser.add_argument(
        "--budget-s", type=float, default=600.0, metavar="S", help="no pair of a comparison begins after S seconds"
    )
    parser.add_argument("--threads", type=int, help="threads of torch (default: its own choice)")
    parser.add_argument(
        "--save",
        nargs="?",
        type=Path,
        const=RESULTS,
        metavar="FOLDER",
        help="write decoding.json and decoding.md there (default: benchmarks/results) after every part; parts that "
        "were saved before and aren't measured now are kept",
    )
    parser.add_argument("--json", action="store_true", help="the last line is JSON; it always is")
    args = parser.parse_args(argv)
    for pattern in args.only or ():
        if not fnmatch.filter(NAMES, pattern):
            parser.error(f"--only {pattern}: no such measurement; there are: {', '.join(NAMES)}")
    if args.repeats < 1 or (args.threads is not None and args.threads < 1):
        parser.error("--repeats and --threads must be at least 1")
    return parser, args


def main(argv: Sequence[str] | None = None) -> int:
    parser, args = arguments(argv)
    import reference_model  # noqa: F401  # chooses how torch's threads wait, and has to come before it

    # isort: split
    import torch

    from benchmarks.comparisons import Models
    from benchmarks.machine import this_machine
    from benchmarks.record import Part, Record, RecordError, load_record, save_record
    from benchmarks.tables import markdown, tables

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    file = args.save and args.save / "decoding.json"
    command = " ".join(["python", "benchmarks/decoding.py", *(sys.argv[1:] if argv is None else argv)])
    wanted = [name for name in NAMES if not args.only or any(fnmatch.fnmatch(name, p) for p in args.only)]
    models = Models(args.shape)
    record = Record(args.shape, {})
    try:
        if file:
            # Before hours are spent on what couldn't be saved.
            load_record(file, args.shape)
        for name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            model = models.of(name)
            began, began_s, machine = datetime.now(UTC), time.perf_counter(), this_machine()
            found = measure(name, model, args)
            took_s = round(time.perf_counter() - began_s, 1)
            part = Part(name, began.isoformat(timespec="seconds"), took_s, command, machine, found)
            record = record.with_part(part, NAMES)
            if file:
                # Read again, because another run may have saved its parts meanwhile.
                kept = load_record(file, args.shape).with_part(part, NAMES)
                save_record(file, kept)
                file.with_suffix(".md").write_text(markdown(kept), encoding="utf-8")
    except RecordError as error:
        parser.error(str(error))
    print(tables(record))
    print(json.dumps(record.to_json()))
    return 0


def measure(name: str, model: TtTModel, args: argparse.Namespace) -> Compared | Curve:
    """One part."""
    import torch

    from benchmarks.comparisons import COMPARISONS, Sizes
    from benchmarks.curve import curve
    from benchmarks.timing import compare
    from reference_model.roofline import measure_ceilings

    tiny = args.shape == "tiny"
    if name == "curve":
        ceilings = measure_ceilings("cpu", torch.float32, *((64, 1 << 20) if tiny else ()))
        return curve(model, (16, 32) if tiny else CONTEXTS, ceilings, max(3, args.repeats))
    comparison = COMPARISONS[name](model, Sizes((24, 40), 2, 3) if tiny else Sizes())
    print(f"  {comparison.title}", file=sys.stderr, flush=True)
    return compare(comparison, args.repeats, args.budget_s)


if __name__ == "__main__":
    # Without this folder, whose files would hide packages of the same names; the repository last, so that an installed
    # reference model is the one that is measured.
    sys.path = [*(entry for entry in sys.path if Path(entry).resolve() != ROOT / "benchmarks"), str(ROOT)]
    sys.exit(main())
