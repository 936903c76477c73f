import math

import pytest
from tttbench.reports.labels import format_quantity, format_value, metric_label, probe_title


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.3104, "s", "310 ms"),
        (1.2449, "s", "1.24 s"),
        (0.0, "s", "0 ms"),
        (63.72, "1/s", "63.7 /s"),
        (0.1666, "ratio", "0.167"),
        (0.7, "ratio", "0.700"),
        (0.00003, "ratio", "0.0000"),
        (1234.4, "passes", "1234"),
        (716.25, "MB", "716 MB"),
        (math.nan, "s", "—"),
    ],
)
def test_a_quantity_has_three_digits_and_its_unit(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


def test_a_share_is_written_in_per_cent_with_one_decimal() -> None:
    assert format_value(0.0512, percent=True) == "5.1"


def test_a_negative_value_has_a_minus_sign_and_zero_has_none() -> None:
    assert format_value(-0.025, percent=True) == "\u22122.5"
    assert format_value(-0.0001, percent=True) == "0.0"


def test_no_value_is_a_dash() -> None:
    assert format_value(None, percent=True) == "—"
    assert format_value(math.nan, percent=False) == "—"


def test_an_unknown_accuracy_is_shown_in_per_cent_and_an_unknown_value_as_it_is() -> None:
    assert metric_label("odd_accuracy").unit == "%"
    assert metric_label("mos").unit == ""


def test_a_stage_of_the_real_time_factor_is_named_after_the_stage() -> None:
    assert probe_title("rtf_vocode") == "… vocode"
    assert probe_title("rtf_input_encode") == "… encode"
    assert probe_title("something_new") == "something new"
