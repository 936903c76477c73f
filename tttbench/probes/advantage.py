"""Two systems probed over the same batch sizes and lengths: how many times as fast is the first, and where does it end?

Knows the documents of two probes; no system and no clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.core.tables import Document, MaybeNan, read_table
from tttbench.data.documents import read_json

METRIC = "answers_per_s"
"""What is compared: of answers of equal length it says the same as audio tokens a second."""

AXES = ("prompt_codes", "span_codes", "batch_size")
"""What two points must have in common; all else (steps, strategy …) is each system's own way."""


@dataclass(frozen=True)
class _Interval:
    median: MaybeNan
    low: MaybeNan
    high: MaybeNan


@dataclass(frozen=True)
class Probed:
    """What is read of a probe: the system, what it was made on, and answers a second by lengths and batch size."""

    system: str
    made_on: str
    rates: Mapping[tuple[int, int, int], _Interval]
    busy: bool


@dataclass(frozen=True)
class Advantage:
    """How many times as fast the first of two systems is at one point.

    Attributes:
        prompt_codes, span_codes, batch_size: the point.
        first, second: answers a second, medians over repeats.
        ratio, low, high: first over second, from the least to the most that the two 95 % intervals of the medians
            allow: wider than an interval of 95 %; NaN where one of them has none.
    """

    prompt_codes: int
    span_codes: int
    batch_size: int
    first: float
    second: float
    ratio: float
    low: float
    high: float

    @property
    def faster(self) -> str:
        """``"first"``, ``"second"``, or ``""`` where the intervals leave it open."""
        return "first" if self.low > 1 else "second" if self.high < 1 else ""


def read_probe(path: Path) -> Probed:
    """Read ``probe.json``, or the one in a folder.

    Raises:
        UserError: it isn't there, is no probe of synthetic requests, has points that differ in more than lengths and
            batch size, or none.
    """
    path = path / "probe.json" if path.is_dir() else path
    document = read_json(path, absent="Give the folder or file of a probe (tttbench probe).")
    values = document.values
    if not isinstance(values, Mapping) or not isinstance(values.get("points"), list):
        raise UserError(f"{path}: is no probe; give what tttbench probe has written.")
    rates: dict[tuple[int, int, int], _Interval] = {}
    busy = False
    for at, entry in enumerate(values["points"]):
        where = f"points[{at}]"
        found: Any = entry if isinstance(entry, Mapping) else {}
        point = found.get("point")
        values_of: list[Any] = [point.get(axis) for axis in AXES] if isinstance(point, Mapping) else []
        if not values_of or not all(isinstance(one, int) for one in values_of):
            what = f"has no {', '.join(AXES)}; probe with --span-codes and --batch-size, without --task."
            raise document.error(f"{where}.point", what)
        key: tuple[int, int, int] = (values_of[0], values_of[1], values_of[2])
        if key in rates:
            raise document.error(
                f"{where}.point", "differs from another in more than lengths and batch size; probe one."
            )
        interval = found.get("intervals", {}).get(METRIC)
        if interval is None:
            continue  # a point whose requests failed
        rates[key] = _interval(interval, document, f"{where}.intervals.{METRIC}")
        busy = busy or bool(found.get("busy"))
    if not rates:
        raise UserError(f"{path}: has no point with answers; probe again.")
    machine = values.get("machine")
    facts = machine if isinstance(machine, Mapping) else {}
    named = [str(facts[name]) for name in ("device", "processor", "gpu") if facts.get(name)]
    made_on = ", ".join([*named, f"cores: {facts.get('cores', '')}"])
    return Probed(str(values.get("system", "")), made_on, rates, busy)


def _interval(value: JsonValue, document: Document, where: str) -> _Interval:
    kept = {name: value.get(name) for name in ("median", "low", "high")} if isinstance(value, Mapping) else value
    return read_table(_Interval, Document(kept, document.source, document.form, where))


def advantages(first: Probed, second: Probed) -> tuple[Advantage, ...]:
    """Compare two probes at the points that both have, by lengths and then batch size.

    Raises:
        UserError: they were made on different machines, or have no point in common.
    """
    if first.made_on != second.made_on:
        raise UserError(
            f"{first.system} was probed on {first.made_on}, {second.system} on {second.made_on}; take one machine."
        )
    shared = sorted(first.rates.keys() & second.rates.keys())
    if not shared:
        raise UserError(
            f"{first.system} and {second.system} have no point in common; give both the same --prompt-codes, "
            "--span-codes and --batch-size."
        )
    found = []
    for key in shared:
        a, b = first.rates[key], second.rates[key]
        found.append(Advantage(*key, a.median, b.median, *_ratios(a, b)))
    return tuple(found)


def _ratios(a: _Interval, b: _Interval) -> tuple[float, float, float]:
    return tuple(x / y if y else math.nan for x, y in ((a.median, b.median), (a.low, b.high), (a.high, b.low)))  # type: ignore[return-value]  # three


def ends(rows: Sequence[Advantage], first: str, second: str) -> list[str]:
    """Say for each length, in a sentence, up to which batch size which system is the faster one."""
    sentences = []
    for length in dict.fromkeys((row.prompt_codes, row.span_codes) for row in rows):
        own = [row for row in rows if (row.prompt_codes, row.span_codes) == length]
        wins = [row.batch_size for row in own if row.faster == "first"]
        losses = [row.batch_size for row in own if row.faster == "second"]
        open_ = [row.batch_size for row in own if not row.faster]
        parts = [
            f"{words} at batch {', '.join(map(str, batches))}"
            for words, batches in (
                (f"{first} is faster", wins),
                (f"{second} is faster", losses),
                ("the intervals leave it open", open_),
            )
            if batches
        ]
        sentences.append(f"Answers of {length[1]} audio tokens: {'; '.join(parts)}.")
    return sentences
