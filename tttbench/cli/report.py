"""``tttbench report RUN`` and ``tttbench report --index DIR``: write a run's report again, or an index of runs."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write the report of a run again, or an index of runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, metavar="RUN", help="run directory")
    what.add_argument(
        "--index", type=Path, metavar="DIR", help="folder of run directories, at any depth: write DIR/index.html"
    )


def run(args: argparse.Namespace) -> int:
    """Render, and say where."""
    if args.index is not None:
        from tttbench.pages import render_index

        print(f"Index: {render_index(args.index)}")
        return 0

    from tttbench.pages import render
    from tttbench.store.run_directory import RunStore

    RunStore.open(args.folder).close()
    print(f"Report: {render(args.folder)}")
    return 0
