"""``tttbench judge sample`` and ``judge correct``: answers drawn for a person to label, and results corrected."""

from __future__ import annotations

import argparse
import sys

from tttbench.cli.options import a_path, add_include, include_all, positive, seed
from tttbench.core.errors import StorageError, UserError


def configure(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both actions."""
    sample = actions.add_parser("sample", help="draw graded answers of a run at random, for a person to label")
    sample.add_argument("folder", type=a_path, metavar="RUN", help="run directory")
    sample.add_argument("--n", type=positive, default=100, metavar="N", help="answers, of all systems (default: 100)")
    sample.add_argument("--task", default="", metavar="TASK", help="of this one (default: the first with a judge)")
    sample.add_argument("--score", default="", metavar="ID", help="of this one (default: the judge's first)")
    sample.add_argument("--seed", type=seed, default=0, help="of the drawing (default: 0)")
    sample.add_argument(
        "--out", type=a_path, default=None, metavar="FILE", help=".csv or .jsonl (default: labels-TASK-ID.csv)"
    )
    _shared(sample)
    sample.set_defaults(action=_sample)

    correct = actions.add_parser("correct", help="show a run's results corrected by the labels of a sheet")
    correct.add_argument("folder", type=a_path, metavar="RUN", help="run directory")
    correct.add_argument("sheet", type=a_path, metavar="SHEET", help="of 'judge sample', with labels filled in")
    _shared(correct)
    correct.set_defaults(action=_correct)


def _shared(parser: argparse.ArgumentParser) -> None:
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def _sample(args: argparse.Namespace) -> int:
    from tttbench.core.serialize import to_json
    from tttbench.data.atomic import write_atomic
    from tttbench.pipeline.label_sheets import draw, instruction, sheet_text
    from tttbench.store.run_directory import RunStore

    include_all(args.include)
    with RunStore.open(args.folder) as store:
        drawn = draw(store, args.n, task=args.task, score=args.score, seed=args.seed % 2**32)
    path = args.out or a_path(f"labels-{drawn.task}-{drawn.score}.csv")
    if path.suffix not in (".csv", ".jsonl"):
        raise UserError(f"--out {path}: must end in .csv or .jsonl.")
    if path.exists():
        raise UserError(f"--out {path}: is there already, maybe with labels; give another name.")
    try:
        write_atomic(path, sheet_text(drawn, path.suffix).encode())
    except (OSError, StorageError) as error:
        raise UserError(f"--out {path}: can't be written: {error}") from error
    shares = ", ".join(f"{count} of {system}" for system, count in drawn.by_system.items())
    print(f"{path}: {len(drawn.rows)} answers of {drawn.score} on {drawn.task}, in random order ({shares}).")
    if len(drawn.rows) < args.n:
        print(f"There are no more that could be labeled; {args.n} were asked for.", file=sys.stderr)
    print(f"Fill in the column 'label': {instruction(drawn.info)}. Don't skip hard ones. Then:")
    print(f"  tttbench judge correct {args.folder} {path}")
    if args.json:
        shown = {"sheet": str(path), "task": drawn.task, "score": drawn.score, "rows": len(drawn.rows)}
        print(to_json({**shown, "by_system": dict(drawn.by_system)}))
    return 0


def _correct(args: argparse.Namespace) -> int:
    from tttbench.core.serialize import plain_fields, to_json
    from tttbench.pages import render
    from tttbench.pages.labels import corrected_line
    from tttbench.pipeline.label_sheets import correct
    from tttbench.store.run_directory import RunStore

    include_all(args.include)
    with RunStore.open(args.folder, write=True) as store:
        summary = correct(store, args.sheet)
    for one in summary.corrected:
        print(corrected_line(one, summary.metrics[one.metric]))
    print(f"Report: {render(args.folder)}")
    if args.json:
        print(to_json({"corrected": [plain_fields(one) for one in summary.corrected]}))
    return 0
