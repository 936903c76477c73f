"""The paired permutation test: would it matter which of the two systems gave which answer? Knows columns of numbers.

Under the null hypothesis the two answers to one sample (or to all samples of one cluster) could as well have come the
other way round. Swapping them at random, unit by unit, shows how far the difference of two ratios strays by chance
(Fisher's randomisation test; for right/wrong verdicts of single samples it is McNemar's exact test).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tttbench.stats.bootstrap import cluster_sums
from tttbench.stats.paired import mcnemar_exact

Floats = npt.NDArray[np.float64]

_CELLS_PER_CHUNK = 4_000_000
_MOST_DRAWN = 2_000
"""With more units that differ, the normal distribution's p-value is as good, and drawing them is slow."""
_MOST_ENUMERATED = 13
"""So many units that differ have 8,192 assignments: all of them are looked at."""
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class PermutationTest:
    """The outcome.

    Attributes:
        difference: ratio b minus ratio a on the data as they are.
        p_value: two-sided, of "it doesn't matter which system answered".
        n_units: samples, or clusters where they were given.
        n_differ: units whose two answers are not worth the same.
    """

    difference: float
    p_value: float
    n_units: int
    n_differ: int


def permutation_test(
    numerators_a: npt.ArrayLike,
    denominators_a: npt.ArrayLike,
    numerators_b: npt.ArrayLike,
    denominators_b: npt.ArrayLike,
    *,
    seed: int,
    n_draws: int = 20_000,
    clusters: Sequence[Hashable] | None = None,
) -> PermutationTest:
    """Test ratio b (sum of numerators over sum of denominators) against ratio a on the same samples.

    Up to 13 units that differ, the p-value is exact; so it is where every unit that differs does so by the same
    amount, which makes a coin of each. Up to 2,000 it is drawn, ``(1 + as far out) / (1 + n_draws)``, and beyond that,
    and where no draw came as far, the normal distribution's.

    Args:
        numerators_a, denominators_a, numerators_b, denominators_b: shape (n,), n >= 1, finite; row i is sample i.
        seed: of the draws; the same seed and rows give the same p-value.
        n_draws: how many assignments are drawn.
        clusters: one label per row; rows of equal label are swapped together.

    Raises:
        ValueError: shapes that differ, no rows, numbers that aren't finite, or denominators that add up to 0.
    """
    columns = [
        np.asarray(column, dtype=np.float64) for column in (numerators_a, denominators_a, numerators_b, denominators_b)
    ]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1 or not len(columns[0]):
        raise ValueError(f"all columns must have one shape (n,), n >= 1, not {[column.shape for column in columns]}.")
    rows = np.stack(columns, axis=1)
    if not np.isfinite(rows).all():
        raise ValueError("columns must be finite: leave out the samples without a value first.")
    if rows[:, 1].sum() <= 0 or rows[:, 3].sum() <= 0:
        raise ValueError("the denominators add up to 0: there is no ratio to compare.")
    units = rows if clusters is None else cluster_sums(rows, clusters)
    totals = units.sum(axis=0)
    difference = float(totals[2] / totals[3] - totals[0] / totals[1])
    change = units[:, 2:] - units[:, :2]
    differ = change[(change != 0).any(axis=1)]
    if not len(differ):
        return PermutationTest(difference, 1.0, len(units), 0)
    middle = (totals[:2] + totals[2:]) / 2
    return PermutationTest(difference, _p_value(differ, middle, difference, seed, n_draws), len(units), len(differ))


def _p_value(differ: Floats, middle: Floats, difference: float, seed: int, n_draws: int) -> float:
    same_denominators = not differ[:, 1].any()
    sizes = np.abs(differ[:, 0])
    if same_denominators and (sizes == sizes[0]).all():
        return mcnemar_exact(differ[:, 0] > 0, differ[:, 0] < 0).p_value
    if len(differ) > _MOST_DRAWN:
        return _normal(differ, middle, difference)
    if len(differ) <= _MOST_ENUMERATED:
        numbers = np.arange(2 ** len(differ))[:, None]
        signs = np.where((numbers >> np.arange(len(differ))) & 1, -1.0, 1.0)
        return float(_as_far(signs, differ, middle, difference).mean())
    rng = np.random.Generator(np.random.SFC64(seed))
    far, left = 0, n_draws
    while left:
        size = min(left, max(1, _CELLS_PER_CHUNK // len(differ)))
        signs = np.asarray(rng.choice(np.array([-1.0, 1.0]), (size, len(differ))), dtype=np.float64)
        far += int(_as_far(signs, differ, middle, difference).sum())
        left -= size
    if far:
        return (1 + far) / (1 + n_draws)
    # So far out that no draw came there: the normal tail, but no less than all units on one side have.
    return min(1 / (1 + n_draws), max(_normal(differ, middle, difference), 2.0 ** (1 - len(differ))))


def _as_far(signs: Floats, differ: Floats, middle: Floats, difference: float) -> npt.NDArray[np.bool_]:
    """Whether each assignment, shape (B, units), takes the difference as far from 0 as it is."""
    half = signs @ differ / 2
    one, other = middle - half, middle + half
    defined = (one[:, 1] > 0) & (other[:, 1] > 0)
    found = np.full(len(signs), np.inf)
    found[defined] = other[defined, 0] / other[defined, 1] - one[defined, 0] / one[defined, 1]
    # A swap that leaves one side without reference units has no ratio; to count it as reached errs on the safe side.
    reached: npt.NDArray[np.bool_] = np.abs(found) >= abs(difference) * (1 - _TOLERANCE)
    return reached


def _normal(differ: Floats, middle: Floats, difference: float) -> float:
    """The difference of ratios is nearly linear in the swaps; its variance is the sum of the units' squares."""
    ratio = middle[0] / middle[1]
    effects = (differ[:, 0] - ratio * differ[:, 1]) / middle[1]
    deviation = float(np.sqrt((effects**2).sum()))
    return 1.0 if not deviation else min(1.0, 2.0 * NormalDist().cdf(-abs(difference) / deviation))
