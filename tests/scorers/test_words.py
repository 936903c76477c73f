"""Results and standings in words."""

import math
from dataclasses import replace

import pytest

from tttbench.core.metric import Comparison, MetricInfo, Result, Standing
from tttbench.core.recipe import Recipe
from tttbench.scorers import words

NAN = math.nan
SHARE = MetricInfo("Right", unit="%", scale=100, aggregation="binary")
RESULT = Result(
    "s", "t", "m", 0.5, 0.4, 0.61, 100, 100, 0, 0, 0, 0, Recipe("r"), 0.5, 0.5, n_units=100, unit="utterance"
)  # fmt: skip
WORSE = Comparison("b", "t", "m", "a", -0.1234, -0.2, -0.05, 100, 100, 0.001, 0.0021, "worse")


def test_what_was_counted() -> None:
    assert words.counted(RESULT) == "100 utterances"
    assert words.counted(replace(RESULT, n=1, n_units=1)) == "1 utterance"
    assert words.counted(replace(RESULT, cluster="speaker", n_units=10)) == "100 utterances of 10 speakers"
    assert words.counted(replace(RESULT, unit="answer", cluster="question", n_units=1)) == "100 answers for 1 question"
    assert words.units(RESULT) == "100 utterances"
    assert words.units(replace(RESULT, cluster="speaker", n_units=10)) == "10 speakers"
    assert words.units(replace(RESULT, n_units=0)) == ""


def test_an_interval_or_why_there_is_none() -> None:
    none = replace(RESULT, ci_low=NAN, ci_high=NAN)
    assert words.interval(RESULT, SHARE) == "40.0 to 61.0"
    assert words.interval(replace(none, n_units=7), SHARE) == "n too small"
    assert words.interval(none, SHARE) == "all equal"
    assert words.interval(replace(none, value=NAN), SHARE) == "-"
    assert words.interval(replace(none, n_units=0), SHARE) == "-"


def test_why_there_is_no_interval_in_a_sentence() -> None:
    none = replace(RESULT, ci_low=NAN, ci_high=NAN)
    assert words.no_interval(RESULT) == ""
    assert words.no_interval(replace(none, value=NAN)) == ""
    assert words.no_interval(none) == "no interval: all values are equal, and the metric has no range"
    few = replace(none, cluster="speaker", n_units=2)
    assert words.no_interval(few) == "n too small for an interval (2 speakers, 8 are needed)"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "-12.3 [-20.0, -5.0]"),
        ({"ci_low": NAN, "ci_high": NAN}, "-12.3"),
        ({"difference": 0.0}, "+0.0 [-20.0, -5.0]"),
        ({"difference": NAN}, ""),
    ],
)
def test_differences(given: dict[str, float], said: str) -> None:
    assert words.difference(replace(WORSE, **given), SHARE) == said  # type: ignore[arg-type]  # numbers


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        ("best", "best"),
        ("not settled", "not settled"),
        ("worse", "worse (p = 0.002)"),
        ("better", "better (p = 0.002)"),
        ("no difference found", "no difference found (p = 0.002)"),
        ("cannot tell", "can't tell, n too small"),
        ("not compared", "not compared: every request failed"),
    ],
)
def test_standings(standing: Standing, said: str) -> None:
    note = "every request failed" if standing == "not compared" else ""
    assert words.standing(replace(WORSE, standing=standing, note=note)) == said


def test_ties_say_so() -> None:
    tied = replace(WORSE, standing="no difference found", difference=0.0, p_adjusted=1.0)
    assert words.standing(tied) == "tied, no difference found (p = 1.000)"
    assert words.standing(replace(WORSE, p_adjusted=1.2e-7)) == "worse (p = 1e-07)"
    assert words.standing(replace(WORSE, standing="not compared")) == "not compared"
