"""How large a difference is, apart from how sure one is of it. Knows numbers alone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tttbench.stats.mann_whitney import mann_whitney


def cliffs_delta(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Cliff's delta of measurements, shapes (n,) and (m,): P(a > b) - P(a < b), from -1 to 1.

    Raises:
        ValueError: as in ``mann_whitney``.
    """
    return 2.0 * mann_whitney(a, b).superiority - 1.0


def cohens_h(p: float, q: float) -> float:
    """Cohen's h of two shares: the difference of their angles 2 arcsin sqrt(p); 0.2 is small, 0.5 medium, 0.8 large.

    Raises:
        ValueError: a share outside [0, 1].
    """
    if not (0.0 <= p <= 1.0 and 0.0 <= q <= 1.0):
        raise ValueError(f"shares must lie in [0, 1], not {p} and {q}.")
    return 2.0 * (math.asin(math.sqrt(p)) - math.asin(math.sqrt(q)))


def shift_factor(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """By which factor a's values are larger than b's: the median of all ratios of one of a to one of b.

    It is Hodges and Lehmann's estimate of a shift, of logarithms; robust against a few slow measurements.

    Raises:
        ValueError: one of them is empty, or holds something that isn't above 0.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if not len(one) or not len(other) or not ((one > 0).all() and (other > 0).all()):
        raise ValueError("both need measurements, all of them above 0.")
    return float(np.exp(np.median(np.log(one)[:, None] - np.log(other)[None, :])))
