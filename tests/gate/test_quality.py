"""A metric on the same samples: what is compared, the whole verdict, and the smallest worsening that would show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tttbench.core.metric import Aggregation, MetricInfo
from tttbench.core.recipe import Recipe
from tttbench.gate.quality import Compared, compare, decide, verdict_of
from tttbench.gate.rules import QualityRule, Rules
from tttbench.gate.snapshot import Metric, Outcome, SampleFacts, Snapshot, TaskFacts
from tttbench.gate.verdict import QualityVerdict
from tttbench.stats.bootstrap import paired_ratio_difference
from tttbench.stats.permutation import permutation_test
from tttbench.stats.power import PairedPower, detectable_paired_difference

about: Any = pytest.approx
"""Stands where a number is wanted."""

Make = Callable[..., Snapshot]
NAN = math.nan
RULE = QualityRule(gates=True)


@pytest.mark.parametrize(
    ("worsening", "interval", "sure", "identical", "verdict"),
    [
        (0.0, (NAN, NAN), False, True, "same"),
        (0.5, (0.4, 0.6), True, True, "same"),
        (0.02, (-0.1, 0.1), True, False, "same"),
        (0.2, (0.0, 0.2), True, False, "worse"),
        (0.2, (-0.2, 0.0), True, False, "worse"),
        (0.2, (NAN, 0.0), True, False, "worse"),
        (0.2, (0.0, math.inf), False, False, "cannot tell"),
        (-0.2, (-0.3, -0.1), True, False, "better"),
        (0.1, (0.05, 0.15), True, False, "cannot tell"),
        (-0.1, (-0.15, -0.05), True, False, "cannot tell"),
        (0.2, (0.1, 0.3), False, False, "cannot tell"),
    ],
)
def test_a_verdict_needs_a_test_and_a_margin(
    worsening: float, interval: tuple[float, float], sure: bool, identical: bool, verdict: str
) -> None:
    assert verdict_of(worsening, interval, 0.1, is_sure=sure, is_identical=identical) == verdict


def metric(rows: Sequence[tuple[float, float]], kind: Aggregation = "rate", lower: bool = True) -> Metric:
    """A metric with a numerator and a denominator a sample."""
    info = MetricInfo("M", direction="lower" if lower else "higher", aggregation=kind)
    outcomes = {f"s{at}": Outcome(one, other, "ok") for at, (one, other) in enumerate(rows)}
    return Metric("sys", "task", "m", info, Recipe("m@1"), outcomes)


def task(clusters: Sequence[str]) -> TaskFacts:
    return TaskFacts("qa", "", "", ("m",), {f"s{at}": SampleFacts("", one) for at, one in enumerate(clusters)})


def compared(before: Metric, now: Metric, clusters: Sequence[str] = (), rules: Rules | None = None) -> Compared:
    found = compare(before, now, task(clusters or [""] * 40), RULE, rules or Rules(resamples=200))
    assert found is not None
    return found


def test_samples_that_both_have_with_numbers_are_compared() -> None:
    before = metric([(1, 10), (NAN, 10), (2, NAN), (3, 10), (4, 10), (0, 20)])
    now = metric([(2, 10), (1, 10), (1, 10), (1, NAN), (math.inf, 10), (3, 10), (9, 9)])
    outcomes = {"alone": Outcome(5, 5, "ok"), **before.outcomes}
    found = compared(replace(before, outcomes=outcomes), now)
    assert found.paired.rows.tolist() == [[1, 10, 2, 10], [0, 20, 3, 10]]
    assert (found.paired.n_unknown, found.paired.n_units, found.paired.clusters) == (4, 2, None)
    assert (found.paired.value_a, found.paired.value_b) == (1 / 30, 5 / 20)
    assert found.paired.difference.estimate == about(5 / 20 - 1 / 30)
    assert (found.baseline.name, found.rule) == ("m", RULE)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([], []),
        ([(NAN, 1)], [(1, 1)]),
        ([(1, 0), (1, 0)], [(1, 1), (1, 1)]),
        ([(1, 1), (1, 1)], [(1, 0), (1, 0)]),
    ],
)
def test_where_nothing_has_a_value_nothing_is_compared(
    before: list[tuple[float, float]], now: list[tuple[float, float]]
) -> None:
    assert compare(metric(before), metric(now), task([""] * 4), RULE, Rules()) is None


def test_single_samples_and_clusters_are_told_apart() -> None:
    rows = [(1.0, 10.0), (2.0, 10.0), (3.0, 10.0), (4.0, 10.0)]
    # A cluster of the name of a sample is another thing than that sample.
    assert compared(metric(rows), metric(rows), ["s1", "", "", "c"]).paired.clusters is None
    assert compared(metric(rows), metric(rows), ["c", "", "", "c"]).paired.clusters == (
        "cluster c",
        "sample s1",
        "sample s2",
        "cluster c",
    )
    # Of samples that the task doesn't list, each stands alone.
    assert compared(metric(rows), metric(rows), ["c", "c"]).paired.n_units == 3


@pytest.mark.parametrize("clusters", [[""] * 24, [f"c{at // 2}" for at in range(24)]])
def test_interval_and_test_are_those_of_the_rules_seed_and_resamples(clusters: list[str]) -> None:
    draw = np.random.default_rng(0)
    before, now = ([(float(n), 10.0) for n in draw.integers(0, 6, 24)] for _ in range(2))
    found = compared(metric(before), metric(now), clusters, Rules(seed=5, resamples=300))
    labels = clusters if clusters[0] else None
    (a, b), (c, d) = (np.array(one).T for one in (before, now))
    interval = paired_ratio_difference(c, d, a, b, seed=5, n_resamples=300, clusters=labels)
    assert found.paired.difference == interval
    # As many draws again, because a p-value has to be told from alpha.
    test = permutation_test(a, b, c, d, seed=5, n_draws=600, clusters=labels)
    assert (found.paired.p_value, found.paired.n_units) == (test.p_value, test.n_units)


def binary(lost: int, won: int, rest: int) -> Compared:
    """So many answers that turn wrong, that turn right, and that stay right."""
    before = [(1.0, 1.0)] * lost + [(0.0, 1.0)] * won + [(1.0, 1.0)] * rest
    now = [(0.0, 1.0)] * lost + [(1.0, 1.0)] * won + [(1.0, 1.0)] * rest
    return compared(metric(before, "binary", lower=False), metric(now, "binary", lower=False))


def test_the_whole_verdict() -> None:
    found = binary(7, 0, 13)
    verdict = decide(found, 0.015, level=0.98, rules=Rules())
    assert verdict == QualityVerdict(
        system="sys",
        task="task",
        metric="m",
        info=found.baseline.info,
        baseline=1.0,
        run=13 / 20,
        difference=found.paired.difference.estimate,
        low=found.paired.difference.low,
        high=found.paired.difference.high,
        n=20,
        n_units=20,
        n_unknown=0,
        only_baseline=7,
        only_run=0,
        p_value=found.paired.p_value,
        p_adjusted=0.015,
        margin=0.01,
        detectable=verdict.detectable,
        gates=True,
        is_identical=False,
        verdict="worse",
    )
    assert (verdict.difference, verdict.p_value) == (about(-7 / 20), about(2 / 2**7))
    assert not verdict.lower_is_better
    back = decide(binary(1, 8, 4), None, level=0.98, rules=Rules())
    assert (back.only_baseline, back.only_run, back.p_adjusted) == (1, 8, None)


@pytest.mark.parametrize(
    ("p_adjusted", "alpha", "verdict"),
    [(None, 0.0157, "worse"), (None, 0.0156, "cannot tell"), (0.02, 0.02, "worse"), (0.021, 0.02, "cannot tell")],
)
def test_the_adjusted_p_value_decides_where_there_is_one(p_adjusted: float | None, alpha: float, verdict: str) -> None:
    assert decide(binary(7, 0, 13), p_adjusted, level=0.98, rules=Rules(alpha=alpha)).verdict == verdict


def test_counts_of_right_answers_are_those_of_single_verdicts_alone() -> None:
    rows = [(1.0, 1.0), (0.0, 1.0), (1.0, 1.0)]
    for kind, clusters in (("rate", ()), ("value", ()), ("binary", ("c", "c", ""))):
        one = metric(rows, kind, lower=False)  # type: ignore[arg-type]  # three of the literals
        verdict = decide(compared(one, one, clusters), None, level=0.98, rules=Rules())
        assert (verdict.only_baseline, verdict.only_run) == (None, None)
        assert (verdict.is_identical, verdict.verdict) == (True, "same")


def test_equal_values_made_of_other_numbers_are_not_identical() -> None:
    rows = [(1.0, 10.0)] * 3
    for others in ([(1.0, 10.0), (2.0, 10.0), (0.0, 10.0)], [(1.0, 10.0), (1.0, 5.0), (1.0, 15.0)]):
        found = decide(compared(metric(rows), metric(others)), None, level=0.98, rules=Rules())
        assert (found.baseline, found.run, found.is_identical) == (found.run, found.baseline, False)


def changes(kind: Aggregation, clusters: Sequence[str] = (), margin: float = 0.0) -> Compared:
    """32 samples: 12 of 40 units more or less than a tenth of the words go wrong, before and now."""
    before = [(2, 10), (2, 10), (1, 10), (1, 10), (2, 20), (2, 20), (2, 20), (2, 20)] * 4
    now = [(1, 10), (1, 10), (2, 10), (2, 10), (3, 30), (3, 30), (1, 30), (1, 30)] * 4
    rule = QualityRule(gates=True, worse_by_more_than=margin)
    found = compare(metric(before, kind), metric(now, kind), task(clusters or [""] * 32), rule, Rules(resamples=200))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "clusters", "basis"),
    [
        # 480 words before and 640 now, a tenth of them wrong. Beyond it: -1, -1, +1, +1, 0, 0, -2, -2, four times.
        # 8 squares one way, so 16 of noise; a piece is the mean length of an answer, weighted by it: 8,000 / 480.
        ("rate", (), PairedPower(32, 560, 4 / 560, 8_000 / 480)),
        # Values of samples differ by 1 or not at all.
        ("value", (), PairedPower(32, 560, 4 / 560, 1.0)),
        # Eights of one cluster: -4 each, one way alone, and 120 words.
        ("rate", [f"c{at // 8}" for at in range(32)], PairedPower(4, 560, 0.0, 120.0)),
        # Pairs: -2, +2, 0, -4, four times.
        ("rate", [f"c{at // 2}" for at in range(32)], PairedPower(16, 560, math.sqrt(2 * 16) / 560, 16_000 / 480)),
    ],
)
@pytest.mark.parametrize("margin", [0.0, 0.02])
def test_the_smallest_worsening_counts_on_the_largest_pieces(
    kind: Aggregation, clusters: Sequence[str], basis: PairedPower, margin: float
) -> None:
    found = decide(changes(kind, clusters, margin), None, level=0.8, rules=Rules(power=0.7)).detectable
    expected = detectable_paired_difference(basis, level=0.8, power=0.7, margin=margin)
    assert found == about(expected)


def test_values_that_do_not_differ_among_each_other_change_by_the_largest_change() -> None:
    rows = [(5.0, 1.0)] * 20
    now = [(5.5, 1.0)] + [(4.5, 1.0)] + [(5.25, 1.0), (4.75, 1.0)] + [(5.0, 1.0)] * 16
    found = decide(compared(metric(rows, "value"), metric(now, "value")), None, level=0.9, rules=Rules())
    basis = PairedPower(20, 20.0, math.sqrt(2 * (0.25 + 0.0625)) / 20, 0.5)
    assert found.detectable == about(detectable_paired_difference(basis, level=0.9, power=0.95, margin=0.01))
    same = decide(compared(metric(rows, "value"), metric(rows, "value")), None, level=0.9, rules=Rules())
    assert math.isnan(same.detectable)


def test_the_noise_is_what_goes_either_way() -> None:
    # Half up, twice, and a quarter down: of 4 and 6 by turns, which are 1.01875 and 0.98125 from their mean of all.
    rows = [(4.0, 1.0), (6.0, 1.0)] * 10
    now = [(4.5, 1.0), (6.5, 1.0), (3.75, 1.0), *rows[3:]]
    found = decide(compared(metric(rows, "value"), metric(now, "value")), None, level=0.9, rules=Rules())
    piece = (1.01875**2 + 0.98125**2) / (1.01875 + 0.98125)
    basis = PairedPower(20, 20.0, math.sqrt(2 * 0.25**2) / 20, piece)
    assert found.detectable == about(detectable_paired_difference(basis, level=0.9, power=0.95, margin=0.01))


def test_an_accuracy_can_fall_by_no_more_than_it_is_and_other_values_can() -> None:
    rows = [(1.0, 1.0)] * 4 + [(0.0, 1.0)] * 16
    kinds: list[tuple[Aggregation, bool, bool]] = [
        ("binary", False, False),
        ("rate", False, False),
        ("rate", True, True),
        ("value", False, True),
    ]
    for kind, lower, there in kinds:
        one = metric(rows, kind, lower=lower)
        found = decide(compared(one, one), None, level=0.98, rules=Rules()).detectable
        assert math.isfinite(found) is there
