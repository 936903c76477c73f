"""``tttbench rescore RUN``: score the answers of a run again; no system is asked and the judge doesn't listen again."""

from __future__ import annotations

import argparse
from pathlib import Path

from tttbench.cli.options import add_include, include_all

HELP = "score the answers of a run again and rewrite its report"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="run directory")
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def run(args: argparse.Namespace) -> int:
    """Score again; 0 done, 1 done with errors."""
    include_all(args.include)

    from tttbench.cli.run import show
    from tttbench.pipeline.run import render
    from tttbench.pipeline.summarize import assess
    from tttbench.store.run_directory import RunStore

    with RunStore.open(args.folder, write=True) as store:
        store.write_summary(assess(store))
        summary = store.summary
    return show(summary, args.folder, render(args.folder), as_json=args.json)
