"""``tttbench rescore RUN``: score the answers of a run again, also with further scores and transcribers.

No system is given a request again, and what has been transcribed isn't transcribed again.
"""

from __future__ import annotations

import argparse
import sys

from tttbench.cli.options import a_path, add_device, add_include, add_scores, include_all, resolve_device, scores_of

HELP = "score the answers of a run again, with further scores or another transcriber, and rewrite its report"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=a_path, metavar="RUN", help="run directory")
    parser.add_argument(
        "--transcriber",
        metavar="SYSTEM",
        help="take the scores of spoken answers with this transcriber, too; auto: by language",
    )
    parser.add_argument(
        "--judge",
        metavar="JUDGE",
        help="language model that grades what tasks say is judged: openai_chat:MODEL or "
        "openai_chat:MODEL,OPTION=VALUE,…",
    )
    add_scores(parser)
    parser.add_argument(
        "--retry-errors",
        action="store_true",
        help="make anew what transcribers and judges failed at (derivation failed)",
    )
    add_device(parser)
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def run(args: argparse.Namespace) -> int:
    """Score again; 0 done, 1 done with errors."""
    include_all(args.include)

    from tttbench.cli.progress_bars import ProgressDisplay
    from tttbench.cli.run import show
    from tttbench.core.interrupts import stoppable
    from tttbench.core.judging import judge_options
    from tttbench.pages import render
    from tttbench.pipeline.derive import deriver_options
    from tttbench.pipeline.executors import executor
    from tttbench.pipeline.rescore import Asked, rescore
    from tttbench.store.run_directory import RunStore

    # Without a transcriber that is new, nothing runs on a device.
    device = resolve_device(args.device) if args.transcriber or args.add or args.retry_errors else "cpu"
    asked = Asked(
        scores_of(args), args.transcriber or "", judge_options(args.judge or "", "--judge"), args.retry_errors
    )
    with RunStore.open(args.folder, write=True) as store, stoppable(), ProgressDisplay() as display:
        options = deriver_options(device, store.manifest.suite.batch_size)
        try:
            summary = rescore(store, asked, executor("serial"), options, display)
        except KeyboardInterrupt:
            print("\nStopped; what was derived is kept. The same command goes on.", file=sys.stderr)
            raise
    return show(summary, args.folder, render(args.folder), as_json=args.json)
