"""The run's metrics for github-action-benchmark, which draws them over the commits. Knows results.

Two files, because the action knows one direction a file: ``customBiggerIsBetter`` and ``customSmallerIsBetter``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from tttbench.gate.formats.words import where
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict


def benchmark_json(result: GateResult, *, bigger_is_better: bool) -> str:
    """Return the entries whose direction is the given one: name, unit, value, range and a line about them."""
    entries = [_quality(one) for one in result.quality if one.lower_is_better != bigger_is_better]
    entries += [] if bigger_is_better else [_speed(one) for one in result.speed]
    return json.dumps([asdict(entry) for entry in entries], indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Entry:
    """A metric as the action takes it."""

    name: str
    unit: str
    value: float
    range: str
    extra: str


def _quality(one: QualityVerdict) -> Entry:
    scale = one.info.scale
    width = abs(one.high - one.low) / 2 * scale
    return Entry(
        name=where(one),
        unit=one.info.unit,
        value=round(scale * one.run, 4),
        range=f"± {width:.2g} (difference)" if width == width else "",
        extra=f"n = {one.n}; baseline {scale * one.baseline:.4g}; {one.verdict}",
    )


def _speed(one: SpeedVerdict) -> Entry:
    return Entry(
        name=where(one),
        unit=one.unit,
        value=float(f"{one.run:.6g}"),
        range="",
        extra=f"n = {one.n}; baseline {one.baseline:.4g}; {one.verdict}",
    )
