import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.metric import MetricInfo
from tttbench.pages.labels import (
    direction,
    format_quantity,
    format_value,
    is_stage,
    probe_head,
    probe_title,
    short_names,
    stage_name,
    status_count,
    together,
    with_unit,
)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.3104, "s", "310 ms"),
        (1.2449, "s", "1.24 s"),
        (0.0, "s", "0 ms"),
        (63.72, "1/s", "63.7 /s"),
        (0.1666, "ratio", "0.167"),
        (0.7, "ratio", "0.700"),
        (0.00003, "ratio", "<\u00a00.0001"),
        (1234.4, "passes", "1234"),
        (716.25, "MB", "716 MB"),
        (math.nan, "s", "—"),
    ],
)
def test_a_quantity_has_three_digits_and_its_unit(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


SHARE = MetricInfo("Word error rate", unit="%", scale=100)
PLAIN = MetricInfo("Opinion score")


def test_a_share_is_written_in_percent_with_one_decimal() -> None:
    assert format_value(0.0512, SHARE) == "5.1"


def test_a_negative_value_has_a_minus_sign_and_zero_has_none() -> None:
    assert format_value(-0.025, SHARE) == "\u22122.5"
    assert format_value(-0.0001, SHARE) == "0.0"


def test_no_value_is_a_dash() -> None:
    assert format_value(None, SHARE) == "—"
    assert format_value(math.nan, PLAIN) == "—"


def test_a_unit_stands_behind_its_value_and_nothing_behind_none() -> None:
    assert with_unit(0.0512, SHARE) == "5.1\u00a0%"
    assert with_unit(4.25, PLAIN) == "4.25"
    assert with_unit(None, SHARE) == "—"


def test_a_count_per_minute_says_so() -> None:
    assert with_unit(46.72, MetricInfo("Inserted words per minute", unit="1/min")) == "46.72\u00a0/min"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((3.4, 2.88, 4.015), ("3.400", "2.880", "4.015")),
        ((-13.15, -13.94, -12.4), ("\u221213.15", "\u221213.94", "\u221212.40")),
        ((12.0, 3.0, 40.0), ("12", "3", "40")),
        ((1234.5, 9.0), ("1234", "9")),  # rounded to even
        ((9.9996, 1.5), ("10.00", "1.50")),
        ((2.5, math.nan), ("2.500", "—")),
        ((0.0, -0.00001), ("0.00000000", "\u22120.00001000")),
    ],
)
def test_a_value_and_its_interval_have_as_many_decimals(values: tuple[float, ...], texts: tuple[str, ...]) -> None:
    assert together(values, PLAIN) == texts


def test_a_difference_has_signs_and_three_digits() -> None:
    assert together((-0.0475, -0.1064, 0.01142), PLAIN, signed=True) == ("\u22120.048", "\u22120.106", "+0.011")
    assert together((0.0, -0.774, 0.774), PLAIN, signed=True) == ("+0.000", "\u22120.774", "+0.774")
    assert together((0.0125, -0.5, 1.0), SHARE, signed=True) == ("+1.2", "\u221250.0", "+100.0")


@pytest.mark.parametrize(("number", "text"), [(0, "0 errors"), (1, "1 error"), (1200, "1,200 errors")])
def test_errors_are_counted_in_the_plural(number: int, text: str) -> None:
    assert status_count(number, "error") == text
    assert status_count(2, "empty") == "2 empty"


def test_a_metric_without_a_better_way_is_no_difference_but_for_points() -> None:
    assert direction(MetricInfo("Level", unit="dBFS", direction="none")) == "neither way is better"
    assert direction(MetricInfo("Text-speech gap", unit="points", direction="none")) == "a difference"
    assert direction(SHARE) == "higher is better"


def test_what_stands_before_a_colon_is_kept() -> None:
    (shown,) = short_names(["recorded:/home/somebody/answers/answers.tsv"]).values()
    assert shown == "recorded:…/answers.tsv"


def test_a_stage_of_the_real_time_factor_is_named_after_the_stage() -> None:
    assert stage_name("rtf_vocode") == "vocode"
    assert stage_name("rtf_input_encode") == "encode"


def test_the_whole_is_no_stage() -> None:
    assert [is_stage(metric) for metric in ("rtf", "rtf_input", "rtf_decode", "ttft")] == [False, False, True, False]


def test_an_unknown_latency_is_called_by_its_own_name() -> None:
    assert probe_title("something_new") == "something new"
    assert probe_head("something_new") == "something new"


def test_short_names_stay_and_long_ones_lose_their_middle() -> None:
    names = ["ttt:mini", "ttt:/home/somebody/experiments/hybrid/checkpoint-12000", "whisper:large-v3-turbo-something"]
    assert list(short_names(names).values()) == ["ttt:mini", "ttt:…/checkpoint-12000", "whisper:…rbo-something"]


def test_names_that_would_look_alike_show_more_of_themselves() -> None:
    names = ["ttt:/home/somebody/a/checkpoint-12000", "ttt:/home/somebody/b/checkpoint-12000"]
    assert list(short_names(names).values()) == ["ttt:…/a/checkpoint-12000", "ttt:…/b/checkpoint-12000"]


@given(st.lists(st.text("ab/:@.", min_size=1, max_size=60), unique=True, max_size=8))
def test_shown_names_are_distinct_and_short(names: list[str]) -> None:
    shown = short_names(names)
    assert list(shown) == names
    assert len(set(shown.values())) == len(names)
    assert all(len(text) <= 33 + len(" #8") for text in shown.values())
