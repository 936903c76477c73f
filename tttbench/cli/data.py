"""``tttbench data build RECIPE``: make a data set from its recipe."""

from __future__ import annotations

import argparse
import importlib

from tttbench.core.errors import UserError, did_you_mean

HELP = "build a data set from its recipe"

RECIPES = {"mini": "tttbench.miniworld.build", "mini2": "tttbench.miniworld.second.build"}
"""Data sets and the modules that build them, each with ``main(arguments) -> exit status``."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    build = actions.add_parser("build", help=HELP, description=f"{HELP}. Recipes: {', '.join(RECIPES)}.")
    build.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(RECIPES)}")
    build.add_argument("arguments", nargs=argparse.REMAINDER, help="options of the recipe (RECIPE --help shows them)")


def run(args: argparse.Namespace) -> int:
    """Hand over to the recipe."""
    if args.recipe not in RECIPES:
        raise UserError(f"Unknown recipe {args.recipe!r}. {did_you_mean(args.recipe, RECIPES)}")
    return int(importlib.import_module(RECIPES[args.recipe]).main(args.arguments) or 0)
