"""McNemar's exact test: are two systems right equally often on the same samples? Knows two lists of verdicts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class McNemar:
    """Attributes: samples that only a, and only b, got right; the two-sided p-value of "both are right as often"."""

    only_a: int
    only_b: int
    p_value: float


def mcnemar_exact(right_a: npt.ArrayLike, right_b: npt.ArrayLike) -> McNemar:
    """Test right/wrong verdicts, shape (n,) each, row i of both being sample i; samples must be independent.

    Only samples on which the two differ count: under the null hypothesis each is a fair coin.

    Raises:
        ValueError: the shapes differ.
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"both need a verdict on every sample, not {a.shape} and {b.shape}.")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(only_a, only_b, _binomial_two_sided(min(only_a, only_b), only_a + only_b))


def _binomial_two_sided(k: int, n: int) -> float:
    """Return P(at most k or at least n-k heads of n fair coins), k <= n/2; logarithms keep large n from overflowing."""
    log_terms = [
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2.0) for i in range(k + 1)
    ]
    return min(1.0, 2.0 * math.fsum(math.exp(term) for term in log_terms))
