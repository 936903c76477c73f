"""``tttbench report RUN``: write the report of a run again."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write the report of a run again"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="run directory")


def run(args: argparse.Namespace) -> int:
    """Render, and say where."""
    from tttbench.execution.local import render
    from tttbench.store import RunStore

    RunStore.open(args.folder).close()
    print(f"Report: {render(args.folder)}")
    return 0
