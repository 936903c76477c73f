"""``tttbench list KIND``: the names that can be given."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tttbench.cli.options import add_include, include_all
from tttbench.core.errors import UserError

HELP = "list systems, tasks, suites, strategies, scorers and whatever else has a name"


_BELOW = (
    "Samples, hours and license are those of the published test set; what is blank couldn't be verified, or is up to "
    "your own data. How each is laid out on disk: docs/datasets.md."
)

WIDTH = 120
"""Columns that a line of prose takes at most."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("kind", choices=sorted([*_LISTS, "scorers", "tasks"]), help="what to list")
    parser.add_argument("--long", action="store_true", help="of tasks: what each measures, too")
    add_include(parser)


def run(args: argparse.Namespace) -> int:
    """Print the names with a line about each."""
    from tttbench.cli.columns import columns

    include_all(args.include)
    if args.kind == "tasks":
        print("\n".join(_tasks(long=args.long)))
        return 0
    if args.kind == "scorers":
        print("\n".join(_scorers()))
        return 0
    rows = _LISTS[args.kind](args.include)
    if rows:
        print(columns(rows))
    return 0


def _systems(_: list[Path]) -> list[list[str]]:
    from tttbench.core.plugins import system_names, systems

    return [[name, systems.get(name.partition(":")[0]).summary] for name in system_names()]


def _tasks(*, long: bool) -> list[str]:
    """A table of the tasks, and below each where to get its data; what isn't known is left blank."""
    from tttbench.cli.columns import columns
    from tttbench.core.plugins import build_task, tasks

    rows = [["task", "family", "language", "samples", "hours", "license", "title"]]
    below: list[list[str]] = [[]]
    for name in tasks.names():
        try:
            task = build_task(name)
        except UserError as error:
            rows.append([name, "unusable", "", "", "", "", ""])
            below.append(_wrapped(str(error)))
            continue
        size, hours = f"{task.size:,}" if task.size else "", f"{task.hours:g}" if task.hours else ""
        rows.append([task.name, task.family, task.language, size, hours, task.license, task.title])
        lacking = _wrapped(f"published score missing: needs {task.missing}") if task.missing else []
        below.append([*_wrapped(task.get), *lacking, *(_wrapped(task.description) if long else [])])
    lines = columns(rows, right=frozenset({3, 4})).splitlines()
    return [*(line for row, more in zip(lines, below, strict=True) for line in (row, *more)), "", *_wrapped(_BELOW, 0)]


def _wrapped(text: str, columns: int = 4) -> list[str]:
    """A text as lines of ``WIDTH`` columns at most, set in by ``columns``."""
    import textwrap

    from tttbench.cli.terminal import one_line

    indent = " " * columns
    return textwrap.wrap(one_line(text), WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _suites(folders: list[Path]) -> list[list[str]]:
    from tttbench.config.suite import load_suite, suite_files
    from tttbench.scorers.words import plural

    rows = []
    for name in suite_files(folders):
        try:
            suite = load_suite(name, folders)
        except UserError as error:
            rows.append([name, f"unusable: {error}"])
            continue
        size = f"{plural(len(suite.systems), 'system')}, {plural(len(suite.tasks), 'task')}"
        rows.append([name, f"{suite.title} ({size})"])
    return rows


def _scorers() -> list[str]:
    """What each gives, and below it its options."""
    from tttbench.cli.columns import columns
    from tttbench.core.plugins import scorers

    entries = {name: scorers.get(name) for name in scorers.names()}
    lines = columns([[name, entry.summary] for name, entry in entries.items()]).splitlines()
    below = [_wrapped(f"options: {', '.join(entry.options)}" if entry.options else "") for entry in entries.values()]
    return [line for row, more in zip(lines, below, strict=True) for line in (row, *more)]


def _summaries(kind: str) -> Callable[[list[Path]], list[list[str]]]:
    def rows(_: list[Path]) -> list[list[str]]:
        from tttbench.core import plugins

        registry = getattr(plugins, kind)
        return [[name, registry.get(name).summary] for name in registry.names()]

    return rows


def _recipes(_: list[Path]) -> list[list[str]]:
    from tttbench.core.judge_presets import JUDGE_PRESETS
    from tttbench.core.judging import SCALES
    from tttbench.derive.judge.prompts import load_prompt
    from tttbench.scorers.matchers import PUBLISHED
    from tttbench.scorers.presets import PRESETS
    from tttbench.scorers.repetition import FORMS

    texts = [
        [name, one.language, ", ".join(f"{key}={value}" for key, value in one.options.items()), one.summary]
        for name, one in PRESETS.items()
    ]
    matched = [[name, "", f"matcher={one.name}", "of answers to questions"] for name, one in PUBLISHED.items()]
    repeated = [
        [name, name.partition("-")[2], f"normalizer={normalizer}", "of repetition: URO-Bench, sentences to be repeated"]
        for name, (normalizer, _) in FORMS.items()
    ]
    judged = [
        [name, "", ", ".join((one.prompt, *(f"{key}={value}" for key, value in one.options.items()))), one.summary]
        for name, one in JUDGE_PRESETS.items()
    ]
    prompts = [[name, "", "judge=…", load_prompt(name).summary] for name in SCALES if name not in JUDGE_PRESETS]
    return [*texts, *matched, *repeated, *prompts, *judged]


def _strategies(_: list[Path]) -> list[list[str]]:
    from tttbench.core.plugins import systems

    decodings = [systems.get(name).decoding for name in systems.names()]
    return [list(row) for decoding in decodings if decoding is not None for row in decoding.strategies()]


_LISTS: dict[str, Callable[[list[Path]], list[list[str]]]] = {
    "systems": _systems,
    "suites": _suites,
    "recipes": _recipes,
    "derivers": _summaries("derivers"),
    "normalizers": _summaries("normalizers"),
    "sources": _summaries("sources"),
    "strategies": _strategies,
}
