"""The run's metrics for github-action-benchmark, which draws them over the commits. Knows results.

Two files, because the action knows one direction a file: ``customBiggerIsBetter`` and ``customSmallerIsBetter``.
"""

from __future__ import annotations

import json

from tttbench.gate.formats.words import where
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict


def benchmark_json(result: GateResult, *, bigger_is_better: bool) -> str:
    """Return the entries whose direction is the given one: name, unit, value, range and a line about them."""
    entries = [_quality(one) for one in result.quality if one.lower_is_better != bigger_is_better]
    entries += [] if bigger_is_better else [_speed(one) for one in result.speed]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _quality(one: QualityVerdict) -> dict[str, object]:
    scale = one.info.scale
    width = abs(one.high - one.low) / 2 * scale
    return {
        "name": where(one),
        "unit": one.info.unit,
        "value": round(scale * one.run, 4),
        "range": f"± {width:.2g} (difference)" if width == width else "",
        "extra": f"n = {one.n}; baseline {scale * one.baseline:.4g}; {one.verdict}",
    }


def _speed(one: SpeedVerdict) -> dict[str, object]:
    return {
        "name": where(one),
        "unit": {"s": "s", "passes": "passes"}.get(one.unit, one.unit),
        "value": float(f"{one.run:.6g}"),
        "range": "",
        "extra": f"n = {one.n}; baseline {one.baseline:.4g}; {one.verdict}",
    }
