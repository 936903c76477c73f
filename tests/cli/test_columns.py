"""Tables for the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tttbench.cli.columns import columns, number, results_table
from tttbench.core.metric import Comparison, MetricInfo, Result
from tttbench.core.recipe import Recipe


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"\s{2,}", line.strip())] for line in table.splitlines()]


def test_columns_are_aligned() -> None:
    assert columns([["a", "n"], ["long", "10"]], right=frozenset({1})) == "a      n\nlong  10"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (12.345, "12.3"), (1234.5, "1234"), (0, "0"), (None, "-"), (float("nan"), "-")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


MOS = MetricInfo("Opinion", unit="MOS", lowest=1, highest=5)
WER = MetricInfo("Word error rate", unit="%", scale=100, direction="lower", aggregation="rate")
NAN = float("nan")
RESULT = Result(
    *("a", "talk", "mos", 4.5, 4.25, 4.75, 20, 18, 1, 0, 0, 1),
    *(Recipe("r"), 4.5, 4.5, 5, "utterance", "speaker"),
)


def test_results_stand_in_their_metric_s_unit_with_what_was_counted() -> None:
    few = replace(RESULT, metric="wer", value=3.562, ci_low=NAN, ci_high=NAN, ok=20, empty=0, error=0, n_units=3)
    assert cells(results_table([RESULT, few], {"mos": MOS, "wer": WER})) == [
        ["system", "task", "metric", "value", "95 % interval", "unit", "over", "n", "not ok"],
        ["a", "talk", "mos", "4.5", "4.25 to 4.75", "MOS", "5 speakers", "20", "1 empty, 1 error"],
        ["a", "talk", "wer", "356.2", "n too small", "%", "3 speakers", "20", "-"],
    ]


def test_results_of_several_systems_say_how_they_stand_to_the_best() -> None:
    best = Comparison("a", "talk", "mos", "a", NAN, NAN, NAN, 0, 0, NAN, NAN, "best")
    worse = Comparison("b", "talk", "mos", "a", -1.25, -1.5, -1.0, 18, 5, 0.01, 0.02, "worse", "on 18 of 20")
    ceiling = replace(RESULT, system="reference audio")
    found = cells(results_table([RESULT, replace(RESULT, system="b"), ceiling], {"mos": MOS}, [best, worse]))
    assert found[0][-2:] == ["to the best [95 %]", "standing"]
    assert [row[9:] for row in found[1:]] == [["best"], ["-1.25 [-1.5, -1]", "worse (p = 0.020), on 18 of 20"], []]


def test_answers_that_were_cut_are_counted_with_what_is_not_ok() -> None:
    (_, row) = cells(results_table([replace(RESULT, cut=3)], {"mos": MOS}))
    assert row[-1] == "1 empty, 1 error, 3 cut"
