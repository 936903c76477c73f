"""Quality against parallelism in one number: AUP, and the plain area under the same curve. Knows points alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

PENALTY = 3.0
"""How fast quality that is lost takes away what parallelism brings."""

MOST_LOST = 5.0
"""Points that are so many percent below the first have no part in AUP."""


@dataclass(frozen=True)
class Area:
    """What is under a curve of quality over codes a pass.

    Attributes:
        aup: in percent times codes a pass.
        plain: area without weights or points left out, from 0 codes a pass.
        n_left_out: points that have no part in ``aup``.
    """

    aup: float
    plain: float
    n_left_out: int


def area(codes_per_pass: Sequence[float], quality: Sequence[float], best: float) -> Area:
    """Return accuracy under parallelism (Qian et al. 2026, "d3LLM", arXiv 2601.07568) and the plain area.

    Sorted by parallelism, with y the quality: rho_1 y_1 + sum of (rho_i - rho_(i-1)) (y_i W(y_i) + y_(i-1) W(y_(i-1)))
    / 2 with W(y) = min(exp(-3 (1 - y / best)), 1), of the points that are at most 5 percent below the first. Points of
    equal parallelism count as the best of them.

    Args:
        codes_per_pass: shape (n,), n >= 1, above 0.
        quality: shape (n,), in percent, higher is better.
        best: the best quality of all ways that are compared, in percent.

    Raises:
        ValueError: no points, lengths that differ, or a parallelism that isn't above 0.
    """
    if not codes_per_pass or len(codes_per_pass) != len(quality) or not all(rho > 0 for rho in codes_per_pass):
        raise ValueError(f"needs as many qualities as numbers above 0, not {list(quality)}, {list(codes_per_pass)}.")
    highest: dict[float, float] = {}
    for rho, y in zip(codes_per_pass, quality, strict=True):
        highest[rho] = max(y, highest.get(rho, -math.inf))
    points = sorted(highest.items())
    first = points[0][1]
    kept = [(rho, y) for rho, y in points if y >= first - MOST_LOST]
    n_left_out = sum(y < first - MOST_LOST for y in quality)
    weighted = [(rho, y * _weight(y, best)) for rho, y in kept]
    start = points[0][0] * first
    return Area(start + _trapezoids(weighted), start + _trapezoids(points), n_left_out)


def _weight(y: float, best: float) -> float:
    return min(math.exp(-PENALTY * (1 - y / best)), 1.0) if best > 0 else 0.0


def _trapezoids(points: Sequence[tuple[float, float]]) -> float:
    return sum((rho - before) * (y + y_before) / 2 for (before, y_before), (rho, y) in pairwise(points))
