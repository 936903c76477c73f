"""Tables for the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tttbench.cli.columns import columns, in_unit, number, results_table
from tttbench.core.metric import MetricInfo, Result
from tttbench.core.recipe import Recipe


def test_columns_are_aligned() -> None:
    assert columns([["a", "n"], ["long", "10"]], right=frozenset({1})) == "a      n\nlong  10"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (12.345, "12.3"), (1234.5, "1234"), (0, "0"), (None, "-"), (float("nan"), "-")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_metrics_are_shown_in_their_unit() -> None:
    share, mos = MetricInfo("share", unit="%", scale=100), MetricInfo("MOS", unit="MOS")
    assert (in_unit(0.0525, share), in_unit(float("nan"), share), in_unit(4.512, mos)) == ("5.2", "-", "4.51")


RESULT = Result("s", "t", "wer", 0.5, 0.25, 0.75, 4, 4, 0, 0, 0, 0, Recipe("wer@1"), 0.5, 0.5)
INFO = {"wer": MetricInfo("WER", unit="%", scale=100)}


def test_a_result_without_an_interval_has_a_dash() -> None:
    nan = float("nan")
    assert " 25.0 to 75.0 " in results_table([RESULT], INFO)
    line = results_table([replace(RESULT, n=1, ok=1, ci_low=nan, ci_high=nan)], INFO).splitlines()[1]
    assert line.split() == ["s", "t", "wer", "50.0", "-", "%", "1", "1", "0", "0", "0", "0"]


def test_answers_that_were_cut_have_a_column_where_there_are_any() -> None:
    assert "cut" not in results_table([RESULT], INFO)
    head, one, two = results_table([RESULT, replace(RESULT, task="u", cut=3)], INFO).splitlines()
    assert (head.split()[-1], one.split()[-1], two.split()[-1]) == ("cut", "0", "3")
