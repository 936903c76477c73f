"""``tttbench explain RUN [RUN]``: the same answers under every preset, and one preset taken apart step by step."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tttbench.cli.options import a_path, add_include, include_all
from tttbench.core.errors import StorageError, UserError

if TYPE_CHECKING:
    from tttbench.scorers.explained import Explanation

HELP = "show the same answers under every preset: which rule of scoring moves the value by how much"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "runs", nargs="+", type=a_path, metavar="RUN", help="run directories; with --references files of answers"
    )
    parser.add_argument("--task", default="", metavar="TASK", help="this one only")
    parser.add_argument(
        "--steps", default="", metavar="PRESET", help="the preset to take apart (default: the language's own)"
    )
    parser.add_argument("--examples", type=_number, default=3, metavar="N", help="samples a step (default: 3)")
    parser.add_argument(
        "--references",
        type=a_path,
        metavar="FILE",
        help="explain files of answers instead of runs; lines of all files: an id, a tab, a text",
    )
    parser.add_argument("--language", metavar="TAG", help="of the texts of --references (default: en)")
    parser.add_argument("--html", type=a_path, metavar="FILE", help="write the tables as a page, too")
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def run(args: argparse.Namespace) -> int:
    """Explain, show."""
    from tttbench.cli.explain_tables import show
    from tttbench.core.serialize import to_json

    include_all(args.include)
    found = _explained(args)
    for explanation in found:
        print(show(explanation))
    if args.html is not None:
        from tttbench.data.atomic import write_atomic
        from tttbench.pages.explained import explained_page

        try:
            write_atomic(args.html, explained_page(found).encode())
        except (OSError, StorageError) as error:
            raise UserError(f"--html {args.html}: can't be written: {error}") from error
        print(f"Page: {args.html}")
    if args.json:
        print(to_json({"explanations": found}))
    return 0


def _explained(args: argparse.Namespace) -> list[Explanation]:
    from contextlib import ExitStack

    from tttbench.core.language import language_fault, primary_language
    from tttbench.pipeline.explain import Asked, explain_runs, explain_texts
    from tttbench.store.read_model import Run

    asked = Asked(args.task, args.steps, args.examples)
    if args.references is not None:
        if args.task:
            raise UserError(f"--task {args.task!s:.60}: files of answers have no tasks; leave it out.")
        language = "en" if args.language is None else args.language
        if fault := language_fault(language):
            raise UserError(f"--language {fault}")
        return [explain_texts(args.references, args.runs, primary_language(language), asked)]
    if args.language is not None:
        raise UserError("--language: is of the texts of --references; runs know their languages, so leave it out.")
    with ExitStack() as opened:
        return explain_runs([opened.enter_context(Run.open(folder)) for folder in args.runs], asked)


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) < 7):
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, not {text!r:.40}")
    return int(text)
