"""``tttbench report RUN`` and ``tttbench report --index DIR``: write a run's report again, or an index of runs."""

from __future__ import annotations

import argparse

from tttbench.cli.options import a_path, add_include, include_all

HELP = "write the report of a run again, or an index of runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=a_path, metavar="RUN", help="run directory")
    what.add_argument(
        "--index", type=a_path, metavar="DIR", help="folder of run directories, at any depth: write DIR/index.html"
    )
    add_include(parser)


def run(args: argparse.Namespace) -> int:
    """Render, and say where."""
    if args.index is not None:
        from tttbench.pages import render_index

        print(f"Index: {render_index(args.index)}")
        return 0

    include_all(args.include)

    from tttbench.pages import render
    from tttbench.store.read_model import Run
    from tttbench.store.run_directory import is_being_written

    report = render(args.folder)
    with Run.open(args.folder) as run:
        status = run.manifest.status
    if status == "running" and not is_being_written(args.folder):
        status = "interrupted"  # killed, so that it couldn't say so itself
    if status in ("running", "interrupted"):
        print(f"The run hasn't come to its end ({status}): the report shows the answers that are there.")
    print(f"Report: {report}")
    return 0
