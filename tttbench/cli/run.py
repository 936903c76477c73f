"""``tttbench run``: evaluate a suite and write its report."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.cli.folders import new_folder
from tttbench.cli.options import (
    a_path,
    add_allow_outside,
    add_device,
    add_include,
    add_scores,
    chosen,
    include_all,
    names,
    no_less_than_0,
    positive,
    resolve_device,
    scores_of,
    seconds,
    seed,
    system_labels,
)
from tttbench.core.errors import UserError
from tttbench.core.interrupts import stoppable
from tttbench.core.secrets import masked

if TYPE_CHECKING:
    from tttbench.config.suite import Suite
    from tttbench.core.json_values import JsonObject
    from tttbench.store.manifest import Summary

HELP = "evaluate systems on tasks and write a report"

RESULT_KEYS = (
    *("system", "task", "metric", "value", "ci_low", "ci_high"),
    *("n", "ok", "empty", "unparsed", "derivation_failed", "error", "cut", "n_units", "unit", "cluster"),
)
PROBE_KEYS = ("system", "strategy", "task", "metric", "unit", "p50", "p90", "n", "busy")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("suite", nargs="?", default="mini", metavar="SUITE", help="name or .toml file (default: mini)")
    parser.add_argument("--out", type=a_path, metavar="DIR", help="run directory (default: runs/SUITE-TIME)")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out; nothing is done twice")
    parser.add_argument(
        "--retry-errors", action="store_true", help="with --resume: repeat failed answers and transcripts"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would run, what of it is missing, how big it is and how to get it; asks no system. "
        "Status 0 if everything is here, 1 if something is missing",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="the first N samples of each task")
    parser.add_argument("--repeats", type=positive, metavar="K", help="generate K answers to each sample")
    parser.add_argument(
        "--systems",
        action="append",
        default=[],
        metavar="A,B",
        help="instead of the suite's; NAME, NAME@STRATEGY or NAME@STRATEGY:OPTION=VALUE,OPTION=VALUE",
    )
    parser.add_argument(
        "--against",
        metavar="NAME",
        help="with one --systems: carry out a suite of two models, such as decoding, on these two checkpoints",
    )
    parser.add_argument("--tasks", action="append", default=[], metavar="A,B", help="instead of the suite's")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="TASK=PATH",
        help="data of a task, or of tasks ('uro_*=PATH'): a folder, archive or list",
    )
    parser.add_argument(
        "--transcriber",
        metavar="SYSTEM",
        help="instead of the suite's: transcribes spoken answers, e.g. whisper:base; auto: by language; '' for none",
    )
    parser.add_argument(
        "--judge",
        metavar="JUDGE",
        help="instead of the suite's: language model that grades answers, openai_chat:MODEL or "
        "openai_chat:MODEL,OPTION=VALUE,…; with one, tasks have their judged scores, too; '' for none",
    )
    add_allow_outside(parser)
    add_scores(parser)
    add_device(parser)
    parser.add_argument("--seed", type=seed, help="instead of the suite's")
    parser.add_argument(
        "--batch-size",
        type=positive,
        metavar="N",
        help="requests a call (default: 1); doesn't change the answers, but of more than one there is no latency",
    )
    parser.add_argument(
        "--executor",
        default="serial",
        help="serial (default), or threads: as many requests at once as a system wants, for servers; without latency",
    )
    parser.add_argument(
        "--timeout-s", type=seconds, metavar="S", help="how long a request may take, instead of the suite's (300)"
    )
    parser.add_argument(
        "--verify",
        type=no_less_than_0,
        metavar="N",
        help="compare the first N answers of each task with the oracle, of systems that are declared lossless",
    )
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def run(args: argparse.Namespace) -> int:
    """Run the suite; 0 done, 1 done with errors. With ``--dry-run``: 0 everything is here, 1 something is missing."""
    if args.dry_run and args.resume:
        raise UserError("--dry-run: says what a new run would take; leave --resume out.")
    if args.resume and args.out is None:
        raise UserError("--resume: needs --out DIR, the folder of the run to continue.")
    if args.retry_errors and not args.resume:
        raise UserError("--retry-errors: goes with --resume only.")
    include_all(args.include)

    from tttbench.core.judging import judge_options

    judge_options(args.judge or "", "--judge")

    from tttbench.cli.progress_bars import ProgressDisplay
    from tttbench.config.choose import choose
    from tttbench.config.suite import AUTO, load_suite
    from tttbench.core.plugins import check_deriver, tasks
    from tttbench.core.system import SystemOptions
    from tttbench.pages import render
    from tttbench.pipeline.asked import refuse_idle_judge
    from tttbench.pipeline.executors import executor
    from tttbench.pipeline.executors.lane import HungError
    from tttbench.pipeline.kept_transcribers import kept_transcribers
    from tttbench.pipeline.plan import make_plan
    from tttbench.pipeline.run import open_run
    from tttbench.pipeline.run import run as run_plan

    for name in chosen("--tasks", args.tasks):
        tasks.get(name)
    suite = load_suite(args.suite, args.include)
    labels = system_labels(args.systems, [one.label for one in suite.systems])
    if args.against is not None:
        suite, labels = _set_against(suite, labels, args.against), []
    suite = choose(
        suite,
        systems=labels,
        tasks=names(args.tasks),
        data=_data(args.data),
        limit=args.limit,
        seed=args.seed,
        batch_size=args.batch_size,
        transcriber=args.transcriber,
        judge=args.judge,
        repeats=args.repeats,
        add=scores_of(args),
        timeout_s=args.timeout_s,
        verify=args.verify,
    )
    if args.judge:
        refuse_idle_judge(suite)
    where = executor(args.executor)
    device = resolve_device(args.device)
    if args.dry_run:
        return _dry_run(suite, device, args)
    if (
        args.transcriber and args.transcriber != AUTO
    ):  # a mistyped one is found also where no score of the tasks needs one
        check_deriver(f"transcriber:{args.transcriber}", SystemOptions(device))
    kept = kept_transcribers(args.out, args.transcriber) if args.resume else None
    plan = make_plan(suite, device, allow_outside=args.allow_outside, kept=kept)
    folder = args.out or new_folder(suite.name)
    resume_command = _resume_command(args.command_line, folder)
    with open_run(plan, folder, resume=args.resume) as store:
        if args.retry_errors:
            store.forget_errors()
        print(f"Run directory: {folder}", file=sys.stderr)
        try:
            with stoppable(), ProgressDisplay() as display:
                summary = run_plan(plan, store, where, args.command_line, display)
        except KeyboardInterrupt:
            print(f"\nStopped; what was done is kept. Continue with:\n  {resume_command}", file=sys.stderr)
            raise
        except HungError:
            print(
                "\nWhat hangs can't be ended, so the run stops; what was done is kept. Continue without it with:\n"
                f"  {resume_command}\nor with --retry-errors and a longer --timeout-s, too, to try it again.",
                file=sys.stderr,
            )
            raise
    return show(summary, folder, render(folder), as_json=args.json)


def _dry_run(suite: Suite, device: str, args: argparse.Namespace) -> int:
    """Print what would run; 0 if everything is here, 1 if something is missing."""
    from tttbench.cli import dry_run
    from tttbench.core.serialize import to_json
    from tttbench.pipeline.dry_run import preview

    found = preview(suite, device, allow_outside=args.allow_outside)
    print(dry_run.text(found))
    if args.json:
        print(to_json(dry_run.document(found)))
    return 0 if found.is_complete else 1


def _set_against(suite: Suite, labels: list[str], against: str) -> Suite:
    """The suite with the two checkpoints in place of its own."""
    from tttbench.config.against import set_against, strategies_against, the_one_system

    system = the_one_system(labels, against)
    return set_against(suite, system, against, strategies_against(system, against))


def show(summary: Summary, folder: Path, report: Path, *, as_json: bool) -> int:
    """Print what a run came to, and return its exit status."""
    from tttbench.cli.columns import ablations_table, results_table
    from tttbench.cli.latency_table import latency_table
    from tttbench.cli.loss_table import loss_table
    from tttbench.cli.spoken_table import spoken_table
    from tttbench.core.judging import JUDGE
    from tttbench.core.serialize import to_json
    from tttbench.core.transcriber_errors import unknown_errors, without_reference_audio
    from tttbench.pages.labels import corrected_line, cost_line, judge_line
    from tttbench.store.lossless import lossless_sentences

    if summary.results:
        results = [*summary.results, *summary.topline]
        print(results_table(results, summary.metrics, summary.comparisons))
        if unknown := unknown_errors(without_reference_audio(results)):
            print(unknown)
    if summary.ablations:
        print(f"\n{ablations_table(summary.ablations, summary.results, summary.metrics)}")
    if latencies := latency_table(summary.probes, summary.timed):
        print(f"\n{latencies}\n")
    if spoken := spoken_table(summary.spoken):
        print(f"{spoken}\n")
    if losses := loss_table(summary.losses, summary.losses_left_out):
        print(f"{losses}\n")
    for entry in summary.skipped:
        print(f"{entry.system} on {entry.task}: left out, it {entry.reason}.", file=sys.stderr)
    for one in summary.unanswered:
        print(one)
    for remark, systems in summary.remarks.items():
        print(f"{', '.join(systems)}: {remark}.")
    for sentence in lossless_sentences(summary.lossless):
        print(sentence)
    for total in summary.derived:
        if total.deriver.startswith(JUDGE):
            print(judge_line(total))
    for asked in summary.asked:
        print(cost_line(asked))
    for corrected in summary.corrected:
        print(corrected_line(corrected, summary.metrics[corrected.metric]))
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items() if count)
    print(f"{summary.answered} of {summary.expected} requests: {counts}.")
    if summary.cut:
        print(f"A length limit cut {summary.cut} of the answers.")
    print(f"Report: {report}")
    if as_json:
        print(to_json(document(summary, folder, report)))
    return 0 if summary.status == "done" else 1


def document(summary: Summary, folder: Path, report: Path) -> JsonObject:
    """Return the JSON document of ``--json``.

    ``counts`` and ``cut`` count requests, ``results`` one score's; ``timed`` says which answers ``probes`` are of.
    """
    from tttbench.core.serialize import plain_fields, to_plain
    from tttbench.core.transcriber_errors import without_reference_audio

    return {
        "run_dir": str(folder),
        "report": str(report),
        "status": summary.status,
        "counts": {str(status): count for status, count in summary.counts.items()},
        "cut": summary.cut,
        "results": [
            {**{key: getattr(entry, key) for key in RESULT_KEYS}, "recipe": str(entry.recipe)}
            for entry in [*summary.results, *summary.topline]
        ],
        "transcriber_errors_unknown": list(without_reference_audio([*summary.results, *summary.topline])),
        "comparisons": [plain_fields(entry) for entry in summary.comparisons],
        "ablations": [{"switch": one.switch, **plain_fields(one.comparison)} for one in summary.ablations],
        "remarks": to_plain(summary.remarks),
        "lossless": to_plain(summary.lossless),
        "spoken": [to_plain(one) for one in summary.spoken],
        "losses": [to_plain(one) for one in summary.losses],
        "corrected": [plain_fields(one) for one in summary.corrected],
        "derived": [plain_fields(one) for one in summary.derived],
        "asked": [plain_fields(one) for one in summary.asked],
        "unanswered": [to_plain(one) for one in summary.unanswered],
        "probes": [{key: getattr(entry, key) for key in PROBE_KEYS} for entry in summary.probes],
        "timed": [plain_fields(entry) for entry in summary.timed],
    }


def _data(values: list[str]) -> dict[str, Path]:
    given: dict[str, Path] = {}
    for value in values:
        task, equals, path = value.partition("=")
        if not (task and equals and path):
            raise UserError(f"--data {value}: must be TASK=PATH, e.g. asr_folder=recordings.")
        if not Path(path).exists():
            raise UserError(f"--data {value}: no such folder, archive or list: {path}.")
        given[task] = Path(path)
    return given


def _resume_command(command: list[str], folder: Path) -> str:
    words = list(command)
    if not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(folder)]
    if "--resume" not in words:
        words.append("--resume")
    return shlex.join(masked(word, keep_variables=True) for word in words)
