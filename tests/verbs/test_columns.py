"""Tables for the terminal."""

from __future__ import annotations

import pytest

from tttbench.verbs.columns import columns, number, percent


def test_columns_are_aligned() -> None:
    assert columns([["a", "n"], ["long", "10"]], right=frozenset({1})) == "a      n\nlong  10"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (12.345, "12.3"), (1234.5, "1234"), (0, "0"), (None, "-"), (float("nan"), "-")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_shares_are_per_cent() -> None:
    assert (percent(0.0525), percent(None)) == ("5.2", "-")
