"""95 % intervals hold the truth in 94 to 96 % of simulated evaluations, of the sizes and spreads that evaluations have.

Word errors are spread as recognisers make them: most utterances right, some lost. Speakers differ, so that an
evaluation of twenty of them is less sure than its number of utterances says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from tttbench.stats.bootstrap import mean_interval, paired_ratio_difference
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.interval import Interval

from .metrics import ERRORS, VERDICTS

DRAWS = 3_000
"""Of 2,000, chance puts one in twenty exact intervals outside of 94 to 96 %; of so many, one in eighty."""
RESAMPLES = 400

Evaluate = Callable[[np.random.Generator, int], Interval]


def word_errors(rng: np.random.Generator, seed: int, *, n: int, rate: float = 0.1, spread: float = 5.0) -> Interval:
    """Independent utterances of a dozen words."""
    words = 1 + rng.poisson(11, n)
    edits = rng.binomial(words, rng.beta(spread * rate, spread * (1 - rate), n))
    return corpus_interval(ERRORS, edits, words, seed=seed, n_resamples=RESAMPLES)


def word_errors_of_speakers(rng: np.random.Generator, seed: int, *, speakers: int, each: int) -> Interval:
    """10 % on average; a speaker has between 1 and 25 %, his utterances differ as much again."""
    of = np.repeat(np.arange(speakers), each)
    rates = np.maximum(rng.beta(2, 18, speakers), 1e-3)[of]
    words = 1 + rng.poisson(11, len(of))
    edits = rng.binomial(words, rng.beta(4 * rates, 4 * (1 - rates)))
    return corpus_interval(ERRORS, edits, words, seed=seed, n_resamples=RESAMPLES, clusters=of.tolist())


def share_right(rng: np.random.Generator, seed: int, *, n: int) -> Interval:
    """Half to nearly all answers right; the truth is taken off, as it differs from draw to draw."""
    truth = rng.uniform(0.5, 0.97)
    found = corpus_interval(VERDICTS, rng.random(n) < truth, np.ones(n), seed=seed)
    return Interval(found.estimate - truth, found.low - truth, found.high - truth)


def share_right_of_speakers(rng: np.random.Generator, seed: int, *, share: float, speakers: int, each: int) -> Interval:
    """Verdicts on one speaker correlate by 0.2."""
    of = np.repeat(np.arange(speakers), each)
    right = rng.random(len(of)) < rng.beta(4 * share, 4 * (1 - share), speakers)[of]
    return corpus_interval(VERDICTS, right, np.ones(len(of)), seed=seed, clusters=of.tolist())


def mean(rng: np.random.Generator, seed: int, *, n: int, spread: float) -> Interval:
    """Times or real-time factors, with a long tail to the right; ``spread`` 0 means none: normally distributed."""
    values = rng.lognormal(-(spread**2) / 2, spread, n) if spread else rng.normal(1.0, 0.2, n)
    return mean_interval(values, seed=seed, n_resamples=RESAMPLES)


def mean_of_speakers(rng: np.random.Generator, seed: int, *, speakers: int, each: int) -> Interval:
    of = np.repeat(np.arange(speakers), each)
    values = 1.0 + rng.normal(0, 0.2, speakers)[of] + rng.normal(0, 0.3, len(of))
    return mean_interval(values, seed=seed, n_resamples=RESAMPLES, clusters=of.tolist())


def gap(rng: np.random.Generator, seed: int, *, n: int, only_a: float, only_b: float) -> Interval:
    """Mean of differences of verdicts."""
    which = rng.random(n)
    differences = np.where(which < only_a, 1.0, np.where(which < only_a + only_b, -1.0, 0.0))
    return mean_interval(differences, seed=seed, n_resamples=RESAMPLES)


def paired(rng: np.random.Generator, seed: int, *, n: int, same_words: bool = True) -> Interval:
    """Word errors of two systems on the same utterances, 10 and 8 %: what is hard for one is for the other."""
    words_a = 1 + rng.poisson(11, n)
    words_b = words_a if same_words else 1 + rng.poisson(11, n)
    rates = rng.beta(0.5, 4.5, n)
    a, b = rng.binomial(words_a, rates), rng.binomial(words_b, 0.8 * rates)
    return paired_ratio_difference(a, words_a, b, words_b, seed=seed, n_resamples=RESAMPLES)


def paired_of_speakers(rng: np.random.Generator, seed: int, *, speakers: int, each: int) -> Interval:
    of = np.repeat(np.arange(speakers), each)
    words = 1 + rng.poisson(11, len(of))
    rates = np.clip(rng.beta(2, 18, speakers)[of] * rng.gamma(2, 0.5, len(of)), 0, 1)
    a, b = rng.binomial(words, rates), rng.binomial(words, 0.8 * rates)
    return paired_ratio_difference(a, words, b, words, seed=seed, n_resamples=RESAMPLES, clusters=of.tolist())


SITUATIONS: dict[str, tuple[Evaluate, float]] = {
    "word errors, 32 utterances": (partial(word_errors, n=32), 0.1),
    "word errors, 100 utterances": (partial(word_errors, n=100), 0.1),
    "word errors, 10 speakers": (partial(word_errors_of_speakers, speakers=10, each=20), 0.1),
    "word errors, 20 speakers": (partial(word_errors_of_speakers, speakers=20, each=10), 0.1),
    "word errors, 100 speakers": (partial(word_errors_of_speakers, speakers=100, each=3), 0.1),
    "share right, 32 questions": (partial(share_right, n=32), 0.0),
    "share right, 300 questions": (partial(share_right, n=300), 0.0),
    "half right, 10 speakers": (partial(share_right_of_speakers, share=0.5, speakers=10, each=20), 0.5),
    "80 % right, 20 speakers": (partial(share_right_of_speakers, share=0.8, speakers=20, each=10), 0.8),
    "90 % right, 50 speakers": (partial(share_right_of_speakers, share=0.9, speakers=50, each=4), 0.9),
    "mean of normal values, 15": (partial(mean, n=15, spread=0.0), 1.0),
    "mean of skewed values, 100": (partial(mean, n=100, spread=0.5), 1.0),
    "mean, 20 speakers": (partial(mean_of_speakers, speakers=20, each=10), 1.0),
    "gap, 100 questions": (partial(gap, n=100, only_a=0.08, only_b=0.03), 0.05),
    "paired, 32 utterances": (partial(paired, n=32), 0.02),
    "paired, 100 utterances": (partial(paired, n=100), 0.02),
    "paired, other words": (partial(paired, n=100, same_words=False), 0.02),
    "paired, 20 speakers": (partial(paired_of_speakers, speakers=20, each=10), 0.02),
}


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS)
def test_95_percent_intervals_cover_95_percent(situation: str) -> None:
    evaluate, truth = SITUATIONS[situation]
    rng = np.random.default_rng(0)
    found = [evaluate(rng, seed) for seed in range(DRAWS)]
    assert not any(math.isnan(one.low) for one in found)
    covered = sum(one.low <= truth <= one.high for one in found)
    assert 0.94 <= covered / DRAWS <= 0.96
