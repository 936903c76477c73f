"""The options of ``tttbench probe`` that take several values, and what was chosen with them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence

from tttbench.cli.options import positive
from tttbench.core.errors import UserError
from tttbench.probes.axes import AXES, Value, shown

_HELP: Mapping[str, tuple[str, str]] = {
    "prompt_codes": ("N,…", "codes of speech in a synthetic prompt"),
    "span_codes": ("N,…", "codes of speech in a synthetic answer, one span"),
    "block_length": ("N,…", "masks appended at a time"),
    "block_lengths": ("N+N…,…", "masks of the first block, of the second, … of all later ones, e.g. 8+16+26"),
    "steps_per_block": ("N,…", "passes a block takes"),
    "cfg": ("W,…", "classifier-free guidance; 0 is off"),
    "cache": ("MODE,…", "cache modes, e.g. exact,refresh,block"),
    "refresh_every": ("N,…", "passes from one refresh to the next, with --cache refresh"),
    "batch_size": ("N,…", "requests a call (default: 1)"),
    "strategy": ("S,…", "decoding strategies, e.g. topk,threshold:tau=0.9"),
}


def add_axes(parser: argparse.ArgumentParser) -> None:
    """Add an option for every axis."""
    group = parser.add_argument_group(
        "sweep",
        "Each takes one value or several, separated by commas, and may be repeated; every combination of the values is "
        "measured. Settings are compared on synthetic requests, whose lengths are the same at every point, unless "
        "--task or --synthetic says what to ask. What isn't given stays as the system has it.",
    )
    readers = {"cfg": _guidance, "cache": _texts, "strategy": _strategies, "block_lengths": _schedules}
    for axis in AXES:
        metavar, said = _HELP[axis.name]
        group.add_argument(
            axis.option,
            dest=axis.name,
            action="extend",
            default=[],
            type=readers.get(axis.name, _whole_numbers),
            metavar=metavar,
            help=said,
        )


def chosen_axes(args: argparse.Namespace) -> dict[str, Sequence[Value]]:
    """Return the values of every axis that was given, by its name.

    Raises:
        UserError: a value given twice, or two options of which one takes the other's place.
    """
    chosen: dict[str, Sequence[Value]] = {}
    for axis in AXES:
        values: list[Value] = getattr(args, axis.name)
        for at, value in enumerate(values):
            if value in values[:at]:
                raise UserError(f"{axis.option}: {shown(value)} stands there twice; remove one.")
        if values:
            chosen[axis.name] = values
    if {"block_length", "block_lengths"} <= chosen.keys():
        raise UserError("--block-length and --block-lengths: one takes the place of the other; leave one out.")
    return chosen


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise argparse.ArgumentTypeError("needs at least one value")
    return parts


def _whole_numbers(text: str) -> list[Value]:
    return [positive(part) for part in _parts(text)]


def _guidance(text: str) -> list[Value]:
    return [number_from(part, 0.0) for part in _parts(text)]


def number_from(text: str, least: float) -> float:
    """Read a finite number of ``least`` or more."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of {least:g} or more, not {text!r}")
    return value


def _texts(text: str) -> list[Value]:
    return list(_parts(text))


def _schedules(text: str) -> list[Value]:
    return ["+".join(str(positive(length)) for length in part.split("+")) for part in _parts(text)]


def _strategies(text: str) -> list[Value]:
    """Split at commas; ``OPTION=VALUE`` belongs to the strategy before it."""
    found: list[str] = []
    for part in _parts(text):
        if not re.match(r"\w+\s*=", part):
            found.append(part)
        elif found and ":" in found[-1]:
            found[-1] += f",{part}"
        else:
            before = found[-1] if found else "STRATEGY"
            raise argparse.ArgumentTypeError(f"{part!r} is no strategy; options follow a colon: {before}:{part}")
    return list(found)
