"""``tttbench tables``: the paper's tables, published beside measured, as HTML, Markdown, LaTeX and CSV."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.cli.options import a_path, add_include, include_all
from tttbench.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from tttbench.published.known_tasks import KnownTask

HELP = "render the paper's tables with what runs have measured"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "runs", nargs="*", type=a_path, metavar="RUN", help="run directories; of equal cells the last counts"
    )
    parser.add_argument("--out", type=a_path, default=Path("tables"), metavar="DIR", help="folder (default: tables)")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="IN-RUN=IN-TABLE",
        help="what a system or task of the runs is in the tables, e.g. ttt:/models/x=ttt:TtT-3B, asr_folder=fleurs_en",
    )
    parser.add_argument(
        "--published", type=a_path, metavar="FILE", help="a TOML file of tables in place of the shipped one"
    )
    add_include(parser)


def run(args: argparse.Namespace) -> int:
    """Write all files, and say how many cells are measured."""
    from tttbench.data.atomic import write_atomic
    from tttbench.pages.paper_tables import render_all
    from tttbench.published import SHIPPED, load_tables
    from tttbench.published.measured import fill, found_in, measured_run
    from tttbench.store.read_model import Run

    include_all(args.include)
    names = dict(_name(value) for value in args.name)
    runs = []
    for folder in args.runs:
        with Run.open(folder) as run:
            runs.append(measured_run(run))
    if runs:
        known = {name for run in runs for name in (*run.systems, *run.samples)}
        for name in names.keys() - known:
            raise UserError(
                f"--name {name!s:.60}=…: these runs have no such system or task. {did_you_mean(name, known)}"
            )
    filled = fill(load_tables(args.published or SHIPPED), found_in(runs, names), known_tasks())
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {args.out}: cannot be made: {error.strerror}. Give another folder.") from error
    for name, text in render_all(filled).items():
        write_atomic(args.out / name, text.encode())
    for table in filled:
        cells = sum(len(row) for block in table.blocks for row in block.cells)
        print(f"{table.table.id}: {table.n_measured} of {cells} cells measured")
    if runs and not any(table.n_measured for table in filled):
        own = ", ".join(sorted({task for run in runs for task in run.samples})) or "none"
        print(
            f"No cell is measured: these runs have other systems or tasks ({own:.200}) than the tables, whose cells "
            "say what would fill them; --name IN-RUN=IN-TABLE says what is what."
        )
    print(f"Tables: {args.out / 'tables.html'}")
    return 0


def known_tasks() -> dict[str, KnownTask]:
    """The tasks that there are; of those that can't be built nothing is known."""
    from tttbench.core.plugins import build_task, tasks
    from tttbench.published.known_tasks import KnownTask

    found = {}
    for name in tasks.names():
        found[name] = KnownTask()
        with suppress(UserError):  # a plug-in's own fault, of which a run that names it is told
            task = build_task(name)
            found[name] = KnownTask(task.size, task.missing, tuple(one.id for one in task.judged or task.scores))
    return found


def _name(value: str) -> tuple[str, str]:
    in_run, equals, in_table = value.partition("=")
    if not (in_run and equals and in_table):
        raise UserError(f"--name {value}: must be IN-RUN=IN-TABLE, e.g. asr_folder=fleurs_en.")
    return in_run, in_table
