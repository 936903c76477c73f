"""``tttbench list KIND``: the names that can be given."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tttbench.cli.options import add_include, include_all
from tttbench.core.errors import UserError

HELP = "list systems, tasks, suites, strategies, scorers and whatever else has a name"


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
    from tttbench.core.plugins import system_names, systems

    return [[name, systems.get(name.partition(":")[0]).summary] for name in system_names()]


def _tasks(_: list[Path]) -> list[list[str]]:
    from tttbench.core.plugins import build_task, tasks

    made = []
    for name in tasks.names():
        try:
            task = build_task(name)
        except UserError as error:
            made.append([name, "unusable", str(error), ""])
            continue
        made.append([task.name, task.family, task.title, task.description])
    return made


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
    from tttbench.core.plugins import scorers

    return [
        [f"{name}:{','.join(f'{option}=…' for option in entry.options)}".rstrip(":"), entry.summary]
        for name in scorers.names()
        for entry in [scorers.get(name)]
    ]


def _summaries(kind: str) -> Callable[[list[Path]], list[list[str]]]:
    def rows(_: list[Path]) -> list[list[str]]:
        from tttbench.core import plugins

        registry = getattr(plugins, kind)
        return [[name, registry.get(name).summary] for name in registry.names()]

    return rows


def _recipes(_: list[Path]) -> list[list[str]]:
    from tttbench.scorers.matchers import PUBLISHED
    from tttbench.scorers.presets import PRESETS

    texts = [
        [name, one.language, ", ".join(f"{key}={value}" for key, value in one.options.items()), one.summary]
        for name, one in PRESETS.items()
    ]
    return [*texts, *([name, "", f"matcher={one.name}", "of answers to questions"] for name, one in PUBLISHED.items())]


def _strategies(_: list[Path]) -> list[list[str]]:
    from tttbench.core.plugins import systems

    decodings = [systems.get(name).decoding for name in systems.names()]
    return [list(row) for decoding in decodings if decoding is not None for row in decoding.strategies()]


_LISTS: dict[str, Callable[[list[Path]], list[list[str]]]] = {
    "systems": _systems,
    "tasks": _tasks,
    "suites": _suites,
    "scorers": _scorers,
    "recipes": _recipes,
    "derivers": _summaries("derivers"),
    "normalizers": _summaries("normalizers"),
    "sources": _summaries("sources"),
    "strategies": _strategies,
}
