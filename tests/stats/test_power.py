"""Minimal detectable effects by hand, against statsmodels, and by simulation with the tests that are to find them."""

import math

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.power import normal_power, normal_power_het

from tttbench.stats.bootstrap import paired_ratio_difference
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


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_detectable_difference_agrees_with_statsmodels(level: float, power: float) -> None:
    difference = detectable_difference(0.02, level=level, power=power)
    # Theirs counts findings of the wrong sign, too, which are rare.
    assert normal_power(difference / 0.02, 1, 1 - level) == pytest.approx(power, abs=1e-3)


@pytest.mark.parametrize(("n", "discordant"), [(50, 0.4), (200, 0.2), (1_000, 0.05)])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_detectable_accuracy_difference_agrees_with_statsmodels(n: int, discordant: float, power: float) -> None:
    difference = detectable_accuracy_difference(n, discordant, power=power)
    spread, spread_if_so = math.sqrt(discordant), math.sqrt(discordant - difference**2)
    theirs = normal_power_het(difference, n, 0.05, std_null=spread, std_alternative=spread_if_so)
    assert theirs == pytest.approx(power, abs=1e-6)


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


def test_mcnemar_s_exact_test_finds_it_nearly_as_often() -> None:
    n, discordant = 400, 0.2
    difference = detectable_accuracy_difference(n, discordant)
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(2_000):
        which = rng.random(n)
        only_a, only_b = which < (discordant + difference) / 2, which > 1 - (discordant - difference) / 2
        found += mcnemar_exact(only_a, only_b).p_value <= 0.05
    # Exact power: over all numbers of differing samples, and of those that a is right on.
    share = (1 + difference / discordant) / 2
    k = np.arange(n + 1)
    power = sum(
        scipy.stats.binom.pmf(m, n, discordant)
        * scipy.stats.binom.pmf(k[: m + 1], m, share)[
            2 * scipy.stats.binom.cdf(np.minimum(k, m - k)[: m + 1], m, 0.5) <= 0.05
        ].sum()
        for m in range(1, n + 1)
    )
    assert found / 2_000 == pytest.approx(power, abs=0.03)
    assert 0.75 < power < 0.8


@pytest.mark.slow
def test_intervals_of_paired_differences_find_it_with_the_promised_power() -> None:
    # 10 against 8 % of word errors on the same 200 utterances; the standard error is that over evaluations.
    rng = np.random.default_rng(0)
    estimates, found = [], 0
    for seed in range(2_000):
        words = 1 + rng.poisson(11, 200)
        rates = rng.beta(0.5, 4.5, 200)
        a, b = rng.binomial(words, rates), rng.binomial(words, 0.8 * rates)
        interval = paired_ratio_difference(a, words, b, words, seed=seed, n_resamples=500)
        estimates.append(interval.estimate)
        found += interval.low > 0
    assert 0.6 < found / 2_000 < 0.9
    assert detectable_difference(float(np.std(estimates)), power=found / 2_000) == pytest.approx(0.02, rel=0.05)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="discordant share"):
        detectable_accuracy_difference(10, 0.0)


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
