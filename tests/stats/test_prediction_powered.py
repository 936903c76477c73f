"""Means of a judge's verdicts, corrected by labels: by hand, against the published formula, and in simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.metric import MetricInfo
from tttbench.stats.interval import Interval
from tttbench.stats.prediction_powered import corrected_mean
from tttbench.stats.wilson import wilson_interval

VERDICTS = MetricInfo("V", unit="%", scale=100, aggregation="binary", lowest=0, highest=1)
GRADES = MetricInfo("G", aggregation="value", lowest=1, highest=5)


def corrected(judged: list[float], labels: dict[int, float], info: MetricInfo = VERDICTS) -> Interval:
    given_ = [labels.get(at, math.nan) for at in range(len(judged))]
    return corrected_mean(info, judged, [True] * len(judged), given_, seed=1)


def test_the_mean_is_the_judge_s_plus_the_mean_error_of_what_was_labeled() -> None:
    # 6 of 10; of five labels the judge was right in three, too kind in one and too harsh in none: -1/5 … and one more.
    judged = [1.0] * 6 + [0.0] * 4
    assert corrected(judged, {0: 1, 1: 0, 6: 0, 7: 0, 2: 0}).estimate == pytest.approx(0.6 - 2 / 5)
    # Of answers that can't be right nobody asks: the error of the others counts for their share.
    open_ = [True] * 5 + [False] * 5
    labels = [0.0, 1.0, 1.0, 1.0] + [math.nan] * 6
    found = corrected_mean(VERDICTS, [1.0] * 5 + [0.0] * 5, open_, labels, seed=1)
    assert found.estimate == pytest.approx(0.5 - 0.5 / 4)


def test_with_a_label_for_every_answer_it_is_the_labels_own_proportion() -> None:
    rng = np.random.default_rng(3)
    person = (rng.random(60) < 0.7).astype(float)
    judged = np.where(rng.random(60) < 0.2, 1 - person, person)
    found = corrected_mean(VERDICTS, judged, np.ones(60, bool), person, seed=1)
    alone = wilson_interval(int(person.sum()), 60)
    assert (found.estimate, found.low, found.high) == pytest.approx((alone.estimate, alone.low, alone.high))


def test_labels_that_agree_leave_the_value_and_widen_the_interval() -> None:
    judged = [1.0] * 480 + [0.0] * 320
    raw = wilson_interval(480, 800)
    agreed = corrected(judged, {at: judged[at] for at in range(0, 800, 8)})
    assert agreed.estimate == pytest.approx(0.6)
    assert agreed.low < raw.low
    assert agreed.high > raw.high
    more = corrected(judged, {at: judged[at] for at in range(0, 800, 2)})
    assert more.high - more.low < agreed.high - agreed.low


def test_large_samples_give_the_published_interval() -> None:
    """Angelopoulos et al. 2023, Algorithm 1, with the labeled answers drawn from those that were predicted."""
    rng = np.random.default_rng(5)
    n_all, n = 20_000, 5_000
    person = (rng.random(n_all) < 0.6).astype(float)
    judged = np.where(rng.random(n_all) < 0.15, 1 - person, person)
    labels = np.where(np.arange(n_all) < n, person, np.nan)
    found = corrected_mean(VERDICTS, judged, np.ones(n_all, bool), labels, seed=1)
    errors = person[:n] - judged[:n]
    variance = found.estimate * (1 - found.estimate) / n_all + errors.var() * (1 / n - 1 / n_all)
    half = 1.959964 * math.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half), abs=2e-4)


def test_few_labels_give_no_value_outside_of_the_range() -> None:
    # 8 of 10 by the judge, and both labels are of answers that it has wrong: 0.8 + 1 is no share.
    found = corrected([0.0] * 2 + [1.0] * 8, {0: 1.0, 1: 1.0})
    assert (found.estimate, math.isnan(found.low)) == (1.0, True)


def test_few_labels_give_a_value_without_an_interval_and_none_is_an_error() -> None:
    judged = [1.0] * 20
    found = corrected(judged, dict.fromkeys(range(7), 1.0))
    assert (found.estimate, math.isnan(found.low)) == (1.0, True)
    assert not math.isnan(corrected(judged, dict.fromkeys(range(8), 1.0)).low)
    with pytest.raises(ValueError, match="there must be labels"):
        corrected(judged, {})
    with pytest.raises(ValueError, match="only of open answers"):
        corrected_mean(VERDICTS, judged, [False] * 20, [1.0] * 20, seed=1)
    with pytest.raises(ValueError, match="must be equal"):
        corrected_mean(VERDICTS, judged, [True] * 20, [1.0], seed=1)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5), st.booleans()), min_size=10, max_size=60), st.booleans()
)
def test_intervals_hold_their_estimate_and_stay_in_the_range(rows: list[tuple[int, int, bool]], whole: bool) -> None:
    judged = [float(one) for one, _, _ in rows]
    labels = [float(person) if whole or at < 9 or drawn else math.nan for at, (_, person, drawn) in enumerate(rows)]
    found = corrected_mean(GRADES, judged, [True] * len(rows), labels, seed=1)
    assert 1 <= found.low <= found.estimate <= found.high <= 5


DRAWS = 1_500


def verdicts(
    rng: np.random.Generator, seed: int, *, share: float, kind: float, harsh: float, n: int = 100, n_all: int = 800
) -> Interval:
    """A judge that finds ``kind`` of the wrong answers right, and ``harsh`` of the right ones wrong."""
    person = (rng.random(n_all) < share).astype(float)
    judged = np.where(rng.random(n_all) < np.where(person == 1, harsh, kind), 1 - person, person)
    labels = np.full(n_all, np.nan)
    drawn = rng.choice(n_all, n, replace=False)
    labels[drawn] = person[drawn]
    return corrected_mean(VERDICTS, judged, np.ones(n_all, bool), labels, seed=seed)


def grades(rng: np.random.Generator, seed: int, *, n: int = 100, n_all: int = 800) -> Interval:
    """A judge that is half a grade too kind on average. A person's grades: 3 on average."""
    person = rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], n_all, p=[0.1, 0.2, 0.4, 0.2, 0.1])
    judged = np.clip(person + rng.choice([-1, 0, 1, 2], n_all, p=[0.1, 0.5, 0.3, 0.1]), 1, 5)
    labels = np.full(n_all, np.nan)
    drawn = rng.choice(n_all, n, replace=False)
    labels[drawn] = person[drawn]
    return corrected_mean(GRADES, judged, np.ones(n_all, bool), labels, seed=seed)


def in_clusters(rng: np.random.Generator, seed: int) -> Interval:
    """Forty speakers of twenty answers each, who differ."""
    of = np.repeat(np.arange(40), 20)
    person = (rng.random(800) < rng.beta(6, 4, 40)[of]).astype(float)
    judged = np.where(rng.random(800) < 0.12, 1 - person, person)
    labels = np.full(800, np.nan)
    drawn = rng.choice(800, 100, replace=False)
    labels[drawn] = person[drawn]
    return corrected_mean(VERDICTS, judged, np.ones(800, bool), labels, seed=seed, clusters=of.tolist())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("evaluate", "truth"),
    [
        (partial(verdicts, share=0.6, kind=0.1, harsh=0.1), 0.6),
        (partial(verdicts, share=0.6, kind=0.3, harsh=0.05), 0.6),
        (partial(verdicts, share=0.85, kind=0.2, harsh=0.1), 0.85),
        (partial(verdicts, share=0.3, kind=0.05, harsh=0.3), 0.3),
        (partial(verdicts, share=0.5, kind=0.5, harsh=0.5), 0.5),
        (partial(verdicts, share=0.6, kind=0.08, harsh=0.08), 0.6),
        (partial(verdicts, share=0.6, kind=0.15, harsh=0.15, n=50, n_all=200), 0.6),
        (grades, 3.0),
        (in_clusters, 0.6),
    ],
)
def test_intervals_hold_the_truth_in_93_to_97_percent(
    evaluate: Callable[[np.random.Generator, int], Interval], truth: float
) -> None:
    rng = np.random.default_rng(11)
    draws = DRAWS
    found = [evaluate(rng, seed) for seed in range(draws)]
    covered = sum(one.low <= truth <= one.high for one in found) / draws
    assert 0.93 <= covered <= 0.97
    assert np.mean([one.estimate for one in found]) == pytest.approx(truth, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("off", [0.0, 0.02])
def test_of_a_nearly_perfect_judge_they_are_wider_than_need_be(off: float) -> None:
    """Of a hundred labels hardly any differs, and errors that are rarer than that can't be ruled out."""
    rng = np.random.default_rng(11)
    found = [verdicts(rng, seed, share=0.6, kind=off, harsh=off) for seed in range(DRAWS)]
    assert 0.97 <= sum(one.low <= 0.6 <= one.high for one in found) / DRAWS <= 0.995


@pytest.mark.slow
def test_uncorrected_intervals_of_a_kind_judge_miss_the_truth() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(300):
        person = rng.random(800) < 0.6
        judged = person | (rng.random(800) < 0.3)
        raw = wilson_interval(int(judged.sum()), 800)
        covered += raw.low <= 0.6 <= raw.high
    assert covered == 0
