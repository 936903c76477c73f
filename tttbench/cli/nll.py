"""``tttbench nll``: how many bits a system needs for the reference answers of a task, audio and text apart."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tttbench.cli.options import (
    a_path,
    add_allow_outside,
    add_device,
    add_include,
    chosen,
    include_all,
    positive,
    resolve_device,
    seed,
)
from tttbench.core.errors import UserError

if TYPE_CHECKING:
    from tttbench.pipeline.likelihood import Bits, NllResult

HELP = "bits per code and per text token of reference answers, exact for AR and a bound for diffusion"

SYSTEMS = ("ttt:mini", "ttt:mini-ar", "ttt:mini-nar")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "systems", nargs="*", metavar="SYSTEM", help=f"that tell likelihoods (default: {', '.join(SYSTEMS)})"
    )
    parser.add_argument("--task", default="mini_qa", help="whose reference answers (default: mini_qa)")
    parser.add_argument("--data", type=a_path, metavar="PATH", help="data of that task: a folder, archive or list")
    add_allow_outside(parser)
    parser.add_argument("--limit", type=positive, metavar="N", help="the first N samples (default: all)")
    parser.add_argument(
        "--maskings",
        type=positive,
        default=16,
        metavar="K",
        help="random maskings of each span, at least 2; more make the bound's standard error smaller (default: 16)",
    )
    parser.add_argument("--seed", type=seed, default=0)
    add_device(parser)
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is JSON; it always is")


def run(args: argparse.Namespace) -> int:
    """Measure; prints a table, and as last line one JSON document."""
    if args.maskings < 2:
        raise UserError(f"--maskings {args.maskings}: a standard error needs at least 2")
    if args.seed < 0:
        raise UserError(f"--seed {args.seed}: must be 0 or more")
    include_all(args.include)

    from tttbench.cli.columns import columns
    from tttbench.core.plugins import build_system, build_task
    from tttbench.core.serialize import to_json
    from tttbench.core.system import SystemOptions
    from tttbench.data.first_samples import first_samples
    from tttbench.data.samples import list_samples
    from tttbench.pipeline.likelihood import measure

    task = build_task(args.task)
    samples = first_samples(list_samples(task, args.data, allow_outside=args.allow_outside), args.limit)
    if not samples:
        raise UserError(f"task {args.task!r}: has no samples; give data that hold some with --data PATH.")
    device = resolve_device(args.device)
    results = []
    for name in chosen("SYSTEM", args.systems) or SYSTEMS:
        system = build_system(name, SystemOptions(device))
        print(f"{name} on {len(samples)} samples of {args.task} …", file=sys.stderr, flush=True)
        results.append(measure(system, args.task, samples, task.family, n_draws=args.maskings, seed=args.seed))
    head = ["system", "objective", "task", "n", "bits a code", "95 % interval", "± masking", "bits a text token"]
    rows = [[*head, "95 % interval", "± masking"], *(_row(result) for result in results)]
    print(columns(rows, right=frozenset({3, 4, 5, 6, 7, 8, 9})))
    print(
        "≤: a bound from above, the model needs at most so many. Masked models see how long a span is, AR ones do not."
    )
    print(to_json({"maskings": args.maskings, "seed": args.seed, "results": results}))
    return 0


def _row(result: NllResult) -> list[str]:
    audio = ["-", "-", "-"] if result.audio is None else _cells(result.audio)
    return [result.system, result.objective, result.task, str(result.n), *audio, *_cells(result.text)]


def _cells(bits: Bits) -> list[str]:
    value = f"{'' if bits.exact else '≤ '}{bits.value.estimate:.3f}"
    return [value, f"{bits.value.low:.3f} to {bits.value.high:.3f}", "exact" if bits.exact else f"{bits.se:.3f}"]
