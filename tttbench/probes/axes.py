"""What a probe can sweep over, and the points that several values of each make. Knows names and values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tttbench.core.json_values import JsonValue

Value = str | int | float
Point = Mapping[str, Value]
"""A value for each axis that is swept over, by the axis's name."""


@dataclass(frozen=True)
class Axis:
    """One thing that can be varied.

    Attributes:
        name: in JSON; for decode settings their own name.
        option: of the command line.
        title: for tables and pictures.
        sets: what it changes: the ``decode`` settings, the ``strategy``, the ``lengths`` of synthetic requests, or how
            many are asked at once (``batch``).
        is_list: whether a value is several whole numbers, written with plus signs between them: ``8+16+26``.
    """

    name: str
    option: str
    title: str
    sets: Literal["decode", "strategy", "lengths", "batch"]
    is_list: bool = False

    def setting(self, value: Value) -> JsonValue:
        """Return a value as the system takes it."""
        return [int(part) for part in str(value).split("+")] if self.is_list else value


AXES: tuple[Axis, ...] = (
    Axis("prompt_codes", "--prompt-codes", "prompt codes", "lengths"),
    Axis("span_codes", "--span-codes", "span codes", "lengths"),
    Axis("block_length", "--block-length", "block length", "decode"),
    Axis("block_lengths", "--block-lengths", "block lengths", "decode", is_list=True),
    Axis("steps_per_block", "--steps", "steps", "decode"),
    Axis("cfg", "--cfg", "CFG", "decode"),
    Axis("cache", "--cache", "cache", "decode"),
    Axis("refresh_every", "--refresh-every", "refresh every", "decode"),
    Axis("batch_size", "--batch-size", "batch size", "batch"),
    Axis("strategy", "--strategy", "strategy", "strategy"),
)
"""In the order of tables and pictures."""

BY_NAME: Mapping[str, Axis] = {axis.name: axis for axis in AXES}


def product(chosen: Mapping[str, Sequence[Value]]) -> list[Point]:
    """Return every combination of the values, the last axis fastest; one empty point if nothing is chosen."""
    return [dict(zip(chosen, values, strict=True)) for values in itertools.product(*chosen.values())]


def swept(points: Sequence[Point]) -> list[Axis]:
    """Return the axes on which the points differ, in the order of ``AXES``."""
    return [axis for axis in AXES if len({point.get(axis.name) for point in points}) > 1]


def shown(value: Value | None) -> str:
    """Return a value as it would be written in a call; a dash for none."""
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def in_words(point: Point) -> str:
    """Return the point as options: ``--steps 2 --cache exact``."""
    return " ".join(f"{BY_NAME[name].option} {shown(value)}" for name, value in point.items())
