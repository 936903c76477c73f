"""The factor between two sets of measurements: a published worked example, by hand and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tttbench.stats.effect_size import shift_factor

# Hollander & Wolfe 1973, pages 69 and following.
AT_TERM = (0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
EARLIER = (1.15, 0.88, 0.90, 0.74, 1.21)


def test_a_shift_is_found_as_its_factor_despite_outliers() -> None:
    b = [1.0, 1.1, 0.9, 1.05, 0.95]
    assert shift_factor([1.2 * x for x in b], b) == pytest.approx(1.2)
    assert shift_factor([*(1.2 * x for x in b), 50.0], b) == pytest.approx(1.2, rel=0.15)
    assert shift_factor([2.0], [1.0]) == 2.0


def test_the_shift_of_a_published_example() -> None:
    # Hodges and Lehmann's estimate there is 0.305, of values; here they are logarithms.
    assert math.log(shift_factor(np.exp(AT_TERM), np.exp(EARLIER))) == pytest.approx(0.305)


def test_a_shift_is_estimated_without_bias() -> None:
    rng = np.random.default_rng(0)
    logs = [math.log(shift_factor(1.2 * rng.lognormal(0, 0.3, 15), rng.lognormal(0, 0.3, 12))) for _ in range(2_000)]
    # Their standard error is 0.3 sqrt(1/15 + 1/12) sqrt(pi / 3) = 0.119, that of their mean 0.0027.
    assert np.mean(logs) == pytest.approx(math.log(1.2), abs=0.009)
    assert np.std(logs) == pytest.approx(0.119, rel=0.06)


def test_what_has_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        shift_factor([0.0], [1.0])
    assert math.isfinite(shift_factor([1e-9], [1e9]))
