"""Which system dominates which: faster and no worse, or better and no slower; never by chance alone."""

from __future__ import annotations

import random

import pytest

from tttbench.core.metric import FrontierPoint
from tttbench.pipeline.frontier import Outcome, frontier


def outcomes(quality: float, seconds: float, n: int = 60, seed: int = 0, noise: float = 0.1) -> list[Outcome]:
    draw = random.Random(seed)
    return [
        Outcome(f"s{i}", f"c{i}", float(i < round(quality * n)), 1.0, seconds * (1 + noise * draw.uniform(-1, 1)))
        for i in range(n)
    ]


def places(found: dict[str, list[Outcome]], *, lower_is_better: bool = False) -> dict[str, FrontierPoint]:
    return {
        point.system: point
        for point in frontier("t", "m", found, lower_is_better=lower_is_better, seed=0, n_resamples=500)
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
