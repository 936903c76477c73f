"""``tttbench list KIND``: the names that can be given."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

from tttbench.cli.options import add_include, include_all
from tttbench.core.errors import UserError

HELP = "list systems, tasks, suites, strategies or scorers"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("kind", choices=sorted(_LISTS), help="what to list")
    add_include(parser)


def run(args: argparse.Namespace) -> int:
    """Print the names with a line about each."""
    from tttbench.cli.columns import columns

    include_all(args.include)
    rows = _LISTS[args.kind](args.include)
    if rows:
        print(columns(rows))
    return 0


def _systems(_: list[Path]) -> list[list[str]]:
    from tttbench.core.registry import system_names, systems

    rows = [[name, systems.get(name.partition(":")[0]).summary] for name in system_names()]
    _warn(systems.problems)
    return rows


def _tasks(_: list[Path]) -> list[list[str]]:
    from tttbench.core.registry import build_task, tasks

    made = [build_task(name) for name in tasks.names()]
    _warn(tasks.problems)
    return [[task.name, task.kind, task.title, task.description] for task in made]


def _suites(folders: list[Path]) -> list[list[str]]:
    from tttbench.config.suite import load_suite, suite_files

    rows = []
    for name in suite_files(folders):
        try:
            suite = load_suite(name, folders)
        except UserError as error:
            rows.append([name, f"unusable: {error}"])
            continue
        size = f"{len(suite.systems)} systems, {len(suite.tasks)} tasks"
        rows.append([name, f"{suite.title} ({size})"])
    return rows


def _scorers(_: list[Path]) -> list[list[str]]:
    from tttbench.core.registry import scorers

    found = [scorers.get(name) for name in scorers.names()]
    _warn(scorers.problems)
    return [
        [entry.name, "lower is better" if entry.lower_is_better else "higher is better", entry.title] for entry in found
    ]


def _strategies(_: list[Path]) -> list[list[str]]:
    from reference_model.decoding import make_strategy, strategy_names

    return [_strategy_row(name, make_strategy(name)) for name in strategy_names()]


def _strategy_row(name: str, strategy: object) -> list[str]:
    """``NAME``, or ``NAME:OPTION=DEFAULT,…`` as ``--systems`` takes it, and the first line about it."""
    options = dataclasses.fields(strategy) if dataclasses.is_dataclass(strategy) else ()
    given = ",".join(f"{option.name}={getattr(strategy, option.name)}" for option in options)
    return [f"{name}:{given}" if given else name, (strategy.__doc__ or "").partition("\n")[0]]


def _warn(problems: dict[str, str]) -> None:
    for module, reason in problems.items():
        print(f"{module}: cannot be imported: {reason}", file=sys.stderr)


_LISTS: dict[str, Callable[[list[Path]], list[list[str]]]] = {
    "systems": _systems,
    "tasks": _tasks,
    "suites": _suites,
    "scorers": _scorers,
    "strategies": _strategies,
}
