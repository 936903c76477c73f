"""Codes that move to their neighbours: which may move, how far, and how often."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from reference_model.errors import ConfigError
from reference_model.layout import Example
from reference_model.training.jitter import CodeJitter

LEVELS = (8, 5, 5)
FIRST = 100
TEXT, END = 7, FIRST + 200


def prompt(codes: list[int]) -> Example:
    return Example((TEXT, *(FIRST + code for code in codes), END), (FIRST + 3, END), (TEXT,))


def levels_of(example: Example) -> np.ndarray:
    """(n, 3) place of every code in each dimension, worked out digit by digit."""
    codes = [token - FIRST for token in example.prompt[1:-1]]
    return np.array([(code % 8, code // 8 % 5, code // 40) for code in codes])


def test_only_the_codes_of_the_prompt_move() -> None:
    example = prompt(list(range(200)))
    moved = CodeJitter(LEVELS, FIRST, 2.0)(example, np.random.default_rng(0))
    assert moved.prompt != example.prompt
    assert (moved.prompt[0], moved.prompt[-1]) == (TEXT, END)
    assert (moved.answer, moved.transcript) == (example.answer, example.transcript)
    assert all(FIRST <= token < END for token in moved.prompt[1:-1])


def test_without_deviation_nothing_moves() -> None:
    example = prompt([0, 77, 199])
    assert CodeJitter(LEVELS, FIRST, 0.0)(example, np.random.default_rng(0)) == example


def test_a_prompt_without_audio_stays() -> None:
    example = Example((TEXT, END), (TEXT,))
    assert CodeJitter(LEVELS, FIRST, 1.0)(example, np.random.default_rng(0)) == example


def test_each_dimension_moves_as_often_as_the_normal_distribution_says() -> None:
    """Code (4, 2, 2) stays where noise rounds to 0; the strength is uniform, the two movements add in variance."""
    jitter, n = CodeJitter(LEVELS, FIRST, 0.5), 4000
    example = prompt([4 + 8 * 2 + 40 * 2])
    stays = np.mean([levels_of(jitter(example, np.random.default_rng(i)))[0] == (4, 2, 2) for i in range(n)], axis=0)
    strengths = (np.arange(1000) + 0.5) / 1000
    expected = np.mean([1 - 2 * norm.cdf(-0.5 / (0.5 * s * math.sqrt(2))) for s in strengths])
    assert stays == pytest.approx([expected] * 3, abs=4 * math.sqrt(expected * (1 - expected) / n))


def test_a_voice_moves_all_its_codes_alike() -> None:
    """Of two codes far apart, the movements correlate by one half: what is the voice's is the half of the variance."""
    jitter = CodeJitter((1000,), 0, 60.0)
    moves = np.array(
        [np.subtract(jitter(Example((400, 500), ()), np.random.default_rng(i)).prompt, (400, 500)) for i in range(3000)]
    )
    assert np.corrcoef(moves.T)[0, 1] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("deviation", [-1.0, math.nan, math.inf])
def test_a_deviation_is_a_number_of_at_least_zero(deviation: float) -> None:
    with pytest.raises(ConfigError, match="deviation"):
        CodeJitter(LEVELS, FIRST, deviation)
