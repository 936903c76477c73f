"""Minimal detectable effects by hand and by simulation."""

import math

import numpy as np
import pytest

from tttbench.stats.power import detectable_accuracy_difference, detectable_difference


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
