"""``tttbench probe SYSTEM``: latency, throughput and memory of one system, at one point or over many."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.cli.axis_options import add_axes, chosen_axes, number_from
from tttbench.cli.folders import new_folder
from tttbench.cli.options import (
    a_path,
    add_allow_outside,
    add_device,
    add_include,
    include_all,
    positive,
    resolve_device,
    seed,
)
from tttbench.core.errors import UserError
from tttbench.probes.axes import AXES

if TYPE_CHECKING:
    from reference_model.roofline import Ceilings
    from tttbench.core.exchange import Request
    from tttbench.core.json_values import JsonObject
    from tttbench.core.system import System, SystemCard
    from tttbench.probes.axes import Value
    from tttbench.probes.stopping import Stopping
    from tttbench.probes.sweep import Measured, PointResult
    from tttbench.store.manifest import Machine

HELP = "measure latency, throughput and memory of a system, and sweep over its settings"

DEFAULT_TASKS: Mapping[str, str] = {"qa": "mini_qa", "asr": "mini_asr"}
DEFAULT_REQUESTS = 4
BUDGET_S, POINT_S = 60.0, 10.0
FILE, PICTURE = "probe.json", "probe.svg"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "system", metavar="SYSTEM", help="NAME or NAME@STRATEGY[:OPTION=VALUE,…], e.g. ttt:mini or ttt:mini-ar@ar"
    )
    parser.add_argument(
        "--task", help="whose samples to give (default: mini_qa, or mini_asr for systems that only write)"
    )
    parser.add_argument("--data", type=a_path, metavar="PATH", help="data of that task: a folder, archive or list")
    add_allow_outside(parser)
    parser.add_argument(
        "--synthetic",
        type=partial(number_from, least=0.1),
        metavar="SECONDS",
        help="instead of a task: noise of this length as input",
    )
    parser.add_argument(
        "--requests",
        type=positive,
        metavar="N",
        help=f"different requests of the task (default: {DEFAULT_REQUESTS}, or the largest batch if that is more)",
    )
    parser.add_argument("--seed", type=seed, default=0)
    add_device(parser)
    add_include(parser)
    parser.add_argument("--out", type=a_path, metavar="DIR", help="for picture and JSON (default: runs/probe-TIME)")
    parser.add_argument("--json", action="store_true", help="the last line of stdout is JSON; it always is")
    add_axes(parser)
    group = parser.add_argument_group("how long", "Points are interleaved; each is repeated until the first of these.")
    group.add_argument(
        "--precision",
        type=partial(number_from, least=0.0),
        default=5.0,
        metavar="PERCENT",
        help="the 95 %% interval of its median latency (of several requests a call, of the calls' seconds) is narrower "
        "than this (default: 5)",
    )
    group.add_argument(
        "--budget",
        type=partial(number_from, least=0.0),
        metavar="SECONDS",
        help="its share of this time, which is for all points together, is over; 3 repeats in any case "
        f"(default: {BUDGET_S:g}, or {POINT_S:g} a point if that is more)",
    )
    group.add_argument("--repeats", type=positive, metavar="N", help="exactly so many repeats instead of both")
    group.add_argument(
        "--warmup", type=_count, default=2, metavar="N", help="repeats beforehand that don't count (default: 2)"
    )


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, not {text!r}")
    return int(text)


@dataclass(frozen=True)
class _Asked:
    """What is measured.

    Attributes:
        system, label: the system, and its name in results.
        device: where it runs.
        chosen: the values of every axis.
        task, requests: what is asked; requests are None where they are made for given lengths.
    """

    system: System
    label: str
    device: str
    chosen: Mapping[str, Sequence[Value]]
    task: str
    requests: Sequence[Request] | None


@dataclass(frozen=True)
class ProbeDocument:
    """What ``probe.json`` and the last line of stdout hold; a probe of one point says some of it twice.

    Attributes:
        status: ``done``, ``done_with_errors`` or ``interrupted``.
        requests: how many; None where they are made for given lengths.
        precision, budget_s, warmup: when a point has been measured long enough.
        ceilings: what the device reaches; None for systems that report no passes.
        advice: what to do where the time was over before points were known precisely; ``""`` where it wasn't.
    """

    status: str
    system: str
    task: str
    requests: int | None
    axes: Mapping[str, Sequence[Value]]
    precision: float
    budget_s: float
    warmup: int
    ceilings: Ceilings | None
    out: Path
    errors: Sequence[str]
    card: SystemCard
    machine: Machine
    points: Sequence[PointResult]
    advice: str

    def plain(self, *, is_one_point: bool) -> JsonObject:
        """Return it as JSON."""
        from tttbench.core.serialize import plain_fields, to_plain

        plain = plain_fields(self)
        if is_one_point and self.points:
            one = self.points[0]
            plain |= {"batch_size": one.point.get("batch_size", 1), "repeats": one.repeats}
            plain["probes"] = to_plain(one.probes)
        return plain


def run(args: argparse.Namespace) -> int:
    """Measure; prints a table, and as last line one JSON document. 1 if a request failed."""
    asked = _asked(args)

    import time

    from tttbench.cli.probe_tables import advice
    from tttbench.core.interrupts import stoppable
    from tttbench.core.system import Sweepable
    from tttbench.pipeline.environment import machine
    from tttbench.probes.axes import product
    from tttbench.probes.stopping import Stopping
    from tttbench.probes.subjects import subjects_of
    from tttbench.probes.sweep import results_of, sweep

    points = product(asked.chosen)
    subjects = subjects_of(asked.system, points, asked.requests, asked.device, args.seed)
    folder = _made(args.out or new_folder("probe"))
    budget_s = max(BUDGET_S, POINT_S * len(points)) if args.budget is None else args.budget
    rule = Stopping(args.precision / 100, budget_s, repeats=args.repeats)
    with stoppable():
        ceilings = asked.system.ceilings() if isinstance(asked.system, Sweepable) else None
        measured = sweep(subjects, rule, args.warmup, time.perf_counter, _Progress(len(points)))
    results = results_of(measured, asked.label, asked.task, ceilings)
    stopped = len(results) < len(points) or any(result.ended == "interrupted" for result in results)
    errors = list(dict.fromkeys(error for result in results for error in result.errors))
    document = ProbeDocument(
        status="interrupted" if stopped else "done_with_errors" if errors else "done",
        system=asked.label,
        task=asked.task,
        requests=None if asked.requests is None else len(asked.requests),
        axes=asked.chosen,
        precision=rule.precision,
        budget_s=rule.budget_s,
        warmup=args.warmup,
        ceilings=ceilings,
        out=folder,
        errors=errors,
        card=asked.system.card,
        machine=machine(asked.device),
        points=results,
        advice=" ".join(advice(results, rule)),
    )
    for error in errors:
        print(f"tttbench: a request failed: {error}", file=sys.stderr)
    _show(document, rule, is_one_point=len(points) == 1)
    if stopped:
        raise KeyboardInterrupt
    return 1 if errors else 0


def _asked(args: argparse.Namespace) -> _Asked:
    """Check the call and build the system."""
    chosen = chosen_axes(args)
    wants_lengths = _wants_lengths(args, chosen)
    if args.out is not None and (args.out / FILE).exists():
        raise UserError(f"--out {args.out}: holds a probe already. Give another folder, or remove that one.")
    include_all(args.include)

    from tttbench.config.suite import system_plan
    from tttbench.core.plugins import build_system, check_decoding, check_system
    from tttbench.core.system import Sweepable, SystemOptions
    from tttbench.core.tables import Document
    from tttbench.probes.subjects import DEFAULT_LENGTHS, check_axes

    plan = system_plan(args.system)
    if plan.strategy and "strategy" in chosen:
        raise UserError(f"--strategy: {args.system} names one already. Leave out @{plan.strategy}, or the option.")
    device = resolve_device(args.device)
    largest = max(args.batch_size, default=1)
    options = SystemOptions(device, largest, plan.strategy, plan.settings, allow_outside=args.allow_outside)
    # A mistyped value is found before weights are loaded.
    check_system(plan.name, options)
    for axis in AXES:
        if axis.sets in ("decode", "strategy"):
            for value in chosen.get(axis.name, ()):
                check_decoding(plan.name.partition(":")[0], [Document({axis.name: axis.setting(value)}, axis.option)])
    system = build_system(plan.name, options)
    check_axes(system, chosen)
    if wants_lengths and isinstance(system, Sweepable) and DEFAULT_LENGTHS.keys() <= system.axes:
        lengths = {name: [value] for name, value in DEFAULT_LENGTHS.items()}
        return _Asked(system, plan.label, device, {**lengths, **chosen}, "synthetic codes", None)
    return _Asked(system, plan.label, device, chosen, *_requests(args, system, largest))


def _made(folder: Path) -> Path:
    """Make the folder, before time is spent on what couldn't be written."""
    from tttbench.data.atomic import storage_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    return folder


class _Progress:
    """Tells on stderr which points have ended, and why, where there are several."""

    def __init__(self, n_points: int) -> None:
        self._n_points = n_points
        self._done = 0

    def __call__(self, measured: Measured) -> None:
        from tttbench.probes.axes import in_words

        self._done += 1
        if self._n_points > 1:
            said = f"{in_words(measured.subject.point)}: {len(measured.turns)} repeats, ended by {measured.ended}"
            print(f"[{self._done}/{self._n_points}] {said}", file=sys.stderr, flush=True)


def _wants_lengths(args: argparse.Namespace, chosen: Mapping[str, Sequence[Value]]) -> bool:
    """Whether to ask synthetic requests of given lengths: where settings are compared and nothing else was named."""
    given = {"--task": args.task, "--data": args.data, "--synthetic": args.synthetic, "--requests": args.requests}
    named = [option for option, value in given.items() if value is not None]
    if "--task" in named and "--synthetic" in named:
        raise UserError("--synthetic: noise takes the place of a task's samples. Leave out --task, or this option.")
    lengths = [axis.option for axis in AXES if axis.sets == "lengths" and axis.name in chosen]
    if lengths and named:
        raise UserError(f"{lengths[0]}: goes with requests made for it, which have no task. Leave out {named[0]}.")
    return bool(lengths) or (not named and bool(chosen.keys() - {"batch_size"}))


def _requests(args: argparse.Namespace, system: System, largest: int) -> tuple[str, Sequence[Request]]:
    """The requests of the task or of noise, and its name; enough for the largest batch."""
    from tttbench.core.plugins import build_task
    from tttbench.data.samples import list_samples
    from tttbench.pipeline.jobs import read_request
    from tttbench.pipeline.plan import generate_item
    from tttbench.probes.turn import noise_requests

    families = system.card.capability.families
    family = "qa" if families is None or "qa" in families else "asr"
    count = args.requests or max(DEFAULT_REQUESTS, largest)
    if count < largest:
        raise UserError(f"--requests {count}: too few for --batch-size {largest}. Give at least as many.")
    if args.synthetic is not None:
        return "synthetic", noise_requests(family, count, args.synthetic, args.seed)
    task = build_task(args.task or DEFAULT_TASKS.get(family, "mini_qa"))
    samples = list_samples(task, args.data, allow_outside=args.allow_outside)[:count]
    requests = [read_request(generate_item(task, sample, args.system, args.seed))[0] for sample in samples]
    if len(requests) < largest:
        raise UserError(
            f"--batch-size {largest}: task {task.name!r} has {len(requests)} samples. Ask for smaller batches, or for "
            "noise with --synthetic SECONDS."
        )
    return task.name, requests


def _show(document: ProbeDocument, rule: Stopping, *, is_one_point: bool) -> None:
    """Print the tables, write picture and JSON, and print the JSON as last line."""
    from tttbench.cli.probe_tables import point_tables, points_tables, probe_notes
    from tttbench.core.serialize import to_json
    from tttbench.data.atomic import write_atomic
    from tttbench.probes.picture import picture

    results, folder, plain = document.points, document.out, document.plain(is_one_point=is_one_point)
    if results:
        print(point_tables(results[0]) if len(results) == 1 else points_tables(results))
    for note in probe_notes(results, rule):
        print(note)
    write_atomic(folder / FILE, to_json(plain, indent=1).encode())
    if results:
        write_atomic(folder / PICTURE, picture(results, f"{document.system}, {document.task}").encode())
        print(f"Picture: {folder / PICTURE}")
    print(to_json(plain))
