"""Which system dominates which: faster and no worse, or better and no slower; never by chance alone."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from tttbench.core.metric import FrontierPoint, MetricInfo
from tttbench.pipeline.frontier import Outcome, frontier
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.median import median_interval

SHARE = MetricInfo("Right", aggregation="binary")
RATE = MetricInfo("Errors", direction="lower", aggregation="rate")


def outcomes(quality: float, seconds: float, n: int = 60, seed: int = 0, noise: float = 0.1) -> list[Outcome]:
    draw = random.Random(seed)
    return [
        Outcome(f"s{i}", f"c{i}", float(i < round(quality * n)), 1.0, seconds * (1 + noise * draw.uniform(-1, 1)))
        for i in range(n)
    ]


def places(found: dict[str, list[Outcome]], *, lower_is_better: bool = False) -> dict[str, FrontierPoint]:
    return {
        point.system: point
        for point in frontier("t", "m", RATE if lower_is_better else SHARE, found, seed=0, n_resamples=500)
    }


def test_faster_with_the_same_verdicts_dominates_slower() -> None:
    found = places({"slow": outcomes(0.8, 2.0), "fast": outcomes(0.8, 1.0, seed=1)})
    assert found["slow"].dominated_by == ("fast",)
    assert found["fast"].dominated_by == ()


def test_better_and_slower_dominates_none_and_is_not_dominated() -> None:
    found = places({"good": outcomes(0.9, 2.0), "fast": outcomes(0.6, 1.0)})
    assert found["good"].dominated_by == found["fast"].dominated_by == ()


def test_better_and_as_fast_dominates() -> None:
    same = outcomes(0.9, 1.0)
    worse = [Outcome(o.sample, o.cluster, float(i < 30), 1.0, o.seconds) for i, o in enumerate(same)]
    found = places({"good": same, "bad": worse})
    assert found["bad"].dominated_by == ("good",)
    assert found["good"].dominated_by == ()


def test_of_error_rates_the_lower_dominates() -> None:
    found = places({"slow": outcomes(0.2, 2.0), "fast": outcomes(0.1, 1.0)}, lower_is_better=True)
    assert found["slow"].dominated_by == ("fast",)
    assert found["fast"].dominated_by == ()


def test_equal_systems_do_not_dominate_each_other() -> None:
    found = places({str(seed): outcomes(0.8, 1.0, seed=seed, noise=0.5) for seed in range(4)})
    assert sum(len(point.dominated_by) for point in found.values()) <= 1


def test_both_axes_have_intervals_and_counts() -> None:
    point = places({"a": outcomes(0.8, 1.0)})["a"]
    assert point.quality == pytest.approx(0.8)
    assert point.quality_low < 0.8 < point.quality_high
    assert point.seconds_low < point.seconds < point.seconds_high
    assert point.n == 60


def test_only_samples_that_both_answered_are_compared_and_one_answer_is_none() -> None:
    found = places({"a": outcomes(0.8, 1.0), "b": outcomes(0.8, 2.0)[:30], "c": outcomes(1.0, 1.0)[:1]})
    assert set(found) == {"a", "b"}
    assert found["b"].dominated_by == ("a",)
    assert found["b"].n == 30


def test_requests_that_failed_count_for_quality_and_have_no_seconds() -> None:
    failed = [Outcome(f"s{i}", f"c{i}", 0.0, 1.0, None) for i in range(60, 80)]
    found = places({"fragile": outcomes(1.0, 1.0) + failed, "sturdy": outcomes(1.0, 1.0, seed=1)})
    assert found["fragile"].quality == pytest.approx(60 / 80)
    assert (found["fragile"].n, found["fragile"].n_timed) == (80, 60)


def test_systems_that_tell_no_times_have_no_place() -> None:
    silent = [Outcome(f"s{i}", f"c{i}", 1.0, 1.0, None) for i in range(9)]
    assert places({"silent": silent, "a": outcomes(0.5, 1.0)}).keys() == {"a"}


def test_repeats_of_a_sample_are_requests_of_their_own() -> None:
    often = [replace(one, repeat=repeat) for one in outcomes(0.8, 1.0, n=10) for repeat in (0, 1, 2)]
    point = places({"often": often})["often"]
    assert (point.n, point.n_timed) == (30, 30)
    # What is compared is the same repeat: those that one has alone count for nobody.
    slow = [replace(one, seconds=3.0, repeat=1) for one in outcomes(0.8, 1.0, n=10)]
    fast_elsewhere = [replace(one, seconds=0.1, repeat=2) for one in outcomes(0.8, 1.0, n=10)]
    found = places({"fast": [*outcomes(0.8, 1.0, n=10), *fast_elsewhere], "slow": slow})
    assert found["slow"].dominated_by == ()


@pytest.mark.parametrize(("n", "timed", "there"), [(1, 1, False), (2, 1, False), (2, 2, True), (5, 2, True)])
def test_two_timed_answers_make_a_place(n: int, timed: int, there: bool) -> None:
    given = [Outcome(f"s{i}", f"c{i}", 1.0, 1.0, 1.0 if i < timed else None) for i in range(n)]
    assert (len(places({"a": given})) == 1) is there


def test_the_whole_point_is_of_the_seed_the_resamples_and_the_clusters() -> None:
    rows = [Outcome(f"s{i}", f"c{i // 2}", float(i % 5), float(5 + i % 3), 1.0 + i / 10) for i in range(24)]
    (point,) = frontier("t", "m", RATE, {"a": rows}, seed=4, n_resamples=300)
    quality = corpus_interval(
        RATE,
        [one.numerator for one in rows],
        [one.denominator for one in rows],
        seed=4,
        n_resamples=300,
        clusters=[one.cluster for one in rows],
    )
    seconds = median_interval([1.0 + i / 10 for i in range(24)])
    assert point == FrontierPoint(
        *("a", "t", "m", True, quality.estimate, quality.low, quality.high),
        *(seconds.median, seconds.low, seconds.high, 24, 24, ()),
    )


def pairs(quality: tuple[float, float], seconds: tuple[float, float], n: int = 40) -> dict[str, list[Outcome]]:
    """Two systems, ``a`` and ``b``: of each the share of right answers and the seconds of all."""
    return {
        name: [Outcome(f"s{i}", f"c{i}", float(i < right * n), 1.0, took) for i in range(n)]
        for name, right, took in zip("ab", quality, seconds, strict=True)
    }


@pytest.mark.parametrize(
    ("quality", "seconds", "dominated"),
    [
        ((0.5, 0.5), (1.0, 2.0), "b"),
        ((0.5, 0.5), (1.0, 1.0), ""),
        ((0.9, 0.5), (1.0, 1.0), "b"),
        ((0.9, 0.5), (1.1, 1.0), ""),
        ((0.5, 0.55), (1.0, 2.0), ""),
        ((0.525, 0.5), (1.0, 1.0), ""),
    ],
)
def test_faster_and_no_worse_or_surely_better_and_no_slower(
    quality: tuple[float, float], seconds: tuple[float, float], dominated: str
) -> None:
    found = places(pairs(quality, seconds))
    assert [name for name in "ab" if found[name].dominated_by] == list(dominated)
    # Where less is better, the other way round.
    if quality[0] == 0.9:
        assert places(pairs(quality, seconds), lower_is_better=True)["a"].dominated_by == ("b",)


def test_fewer_than_two_pairs_say_nothing() -> None:
    fast = [Outcome(f"s{i}", f"c{i}", 1.0, 1.0, 1.0) for i in range(9)]
    apart = [Outcome(f"s{i}", f"c{i}", 0.0, 1.0, 9.0) for i in range(8, 17)]
    # Two that both answered, of which one has both times, and one that has no time at all.
    untimed = (
        [replace(one, seconds=None) for one in fast[:2]] + [replace(fast[2], numerator=0.0, seconds=9.0)] + apart[1:]
    )
    for others in (apart, untimed):
        assert places({"fast": fast, "other": others})["other"].dominated_by == ()
    # All of five on one side happen by chance in one of 16 cases, all of six in one of 32.
    for n, dominated in ((5, ()), (7, ("fast",))):
        some = [replace(one, seconds=9.0) for one in fast[:n]]
        assert places({"fast": fast, "other": some})["other"].dominated_by == dominated


@pytest.mark.slow
def test_of_many_equal_systems_hardly_ever_is_one_dominated() -> None:
    draw = random.Random(7)

    def equal() -> list[Outcome]:
        return [Outcome(f"s{i}", f"c{i}", float(draw.random() < 0.5), 1.0, draw.uniform(1, 2)) for i in range(20)]

    n_wrong = 0
    for _ in range(100):
        found = places({str(at): equal() for at in range(6)})
        n_wrong += any(point.dominated_by for point in found.values())
    assert n_wrong <= 10  # of 100 at 5 %, more happen once in 90 times


def test_audio_tokens_over_the_passes_that_filled_them() -> None:
    spoken = [replace(one, codes=27 + i % 3, passes=4) for i, one in enumerate(outcomes(0.8, 1.0, n=12))]
    silent = [replace(one, sample=f"x{i}", codes=0, passes=None) for i, one in enumerate(outcomes(0.8, 1.0, n=3))]
    point = places({"a": spoken + silent, "b": silent})["a"]
    assert point.codes_per_pass == 28 / 4
    assert point.codes_per_pass_low < 7 < point.codes_per_pass_high
    assert math.isnan(places({"b": silent})["b"].codes_per_pass)
