"""``tttbench train RECIPE``: train a model of the reference implementation from its recipe."""

from __future__ import annotations

import argparse
import importlib

HELP = "train a model from its recipe"

TRAINER = "tttbench.training.run"
"""The module that trains, with ``main(arguments) -> exit status``."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("recipe", metavar="RECIPE", help="name or file of the recipe")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="options of the trainer")


def run(args: argparse.Namespace) -> int:
    """Hand over to the trainer."""
    from tttbench.core.extras import require

    require("train", "tttbench train")
    return int(importlib.import_module(TRAINER).main([args.recipe, *args.arguments]) or 0)
