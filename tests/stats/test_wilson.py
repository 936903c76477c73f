"""Wilson's interval against statsmodels and by hand."""

import math

import pytest
from statsmodels.stats.proportion import proportion_confint

from tttbench.stats.wilson import wilson_interval


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (1, 3), (37, 200), (199, 200), (50_000, 100_000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_agrees_with_statsmodels(successes: int, n: int, level: float) -> None:
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    interval = wilson_interval(successes, n, level=level)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)


def test_none_of_ten_hand_worked() -> None:
    # z^2 / (n + z^2) with z = 1.959964: 3.841459 / 13.841459
    interval = wilson_interval(0, 10)
    assert (interval.estimate, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(0.277533, abs=1e-6)


def test_no_samples_support_nothing() -> None:
    interval = wilson_interval(0, 0)
    assert math.isnan(interval.estimate)
    assert (interval.low, interval.high) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (0, -1)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson_interval(successes, n)
