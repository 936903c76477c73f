"""Wilson's interval against statsmodels, for clusters too, and by hand. Coverage: test_coverage.py."""

import math

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

from tttbench.stats.wilson import clustered_wilson_interval, wilson_interval


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


def test_average_coverage_is_95_percent_even_for_few_samples() -> None:
    # Exact, from the binomial distribution; as Brown, Cai & DasGupta 2001 find.
    proportions = np.linspace(0.005, 0.995, 199)
    for n in (10, 40, 100):
        counts = np.arange(n + 1)
        bounds = np.array([(one.low, one.high) for one in (wilson_interval(int(x), n) for x in counts)])
        inside = (bounds[:, :1] <= proportions) & (proportions <= bounds[:, 1:])
        probability = scipy.stats.binom.pmf(counts[:, None], n, proportions)
        assert (inside * probability).sum(axis=0).mean() == pytest.approx(0.95, abs=0.005)


def test_clusters_agree_with_statsmodels_robust_variance() -> None:
    rng = np.random.default_rng(0)
    clusters = rng.integers(0, 12, size=80)
    right = rng.random(80) < rng.beta(1, 1, size=12)[clusters]
    fit = sm.OLS(right.astype(float), np.ones(80)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    share = right.mean()
    effective = share * (1 - share) / fit.bse[0] ** 2
    alpha = 2 * scipy.stats.norm.sf(scipy.stats.t.ppf(0.975, 11))
    theirs = proportion_confint(share * effective, effective, alpha=alpha, method="wilson")
    ours = clustered_wilson_interval(right, clusters.tolist())
    assert effective < 80
    assert (ours.estimate, ours.low, ours.high) == pytest.approx((share, *theirs), abs=1e-5)


def test_clusters_of_one_are_independent_samples() -> None:
    assert clustered_wilson_interval([True, False, True], ["a", "b", "c"]) == wilson_interval(2, 3)


def test_clusters_that_are_alike_say_no_more_than_their_samples() -> None:
    # Half right in every cluster: no spread at all, and yet only 40 samples; t of 19 degrees in place of z.
    verdicts, clusters = [True, False] * 20, [at // 2 for at in range(40)]
    found = clustered_wilson_interval(verdicts, clusters)
    t = scipy.stats.t.ppf(0.975, 19)
    assert found.high == pytest.approx(0.5 + 0.5 * t / math.sqrt(40 + t * t), abs=1e-6)


def test_clusters_that_are_more_alike_than_chance_say_no_more_than_their_samples() -> None:
    # 19 clusters half right, one all right: a variance of 1 / 1600, as of 0.525 * 0.475 * 1600 = 399 samples.
    verdicts, clusters = [True, False] * 19 + [True] * 2, [at // 2 for at in range(40)]
    found = clustered_wilson_interval(verdicts, clusters)
    t = scipy.stats.t.ppf(0.975, 19)
    centre, width = 0.525 + t * t / 80, t * math.sqrt(0.525 * 0.475 / 40 + t * t / 6_400)
    scale = 1 + t * t / 40
    assert (found.low, found.high) == pytest.approx(((centre - width) / scale, (centre + width) / scale), abs=1e-6)


def test_where_all_are_right_each_cluster_is_one_sample() -> None:
    assert clustered_wilson_interval([True] * 50, [at // 5 for at in range(50)]) == wilson_interval(10, 10)


def test_one_cluster_supports_no_interval() -> None:
    found = clustered_wilson_interval([True, False], ["a", "a"])
    assert found.estimate == 0.5
    assert math.isnan(found.low)


def test_every_verdict_needs_its_cluster() -> None:
    with pytest.raises(ValueError, match="labels"):
        clustered_wilson_interval([True, False], ["a"])
