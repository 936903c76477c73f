"""How large a difference is, apart from how sure one is of it. Knows numbers alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
