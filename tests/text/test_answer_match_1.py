"""The rules of 0.1, which old scores were made by: they stay as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.text.answer_match_1 import answer_tokens, holds


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It costs $2.50 and one two!", ["it", "costs", "$", "2.5", "and", "12"]),
        ("Wait... a b", ["wait", "a", "b"]),
        ("12 34 5 6", ["12", "34", "56"]),
        ("-3 degrees", ["-3", "degrees"]),
        ("plus five and plus one", ["plus", "5", "and", "plus", "1"]),
        ("200 men, 100% sure", ["200", "men", "100", "%", "sure"]),
        ("minus one", ["-1"]),
        ("only one is one point five", ["only", "1", "is", "1.5"]),
        ("3.50 or 2.0 or 20", ["3.5", "or", "2", "or", "20"]),
        ("6\u00f72=3", ["6", "over", "2", "equals", "3"]),
        ("2*3 or 8/4", ["2", "times", "3", "or", "8", "over", "4"]),
        ("007 and 0.5 at 3 o'clock", ["007", "and", "0.5", "at", "3", "oclock"]),
        ("", []),
    ],
)
def test_tokens_hand_worked(text: str, tokens: list[str]) -> None:
    assert answer_tokens(text) == tuple(tokens)


@pytest.mark.parametrize(
    ("answer", "expected", "held"),
    [
        ("a b c d", "b c", True),
        ("a b c d", "c b", False),
        ("a b", "a b c", False),
        ("", "a", False),
        ("a", "", False),
        ("", "", False),
        ("the", "the", True),
        ("a the", "the", True),
        ("b", "the b", True),
        ("a", "the b", False),
        ("1 23 x", "12 3", True),
        ("1 23 4", "12 3", False),
        ("x", "\u0663", False),  # a digit, but not one that is grouped
    ],
)
def test_whole_words_or_a_whole_run_of_digits(answer: str, expected: str, held: bool) -> None:
    assert holds(tuple(answer.split()), tuple(expected.split())) is held


@given(st.lists(st.sampled_from("0123456789"), min_size=2, max_size=9))
def test_digits_are_equal_spelled_joined_and_in_words(digits: list[str]) -> None:
    names = "zero one two three four five six seven eight nine".split()
    expected = ("".join(digits),)
    assert answer_tokens(" ".join(digits)) == expected
    assert answer_tokens("".join(digits)) == expected
    assert answer_tokens(" ".join(names[int(d)] for d in digits)) == expected


def test_negation_is_not_understood() -> None:
    assert holds(answer_tokens("It is not Paris."), answer_tokens("Paris"))


@given(st.text(max_size=30))
def test_every_text_with_a_token_holds_itself(text: str) -> None:
    tokens = answer_tokens(text)
    assert holds(tokens, tokens) == bool(tokens)
