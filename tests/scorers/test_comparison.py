"""The systems of a table against the best: standings by hand, the correction, what isn't compared and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tttbench.core.exchange import Status
from tttbench.core.metric import Comparison, MetricInfo
from tttbench.scorers.comparison import ALPHA, Table, compare
from tttbench.scorers.paired import paired
from tttbench.stats.holm import holm
from tttbench.stats.paired_shares import paired_shares_interval

RIGHT = MetricInfo("Right", unit="%", scale=100, aggregation="binary", lowest=0, highest=1)
ERRORS = MetricInfo("Errors", unit="%", scale=100, direction="lower", aggregation="rate", lowest=0)


@dataclass(frozen=True)
class Part:
    numerator: float
    denominator: float = 1.0
    status: Status = "ok"


about: Any = pytest.approx
"""Stands where a number is wanted."""

Parts = dict[str, Part]


def parts(values: Sequence[float], units: float = 1.0) -> Parts:
    return {f"s{at}": Part(float(value), units) for at, value in enumerate(values)}


def standings(
    systems: Mapping[str, Parts], info: MetricInfo = RIGHT, clusters: Mapping[str, str] | None = None
) -> dict[str, Comparison]:
    table = Table("t", "m", info, seed=0, n_resamples=500)
    found = compare(table, systems, lambda key: (clusters or {}).get(key, key))
    assert [one.system for one in found] in ([], list(systems))
    return {one.system: one for one in found}


def test_two_systems_by_hand() -> None:
    # b loses eight that a has, and wins none: McNemar's p is 2 / 2^8.
    a, b = parts([1] * 20), parts([0] * 8 + [1] * 12)
    found = standings({"b": b, "a": a})
    interval = paired_shares_interval([-1] * 8 + [0] * 12)
    assert found["b"] == Comparison(
        system="b",
        task="t",
        metric="m",
        best="a",
        difference=-0.4,
        ci_low=interval.low,
        ci_high=interval.high,
        n=20,
        n_units=20,
        p_value=about(2 / 2**8),
        p_adjusted=about(2 / 2**8),
        standing="worse",
    )
    assert (found["a"].standing, found["a"].best, found["a"].note) == ("best", "a", "")
    assert math.isnan(found["a"].difference)


def test_wide_intervals_that_meet_settle_nothing_and_pairs_do() -> None:
    # What is hard for one is hard for the other: each by itself is anywhere, the difference is not.
    rng = np.random.default_rng(0)
    hard = rng.integers(0, 9, size=40).tolist()
    a, b = parts(hard, 10.0), parts([edits + 1 for edits in hard], 10.0)
    found = standings({"a": a, "b": b}, ERRORS)
    assert (found["a"].standing, found["b"].standing) == ("best", "worse")
    assert found["b"].difference == pytest.approx(0.1)


def test_what_is_within_chance_is_not_settled() -> None:
    found = standings({"a": parts([1] * 15 + [0] * 5), "b": parts([1] * 14 + [0] * 6)})
    assert (found["a"].standing, found["b"].standing) == ("not settled", "no difference found")
    tied = standings({"b": parts([1, 0] * 10), "a": parts([0, 1] * 10)})
    # Of equal values the first is set against the others.
    assert [(one.standing, one.best, one.p_adjusted) for one in tied.values()] == [
        ("not settled", "b", pytest.approx(math.nan, nan_ok=True)),
        ("no difference found", "b", 1.0),
    ]


def test_lower_is_better_where_the_metric_says_so() -> None:
    few, many = parts([1] * 20, 10.0), parts([4] * 20, 10.0)
    found = standings({"many": many, "few": few}, ERRORS)
    assert (found["few"].standing, found["many"].standing) == ("best", "worse")
    higher = standings({"many": many, "few": few}, replace(ERRORS, direction="higher"))
    assert (higher["many"].standing, higher["few"].standing) == ("best", "worse")
    assert standings({"many": many, "few": few}, replace(ERRORS, direction="none")) == {}


def test_p_values_are_corrected_for_all_pairs_of_systems() -> None:
    systems = {
        "best": parts([1] * 30),
        "far": parts([0] * 12 + [1] * 18),
        "near": parts([0] * 7 + [1] * 23),
        "by": parts([0] * 3 + [1] * 27),
    }
    found = standings(systems)
    raw = {name: 2 / 2**lost for name, lost in (("far", 12), ("near", 7), ("by", 3))}
    assert {name: found[name].p_value for name in raw} == pytest.approx(raw)
    # Six pairs of four systems; 7 lost of 30 would be sure of two systems (0.016) and isn't of four.
    adjusted = {"far": 6 * raw["far"], "near": 5 * raw["near"], "by": 1.0}
    assert {name: found[name].p_adjusted for name in raw} == pytest.approx(adjusted)
    assert {name: one.standing for name, one in found.items()} == {
        "best": "not settled",
        "far": "worse",
        "near": "no difference found",
        "by": "no difference found",
    }


def test_so_few_that_nothing_could_be_found() -> None:
    # Five on one side have p = 0.0625; six 0.031, which is enough for a pair and not for three systems.
    five = standings({"a": parts([1] * 5), "b": parts([0] * 5)})
    assert (five["a"].standing, five["b"].standing) == ("not settled", "cannot tell")
    assert math.isnan(five["b"].ci_low)
    six = standings({"a": parts([1] * 6), "b": parts([0] * 6)})
    assert six["b"].standing == "worse"
    three = standings({"a": parts([1] * 6), "b": parts([0] * 6), "c": parts([0] * 6)})
    assert three["b"].standing == "cannot tell"


def test_clusters_are_swapped_whole() -> None:
    a, b = parts([1] * 20), parts([0] * 8 + [1] * 12)
    clusters = {f"s{at}": f"c{at // 4}" for at in range(20)}
    found = standings({"a": a, "b": b}, clusters=clusters)["b"]
    # Two of five clusters differ: all four assignments come as far.
    assert (found.n, found.n_units, found.p_value, found.standing) == (20, 5, 0.5, "cannot tell")


def test_answers_that_only_one_has_are_said() -> None:
    a = parts([1] * 20)
    b = {name: part for name, part in parts([0] * 20).items() if name in [f"s{at}" for at in range(12)]}
    found = standings({"a": a, "b": b})["b"]
    assert (found.n, found.note) == (12, "on the 12 of 20 answers that have a value in both")
    assert found.standing == "worse"
    other = {f"x{at}": Part(0.0) for at in range(20)}
    found = standings({"a": a, "b": other})["b"]
    assert (found.standing, found.note) == ("not compared", "no answer has a value in both this system and a")


def test_on_what_both_have_the_best_may_be_the_worse_one() -> None:
    # a has the better value, as it was asked easy questions alone; b got those right, too, and a not all.
    a = parts([0] * 8 + [1] * 72)
    b = {**parts([1] * 8), **{f"x{at}": Part(0.0) for at in range(40)}}
    found = standings({"a": a, "b": b})
    assert (found["b"].standing, found["b"].difference) == ("better", 1.0)
    assert found["a"].standing == "not settled"


def test_a_system_whose_every_request_failed_is_not_compared() -> None:
    dead: Parts = {f"s{at}": Part(0.0, 1.0, "error") for at in range(20)}
    found = standings({"a": parts([1] * 20), "dead": dead, "b": parts([0] * 8 + [1] * 12)})
    assert (found["dead"].standing, found["dead"].note) == ("not compared", "every request failed")
    # It makes the others' test no stricter.
    assert found["b"].p_adjusted == about(2 / 2**8)
    alone = standings({"a": parts([1] * 20), "dead": dead})
    assert [one.standing for one in alone.values()] == ["not compared", "not compared"]
    unscored: Parts = {f"s{at}": Part(math.nan, 1.0, "derivation_failed") for at in range(20)}
    assert standings({"a": parts([1] * 20), "b": unscored})["b"].note == "no answer has a value"


def test_with_many_failed_derivations_there_is_no_best() -> None:
    b = parts([0] * 8 + [1] * 12)
    found = standings({"a": parts([1] * 20), "b": {**b, "s19": Part(1.0, 1.0, "derivation_failed")}})
    assert (found["a"].standing, found["b"].standing) == ("not settled", "worse")
    assert found["a"].note == "no best is marked: more than 1 % of the transcripts or judgments failed"
    # What failed is out, whatever its numbers.
    assert found["b"].n == 19


def test_a_single_system_is_compared_with_none() -> None:
    assert standings({"a": parts([1] * 20)}) == {}
    assert standings({}) == {}


def test_two_dead_systems_are_compared_with_none() -> None:
    dead: Parts = {"s0": Part(0.0, 1.0, "error")}
    assert [one.standing for one in standings({"a": dead, "b": dead}).values()] == ["not compared", "not compared"]


def test_holm_over_all_pairs_errs_on_the_safe_side() -> None:
    # The corrected p-values of the pairs with the best are never below those of a correction that sees every pair.
    rng = np.random.default_rng(1)
    for _ in range(200):
        every = rng.random(10) ** 3
        assert (np.array(holm(every[:4].tolist(), among=10)) >= np.array(holm(every.tolist()))[:4] - 1e-12).all()


@pytest.mark.slow
def test_equal_systems_are_seldom_called_worse() -> None:
    # Six systems that are right as often as each other: in 5 % of tables at most one is called worse.
    # With a correction for five comparisons, as if the best weren't chosen after looking, it was 9 %.
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        hard = rng.beta(1, 1, size=60)
        systems = {f"{k}": parts((rng.random(60) < hard).astype(int).tolist()) for k in range(6)}
        table = Table("t", "m", RIGHT, seed=0, n_resamples=100)
        wrong += any(one.standing == "worse" for one in compare(table, systems, str))
    assert wrong / 400 <= ALPHA + 0.02


def test_two_sets_of_scores_without_any_units_are_not_compared() -> None:
    empty = parts([0, 0], 0.0)
    assert paired(ERRORS, empty, empty, str, seed=0, n_resamples=10) is None
    assert paired(ERRORS, {}, {}, str, seed=0, n_resamples=10) is None
