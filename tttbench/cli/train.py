"""``tttbench train CONFIG``: train a model of the reference implementation from its training config."""

from __future__ import annotations

import argparse
import importlib

HELP = "train a model from its training config"

TRAINER = "tttbench.training.run"
"""The module that trains, with ``main(arguments) -> exit status``."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("config", metavar="CONFIG", help="name or file of the training config")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="options of the trainer")


def run(args: argparse.Namespace) -> int:
    """Hand over to the trainer."""
    from tttbench.core.extras import require

    require("train", "tttbench train")
    return int(importlib.import_module(TRAINER).main([args.config, *args.arguments]) or 0)
