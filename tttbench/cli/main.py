"""The command line: which commands there are, and how errors and interrupts end them.

Every command is a file of ``tttbench.cli``: ``HELP``, ``configure(parser)`` and ``run(args) -> exit status``. Heavy
imports stand inside ``run``, so that ``--help`` answers at once.

Exit status: 0 done, 1 done with errors (or stopped by a full disk), 2 wrong call, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from types import ModuleType
from typing import NoReturn

from tttbench import __version__
from tttbench.cli import (
    advantage,
    baseline,
    data,
    doctor,
    explain,
    gate,
    judge,
    list_names,
    nll,
    probe,
    report,
    rescore,
    run,
    tables,
    train,
)
from tttbench.cli.leave import leave
from tttbench.cli.terminal import made_safe, shown
from tttbench.core.errors import UserError, unusable_path
from tttbench.core.extras import explained
from tttbench.core.secrets import masked

COMMANDS: Mapping[str, ModuleType] = {
    "run": run,
    "report": report,
    "rescore": rescore,
    "explain": explain,
    "judge": judge,
    "gate": gate,
    "baseline": baseline,
    "probe": probe,
    "advantage": advantage,
    "nll": nll,
    "tables": tables,
    "list": list_names,
    "doctor": doctor,
    "data": data,
    "train": train,
}

INTERRUPTED = 130
DEFECT = 70


def entry() -> NoReturn:
    """Run the process's own command line, and end the process."""
    leave(main)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's own) and return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # What a training draws is its own, and no names are in it.
    with nullcontext() if arguments[:1] == ["train"] else made_safe():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    args = build_parser().parse_args(arguments)
    args.command_line = ["tttbench", *arguments]
    try:
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except UserError as error:
        return _complain(str(error), error.exit_status, args)
    except KeyboardInterrupt:
        return _complain("interrupted.", INTERRUPTED, args)
    except BrokenPipeError:
        # The reader of our output has gone; what Python would flush at exit has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(getattr(args, "status_if_unread", 0))
    except SystemExit as left:
        if _by_argparse(left):  # of a command that reads the rest of its line itself
            raise
        return _complain(f"a plug-in called sys.exit({left.code!r}), which ends nothing but itself.", 1, args)
    except Exception as error:
        outside = explained(error) if isinstance(error, ImportError) else None
        outside = outside or (unusable_path(error) if isinstance(error, OSError) else "")
        if outside:
            return _complain(outside, UserError.exit_status, args)
        if args.debug:
            raise
        message = f"{type(error).__name__}: {error} (a defect of tttbench; --debug shows where)"
        return _complain(message, DEFECT, args)


def _by_argparse(left: SystemExit) -> bool:
    """Whether it is argparse that leaves, after ``--help`` or a wrong option."""
    at = left.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and at.tb_frame.f_code.co_filename == argparse.__file__


class _Parser(argparse.ArgumentParser):
    """Repeats no key that was given where none is taken."""

    def error(self, message: str) -> NoReturn:
        super().error(masked(message))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="tttbench",
        description="Evaluation and benchmarking of speaking language models.",
        epilog="'tttbench run' evaluates the default suite and writes a report. 'tttbench COMMAND --help' says more.",
    )
    parser.add_argument("--version", action="version", version=f"tttbench {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.HELP, description=command.HELP)
        command.configure(sub)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        sub.set_defaults(run=command.run)
    return parser


def _complain(message: str, status: int, args: argparse.Namespace) -> int:
    message = masked(message)
    if args.debug:
        import traceback

        traceback.print_exc()
    print(f"tttbench: {shown(message)}", file=sys.stderr)
    if getattr(args, "json", False):
        state = "interrupted" if status == INTERRUPTED else "failed"
        print(json.dumps({"status": state, "error": message}))
    return status
