"""Two sets of scores of one metric on the same answers: the paired difference, its interval, and a test of it.

What tables and the gate say of two systems, or of a system before and now, rests on this. Knows scores; no system.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo
from tttbench.stats.corpus import corpus_difference
from tttbench.stats.interval import Interval
from tttbench.stats.permutation import permutation_test

Floats = npt.NDArray[np.float64]
Key = TypeVar("Key", str, tuple[str, int])


class Parts(Protocol):
    """A score as far as it is compared; parts that aren't finite are unknown."""

    @property
    def numerator(self) -> float:
        """Edits, or the value."""

    @property
    def denominator(self) -> float:
        """Reference units, or 1."""

    @property
    def status(self) -> Status:
        """How the answer ended for this score."""


@dataclass(frozen=True)
class Paired:
    """A comparison of b with a.

    Attributes:
        rows: numerator and denominator of a, then of b, shape (n, 4), of the answers that have a value in both.
        clusters: one label per row; None where each stands for itself.
        n_unknown: answers that both have, but not with a value.
        value_a, value_b: corpus values on those answers.
        difference: b minus a with its 95 % interval.
        p_value: two-sided, of the paired permutation test.
        n_units: rows, or clusters of them.
    """

    rows: Floats
    clusters: tuple[str, ...] | None
    n_unknown: int
    value_a: float
    value_b: float
    difference: Interval
    p_value: float
    n_units: int

    @property
    def n(self) -> int:
        """Answers that were compared."""
        return len(self.rows)

    @property
    def is_identical(self) -> bool:
        """Whether every answer scores the same in both."""
        return bool((self.rows[:, :2] == self.rows[:, 2:]).all())


def is_known(score: Parts) -> bool:
    """Whether a score has a part in the corpus value."""
    finite = math.isfinite(score.numerator) and math.isfinite(score.denominator)
    return finite and score.status != "derivation_failed"


def paired(
    info: MetricInfo,
    a: Mapping[Key, Parts],
    b: Mapping[Key, Parts],
    unit_of: Callable[[Key], str],
    *,
    seed: int,
    n_resamples: int,
) -> Paired | None:
    """Compare two sets of scores on the answers that both have; None if none has a value in both.

    Args:
        info: the metric.
        a, b: scores by answer.
        unit_of: the label of an answer; those of equal label are swapped and drawn together.
        seed: of the resamples, and of the swaps.
        n_resamples: of the bootstrap; the permutation test draws twice as many.
    """
    both = [key for key in a if key in b]
    known = [key for key in both if is_known(a[key]) and is_known(b[key])]
    rows = np.array(
        [[a[key].numerator, a[key].denominator, b[key].numerator, b[key].denominator] for key in known], dtype=float
    ).reshape(-1, 4)
    sums = rows.sum(axis=0)
    if not sums[1] or not sums[3]:
        return None
    labels = tuple(unit_of(key) for key in known)
    clusters = labels if len(set(labels)) < len(labels) else None
    test = permutation_test(*rows.T, seed=seed, n_draws=2 * n_resamples, clusters=clusters)
    return Paired(
        rows=rows,
        clusters=clusters,
        n_unknown=len(both) - len(known),
        value_a=float(sums[0] / sums[1]),
        value_b=float(sums[2] / sums[3]),
        difference=corpus_difference(info, rows, seed=seed, n_resamples=n_resamples, clusters=clusters),
        p_value=test.p_value,
        n_units=test.n_units,
    )
