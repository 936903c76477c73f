"""Ways of decoding: the systems of a run that differ in their speed alone, as one curve of quality over codes a pass.

The speed is what says how many audio tokens a forward pass commits: passes a block, or a strategy's own threshold.
Knows outcomes and settings; no answers and no files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.core.json_values import JsonValue
from tttbench.core.metric import MetricInfo, WayOfDecoding, WayPoint
from tttbench.pipeline.frontier import Outcome
from tttbench.stats.aup import area
from tttbench.stats.bootstrap import FEWEST_UNITS, resampled_sums

Floats = npt.NDArray[np.float64]

SPEED = {
    "threshold": ("tau",),
    "factor": ("f",),
    "entropy": ("gamma",),
    "klass": ("tau", "epsilon", "history"),
    "saber": ("fewest", "per_back"),
    "edit": ("tau_mask",),
    "speculate": ("depth",),
    "mtp": ("heads",),
}
"""Options that only say how many audio tokens a pass commits, by strategy; of all of them ``steps_per_block`` does."""

_SHOWN = {"block_length": "B", "block_lengths": "B", "cache": ""}
"""Settings that every way's name has, and what stands before their values."""


@dataclass(frozen=True)
class Decoding:
    """How a system decodes.

    Attributes:
        model: what is decoded; systems of different models aren't one way.
        strategy: name and options, ``"threshold:tau=0.9"``.
        settings: decode settings in force.
    """

    model: str
    strategy: str
    settings: Mapping[str, JsonValue]

    @property
    def facts(self) -> dict[str, str]:
        """Everything but the speed, by name."""
        name, _, options = self.strategy.partition(":")
        kept = [one for one in options.split(",") if one and one.partition("=")[0].strip() not in SPEED.get(name, ())]
        facts = {"model": self.model, "strategy": f"{name}:{','.join(kept)}" if kept else name}
        rest = {key: value for key, value in self.settings.items() if key not in ("strategy", "steps_per_block")}
        return facts | {key: _plain(value) for key, value in sorted(rest.items())}


def _plain(value: JsonValue) -> str:
    return "+".join(map(_plain, value)) if isinstance(value, list) else str(value)


def ways(
    task: str,
    metric: str,
    info: MetricInfo,
    decodings: Mapping[str, Decoding],
    outcomes: Mapping[str, Sequence[Outcome]],
    *,
    seed: int,
    n_resamples: int = 2000,
) -> tuple[WayOfDecoding, ...]:
    """Return one curve for each way of decoding, in the order of its first system.

    Args:
        task, metric, info: what was measured; only of metrics between 0 and 1 there is accuracy under parallelism.
        decodings: of the systems, by label. Those without one are left out, and those whose passes aren't known.
        outcomes: of the systems, by label.
        seed, n_resamples: of the bootstrap over samples (clusters of them): quality, codes a pass and the best quality
            of all ways vary together.
    """
    labels = [
        label
        for label in decodings
        if any(one.passes and one.codes for one in outcomes.get(label, ())) and _quality_sum(outcomes[label]) > 0
    ]
    if (info.least, info.most) != (0, 1) or info.direction == "none" or not labels:
        return ()
    grouped: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for label in labels:
        grouped.setdefault(tuple(decodings[label].facts.items()), []).append(label)
    names = _names([dict(facts) for facts in grouped])
    sums, resampled = _sums([outcomes[label] for label in labels], seed, n_resamples)
    now, again = _axes(sums[None], info), _axes(resampled, info)
    at = {label: number for number, label in enumerate(labels)}
    found = []
    for name, members in zip(names, grouped.values(), strict=True):
        own = [at[label] for label in members]
        ((aup, plain, n_left_out),) = _area(*now, own)
        drawn = _area(*again, own)[:, 0]
        low, high = np.nanquantile(drawn, [0.025, 0.975]) if len(drawn) else (math.nan, math.nan)
        points = [_point(label, sums[4 * i : 4 * i + 4]) for label, i in zip(members, own, strict=True)]
        points.sort(key=lambda point: point.codes_per_pass)
        found.append(
            WayOfDecoding(name, task, metric, tuple(points), aup, float(low), float(high), plain, int(n_left_out))
        )
    return tuple(found)


def _point(label: str, sums: Floats) -> WayPoint:
    numerator, denominator, codes, passes = sums.tolist()
    return WayPoint(label, codes / passes, numerator / denominator)


def _quality_sum(outcomes: Sequence[Outcome]) -> float:
    return sum(one.denominator for one in outcomes)


def _names(facts: Sequence[Mapping[str, str]]) -> list[str]:
    """The strategy, block length and cache, and whatever else isn't the same in all of them."""
    keys = list(dict.fromkeys(key for one in facts for key in one))
    varying = [key for key in keys if len({one.get(key) for one in facts}) > 1]
    shown = [key for key in keys if key == "strategy" or key in _SHOWN or key in varying]
    shown.sort(key=lambda key: (key not in ("model", "strategy"), key not in _SHOWN))
    return [" ".join(_shown(key, one[key]) for key in shown if one.get(key)) for one in facts]


def _shown(key: str, value: str) -> str:
    if key in ("model", "strategy"):
        return value
    return f"{_SHOWN[key]}={value}" if _SHOWN.get(key) else value if key in _SHOWN else f"{key}={value}"


def _sums(systems: Sequence[Sequence[Outcome]], seed: int, n_resamples: int) -> tuple[Floats, Floats]:
    """Numerators, denominators, codes and passes of each system, shape (4 systems,), and resampled (B, 4 systems)."""
    clusters = {(one.sample, one.repeat): one.cluster for found in systems for one in found}
    row_of = {request: row for row, request in enumerate(clusters)}
    rows = np.zeros((len(row_of), 4 * len(systems)))
    for number, found in enumerate(systems):
        for one in found:
            own = slice(4 * number, 4 * number + 4)
            spoken = (one.codes, one.passes) if one.passes else (0, 0)
            rows[row_of[one.sample, one.repeat], own] = (one.numerator, one.denominator, *spoken)
    labels = list(clusters.values())
    if len(set(labels)) < FEWEST_UNITS:
        return rows.sum(axis=0), np.zeros((0, rows.shape[1]))
    return rows.sum(axis=0), resampled_sums(rows, seed=seed, n_resamples=n_resamples, clusters=labels)


def _axes(sums: Floats, info: MetricInfo) -> tuple[Floats, Floats]:
    """Codes a pass, and quality in percent, shape (B, systems) each; nan where nothing was drawn."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sums[:, 0::4] / sums[:, 1::4]
        speed = sums[:, 2::4] / sums[:, 3::4]
    return speed, 100 * (1 - value if info.lower_is_better else value)


def _area(speed: Floats, quality: Floats, own: Sequence[int]) -> Floats:
    """AUP, plain area and points left out of one way, shape (B, 3), from the axes of all, shape (B, systems)."""
    best = np.nanmax(quality, axis=1)
    found = np.full((len(quality), 3), math.nan)
    for row in range(len(quality)):
        rho, y = speed[row, own], quality[row, own]
        known = np.isfinite(y) & (rho > 0)
        if known.any():
            one = area(rho[known].tolist(), y[known].tolist(), float(best[row]))
            found[row] = one.aup, one.plain, one.n_left_out
    return found
