"""The interval of a difference of paired shares: Bonett and Price's example, by hand, clusters, refusals."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tttbench.stats.paired_shares import paired_shares_interval

Z = 1.959963984540054


def test_hand_worked() -> None:
    # 8 of 30 only the first, 3 only the second: (9 - 4) / 32 and the variance of those shares over 32.
    found = paired_shares_interval([1] * 8 + [-1] * 3 + [0] * 19)
    centre, half = 5 / 32, Z * math.sqrt((13 / 32 - (5 / 32) ** 2) / 32)
    assert found.estimate == pytest.approx(5 / 30)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half))


def test_lost_answers_by_hand_in_points() -> None:
    # 20 of 60 lost, none won: shares of 21/62 and 1/62, so -20/62 ± 1.96 sqrt((22/62 - (20/62)²) / 62).
    found = paired_shares_interval([-1] * 20 + [0] * 40)
    assert found.estimate == pytest.approx(-20 / 60)
    assert [round(100 * bound, 1) for bound in (found.low, found.high)] == [-44.7, -19.8]


def test_equal_differences_have_width() -> None:
    none = paired_shares_interval([0] * 10)
    assert (none.low, none.high) == pytest.approx((-Z * math.sqrt(2) / 12, Z * math.sqrt(2) / 12))
    every = paired_shares_interval([-1] * 10)
    assert (every.estimate, every.low) == (-1.0, -1.0)
    assert every.high == pytest.approx(-10 / 12 + Z * math.sqrt((1 - (10 / 12) ** 2) / 12))


def test_clusters_of_one_are_independent_samples() -> None:
    values = [1, 0, -1, 0, 1, 0, 0, 0]
    assert paired_shares_interval(values, clusters=list("abcdefgh")) == paired_shares_interval(values)


def test_clusters_count_as_much_as_their_spread_shows() -> None:
    # Ten clusters of four equal differences: three 1, seven 0; variance of the mean 0.21 / 9, so nine samples.
    values, clusters = [1] * 12 + [0] * 28, [at // 4 for at in range(40)]
    up, down = (0.3 * 9 + 1) / 11, 1 / 11
    half = scipy.stats.t.ppf(0.975, 9) * math.sqrt((up + down - (up - down) ** 2) / 11)
    found = paired_shares_interval(values, clusters=clusters)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.3, up - down - half, up - down + half), abs=1e-5)


def test_equal_differences_in_clusters_count_once_each() -> None:
    found = paired_shares_interval([0] * 40, clusters=[at // 4 for at in range(40)])
    half = scipy.stats.t.ppf(0.975, 9) * math.sqrt(2) / 12
    assert (found.low, found.high) == pytest.approx((-half, half), abs=1e-5)


def test_one_cluster_supports_no_interval() -> None:
    found = paired_shares_interval([1, 0], clusters=["a", "a"])
    assert found.estimate == 0.5
    assert math.isnan(found.low)


@pytest.mark.parametrize(("values", "clusters"), [([], None), ([0.5], None), ([1, 2], None), ([1, 0], ["a"])])
def test_what_makes_no_sense_is_refused(values: list[float], clusters: list[str] | None) -> None:
    with pytest.raises(ValueError, match=r"must be|labels"):
        paired_shares_interval(values, clusters=clusters)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=40), st.integers(1, 4))
def test_the_other_way_round_is_the_mirror_image(values: list[int], each: int) -> None:
    clusters = (np.arange(len(values)) // each).tolist()
    one = paired_shares_interval(values, clusters=clusters)
    other = paired_shares_interval([-value for value in values], clusters=clusters)
    assert (other.estimate, other.low, other.high) == pytest.approx((-one.estimate, -one.high, -one.low), nan_ok=True)
    assert math.isnan(one.low) or -1 <= one.low <= one.estimate <= one.high <= 1
