"""``tttbench probe SYSTEM``: latency, throughput and memory of one system, after warm-up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.verbs.options import add_device, add_include, include_all, positive, resolve_device

if TYPE_CHECKING:
    from tttbench.records import Request, RequestKind
    from tttbench.systems.base import System

HELP = "measure latency, throughput and memory of a system"

DEFAULT_TASKS: Mapping[str, str] = {"qa": "mini_qa", "asr": "mini_asr"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "system", metavar="SYSTEM", help="NAME or NAME@STRATEGY[:OPTION=VALUE,…], e.g. ttt:mini or ttt:mini-ar@ar"
    )
    parser.add_argument(
        "--task", help="whose samples to ask (default: mini_qa, or mini_asr for systems that only write)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the data of that task")
    parser.add_argument(
        "--synthetic", type=float, metavar="SECONDS", help="instead of a task: noise of this length as input"
    )
    parser.add_argument("--requests", type=positive, default=4, metavar="N", help="different requests (default: 4)")
    parser.add_argument("--repeats", type=positive, default=5, metavar="N", help="times each is asked (default: 5)")
    parser.add_argument("--warmup", type=int, default=2, metavar="N", help="unmeasured requests before (default: 2)")
    parser.add_argument("--batch-size", type=positive, default=1, metavar="N", help="requests a call (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    add_device(parser)
    add_include(parser)
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Measure; prints a table, and as last line one JSON document. 1 if a request failed."""
    include_all(args.include)

    from tttbench.execution.surroundings import machine
    from tttbench.plain import to_json, to_plain
    from tttbench.probes.measure import measure
    from tttbench.registry import build_system
    from tttbench.suite import system_plan
    from tttbench.systems.base import SystemOptions
    from tttbench.verbs.columns import probes_table

    plan = system_plan(args.system)
    device = resolve_device(args.device)
    system = build_system(plan.name, SystemOptions(device, args.batch_size, None, plan.strategy, plan.decode))
    task, requests = _requests(args, system)
    measured = measure(system, plan.label, task, requests, args.repeats, args.warmup, args.batch_size)
    print(probes_table([to_plain(entry) for entry in measured.probes]))
    for error in measured.errors:
        print(f"tttbench: a request failed: {error}", file=sys.stderr)
    print(
        to_json(
            {
                "system": plan.label,
                "task": task,
                "batch_size": args.batch_size,
                "requests": len(requests),
                "repeats": args.repeats,
                "errors": list(measured.errors),
                "card": system.describe(),
                "machine": machine(device),
                "probes": measured.probes,
            }
        )
    )
    return 1 if measured.errors else 0


def _requests(args: argparse.Namespace, system: System) -> tuple[str, Sequence[Request]]:
    from tttbench.execution.ask import Asking, make_request
    from tttbench.probes.measure import noise_requests
    from tttbench.registry import build_task

    kind: RequestKind = "qa" if "qa" in system.kinds else "asr"
    if args.synthetic is not None:
        return "synthetic", noise_requests(kind, args.requests, args.synthetic, args.seed)
    task = build_task(args.task or DEFAULT_TASKS[kind])
    asking = Asking(args.system, task, args.seed, args.batch_size)
    return task.name, [make_request(sample, asking) for sample in task.samples(args.data)[: args.requests]]
