"""``tttbench data build RECIPE`` makes a data set from its recipe, ``data get TASK`` fetches a published one."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.cli.options import a_path, add_include, include_all
from tttbench.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from tttbench.core.task import HubFiles, Task

HELP = "build a data set from its recipe, or fetch a published one"

RECIPES = {"mini": "tttbench.miniworld.build", "mini2": "tttbench.miniworld.second.build"}
"""Data sets and the modules that build them, each with ``main(arguments) -> exit status``."""

_BUILD = "build a data set from its recipe"
_GET = "fetch the published data of a task from the Hugging Face hub: resumed, and checked against the hub's hashes"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    build = actions.add_parser("build", help=_BUILD, description=f"{_BUILD}. Recipes: {', '.join(RECIPES)}.")
    build.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(RECIPES)}")
    build.add_argument("arguments", nargs=argparse.REMAINDER, help="options of the recipe (RECIPE --help shows them)")
    get = actions.add_parser("get", help=_GET, description=f"{_GET}.")
    get.add_argument("task", metavar="TASK", help="a task of 'tttbench list tasks'")
    get.add_argument("--out", type=a_path, metavar="DIR", help="folder (default: data/ and the data set's name)")
    get.add_argument("--revision", default="main", metavar="REV", help="branch, tag or commit (default: main)")
    add_include(get)


def run(args: argparse.Namespace) -> int:
    """Hand over to the recipe, or fetch the data."""
    if args.action == "get":
        return _get(args)
    if args.recipe not in RECIPES:
        raise UserError(f"Unknown recipe {args.recipe!r}. {did_you_mean(args.recipe, RECIPES)}")
    return int(importlib.import_module(RECIPES[args.recipe]).main(args.arguments) or 0)


def _get(args: argparse.Namespace) -> int:
    """Fetch the data of a task; say under which license, from where and to where, and how to run them."""
    from tttbench.cli.dry_run import size
    from tttbench.core.plugins import build_task
    from tttbench.data.hub import fetch, files_line, list_hub

    include_all(args.include)
    task = build_task(args.task)
    if task.hub is None:
        raise UserError(f"{task.name}: {_no_hub(task)}")
    listing = list_hub(task.hub, args.revision)
    folder = args.out or Path("data") / listing.repo.partition("/")[2]
    print(f"{task.title}: {listing.repo} at commit {listing.commit[:12]}")
    print(f"License: {_license(task, listing.license)}")
    print(f"Files: {files_line(listing.files)}; {size(listing.n_bytes)}")
    print(f"Into: {folder}", flush=True)
    done = 0

    def on_file(file: object) -> None:
        nonlocal done
        done += 1
        if len(listing.files) > 1:
            print(f"{done} of {len(listing.files)} files are there, hashes agree", file=sys.stderr)

    fetch(listing, folder, on_file)
    print(f"Done: {len(listing.files)} files, {size(listing.n_bytes)}, hashes agree with the hub's.")
    print(f"Run: {_command(task.name, task.hub, folder)}")
    return 0


def _no_hub(task: Task) -> str:
    if not task.get:
        return "brings its data along, or makes them; there is nothing to fetch."
    return f"can't be fetched from here. Get it {task.get.rstrip('.')}, and give it with --data {task.name}=PATH."


def _license(task: Task, stated: str) -> str:
    """What the task's file says of the license and what the hub's card says, where they differ both."""
    if not stated:
        return f"{task.license or 'not known'}; its card on the hub states none"
    if stated.lower().replace("-", " ") == task.license.lower().replace("-", " "):
        return task.license
    return f"{stated}, as its card on the hub says" + (f"; {task.license}, as known here" if task.license else "")


def _command(name: str, hub: HubFiles, folder: Path) -> str:
    return shlex.join(
        ["tttbench", "run", "--systems", "SYSTEM", "--tasks", name, "--data", f"{name}={folder / hub.data}"]
    )
