"""Minimal detectable effects by hand and by simulation."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from tttbench.stats.paired import mcnemar_exact
from tttbench.stats.power import (
    PairedPower,
    detectable_accuracy_difference,
    detectable_difference,
    detectable_paired_difference,
)


def test_detectable_difference_hand_worked() -> None:
    # z: 1.959964 + 0.841621
    assert detectable_difference(0.01) == pytest.approx(0.02801585)


def test_detectable_accuracy_difference_hand_worked() -> None:
    # n = 200, q = 0.2, d = 0.08797: 1.959964 * 0.447214 + 0.841621 * sqrt(0.2 - 0.007739) = 1.24556
    difference = detectable_accuracy_difference(200, 0.2)
    needed = (1.959964 * math.sqrt(0.2) + 0.841621 * math.sqrt(0.2 - difference**2)) / difference
    assert needed**2 == pytest.approx(200, rel=1e-5)
    assert difference == pytest.approx(0.0881, abs=2e-4)


def test_too_few_samples_detect_nothing() -> None:
    assert math.isnan(detectable_accuracy_difference(10, 0.1))


def test_more_samples_detect_less() -> None:
    differences = [detectable_accuracy_difference(n, 0.1) for n in (100, 400, 1600)]
    assert differences == sorted(differences, reverse=True)
    assert differences[1] / differences[2] == pytest.approx(2.0, rel=0.05)


def test_the_detectable_difference_is_found_with_the_promised_power() -> None:
    # McNemar's asymptotic test (the formula's) on simulated pairs.
    n, discordant = 1_000, 0.2
    difference = detectable_accuracy_difference(n, discordant)
    rng = np.random.default_rng(0)
    b, c = rng.multinomial(
        n, [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant], size=20_000
    ).T[:2]
    found = (np.abs(b - c) / np.sqrt(b + c) > 1.959964).mean()
    assert found == pytest.approx(0.8, abs=0.01)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="discordant share"):
        detectable_accuracy_difference(10, 0.0)


def test_paired_difference_without_noise_needs_enough_units_that_get_worse() -> None:
    # Two-sided 0.001: 2 / 2^k <= 0.001 from k = 11 on; few units of a large total: the count of units decides.
    basis = PairedPower(n_units=16, total=16.0, noise=0.0)
    found = detectable_paired_difference(basis, level=0.999)
    assert binom.sf(10, 16, found) == pytest.approx(0.95, abs=1e-6)


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
