"""Minimal detectable effects by hand and by simulation with the tests that are to find them."""

import math

import numpy as np
import pytest
import scipy.stats

from tttbench.stats.paired import mcnemar_exact
from tttbench.stats.power import PairedPower, detectable_paired_difference


def test_paired_difference_without_noise_needs_enough_units_that_get_worse() -> None:
    # Two-sided 0.001: 2 / 2^k <= 0.001 from k = 11 on; few units of a large total: the count of units decides.
    basis = PairedPower(n_units=16, total=16.0, noise=0.0)
    found = detectable_paired_difference(basis, level=0.999)
    assert scipy.stats.binom.sf(10, 16, found) == pytest.approx(0.95, abs=1e-6)


def test_paired_difference_with_noise_is_the_ordinary_formula_where_the_effect_adds_little() -> None:
    basis = PairedPower(n_units=10_000, total=1e4, noise=0.1)
    assert detectable_paired_difference(basis, level=0.95, power=0.8) == pytest.approx(1e-4 + 2.801585 * 0.1, rel=1e-2)


def test_paired_difference_lies_above_the_margin_by_the_power() -> None:
    basis = PairedPower(n_units=100_000, total=1e5, noise=0.01)
    found = detectable_paired_difference(basis, level=0.95, power=0.95, margin=0.05)
    assert found == pytest.approx(0.05 + 1.644854 * 0.01, rel=1e-2)


def test_too_few_units_find_nothing() -> None:
    assert math.isnan(detectable_paired_difference(PairedPower(6, 6.0, 0.0), level=0.98))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "changed"), [(32, 0.0), (200, 0.05), (200, 0.2)])
def test_a_worsening_of_the_reported_size_is_found(n: int, changed: float) -> None:
    # Answers that changed for no reason go either way; the others are right, and some of them turn wrong.
    rng = np.random.default_rng(5)
    basis = PairedPower(n, float(n), math.sqrt(changed / n))
    worse = detectable_paired_difference(basis, level=0.98, power=0.95)
    found = 0
    for _ in range(2_000):
        a, b = np.ones(n, bool), np.ones(n, bool)
        moved = rng.random(n) < changed
        up = rng.random(n) < 0.5
        a[moved & up] = False
        b[moved & ~up] = False
        b &= ~(rng.random(n) < worse)
        result = mcnemar_exact(a, b)
        found += result.p_value <= 0.02 and result.only_a > result.only_b
    assert found / 2_000 >= 0.945
