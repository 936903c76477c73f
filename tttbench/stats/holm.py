"""Holm's correction for testing several metrics or systems at once. Knows a list of p-values."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float], among: int | None = None) -> list[float]:
    """Return adjusted p-values in the given order (Holm 1979): reject those <= alpha, and the chance of any false
    rejection among all of them is at most alpha, whatever their dependence.

    Args:
        p_values: in [0, 1].
        among: how many tests these were chosen from, if they are not all. Each is then taken to be as small as it could
            be among the others, which errs on the safe side.

    Raises:
        ValueError: a p-value outside [0, 1], or fewer tests than p-values.
    """
    n = len(p_values) if among is None else among
    if any(not 0.0 <= p <= 1.0 for p in p_values) or n < len(p_values):
        raise ValueError(f"p-values must lie in [0, 1], and be no more than the {n} tests: {list(p_values)}.")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (n - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted
