"""Instructions that a program can check: each by hand, as the published rules have them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.text.instructions import CHECKS, UNCHECKED, ArgumentError, is_followed

AT_LEAST, LESS = "at least", "less than"

CASES: list[tuple[str, dict[str, Any], str, bool]] = [
    ("keywords:existence", {"keywords": ["sun", "Moon"]}, "The moon and the SUNset", True),
    ("keywords:existence", {"keywords": ["sun", "moon"]}, "The moon", False),
    ("keywords:existence", {"keywords": ["a+"]}, "aaa", False),
    ("keywords:frequency", {"keyword": " sun", "frequency": 2, "relation": AT_LEAST}, "Sun sunny", True),
    ("keywords:frequency", {"keyword": "sun", "frequency": 2, "relation": LESS}, "Sun sunny", False),
    ("keywords:forbidden_words", {"forbidden_words": ["sun"]}, "sunny", True),
    ("keywords:forbidden_words", {"forbidden_words": ["sun"]}, "The Sun.", False),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 2, "let_relation": AT_LEAST}, "Eve", True),
    ("keywords:letter_frequency", {"letter": "e", "let_frequency": 2, "let_relation": LESS}, "Eve", False),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", True),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***a***b***", True),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a *** *** b", False),
    ("length_constraints:number_words", {"num_words": 3.0, "relation": AT_LEAST}, "it's so", True),
    ("length_constraints:number_words", {"num_words": 3, "relation": LESS}, "one-two three", False),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Yes"},
        "One.\n\n'yes, it is",
        True,
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "yes"},
        "One.\n\nyes\n\nThree",
        False,
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "b"},
        "a\n\n\n\nb",
        False,
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] and [ [b]", True),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a\nb] [c]", False),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "x\np. s. y", True),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.S. y", False),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.P.S y", True),
    ("detectable_content:postscript", {"postscript_marker": "N.B."}, "n.b. y", True),
    ("detectable_format:number_bullet_lists", {"num_bullets": 3}, "* a\n\n  * b\n- c\n**bold**", True),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "* a\n* b", False),
    ("detectable_format:constrained_response", {}, "Well. My answer is no.", True),
    ("detectable_format:constrained_response", {}, "my answer is no.", False),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", True),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "* * and **", False),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "Section 1 a Section2",
        True,
    ),
    ("detectable_format:multiple_sections", {"section_spliter": "SECTION", "num_sections": 1}, "Section 1", False),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', True),
    ("detectable_format:json_format", {}, "{'a': 1}", False),
    ("detectable_format:title", {}, "<<My title>>\ntext", True),
    ("detectable_format:title", {}, "<< >> <a>", False),
    ("combination:two_responses", {}, "a ****** b", True),
    ("combination:two_responses", {}, "a ****** a", False),
    ("combination:two_responses", {}, "a ****** ****** b", False),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it. "}, "say it. Fine", True),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "I say it.", False),
    ("startend:end_checker", {"end_phrase": "Any questions?"}, '"So: any questions?"', True),
    ("startend:end_checker", {"end_phrase": "Any questions?"}, "Any questions? No", False),
    ("startend:quotation", {}, ' "x" ', True),
    ("startend:quotation", {}, '"', False),
    ("punctuation:no_comma", {}, "one two", True),
    ("punctuation:no_comma", {}, "one, two", False),
]


@pytest.mark.parametrize(("name", "arguments", "answer", "follows"), CASES)
def test_by_hand(name: str, arguments: dict[str, Any], answer: str, follows: bool) -> None:
    assert is_followed(name, arguments, answer) is follows


def test_every_instruction_is_tried_both_ways() -> None:
    assert {(name, follows) for name, _, _, follows in CASES} == {
        (name, way) for name in CHECKS for way in (True, False)
    }


def test_the_registered_ones_are_checked_or_named() -> None:
    assert (len(CHECKS), len(UNCHECKED)) == (20, 5)
    assert not CHECKS.keys() & UNCHECKED.keys()


@pytest.mark.parametrize("answer", ["", " \n "])
def test_an_answer_without_a_word_follows_nothing(answer: str) -> None:
    assert not is_followed("punctuation:no_comma", {}, answer)
    assert not is_followed("punctuation:no_comma", {}, answer, loose=True)


def test_loosely_the_first_line_the_last_line_and_asterisks_do_not_count() -> None:
    assert not is_followed("punctuation:no_comma", {}, "Sure, here:\nno comma\nBye, now")
    assert is_followed("punctuation:no_comma", {}, "Sure, here:\nno comma\nBye, now", loose=True)
    assert is_followed("startend:quotation", {}, '*"x"*', loose=True)


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("nothing:like_it", {}, "there is no such instruction"),
        ("language:response_language", {"language": "en"}, "needs langdetect"),
        (
            "length_constraints:number_words",
            {"num_words": None, "relation": AT_LEAST},
            "num_words must be a whole number",
        ),
        ("length_constraints:number_words", {"num_words": float("nan"), "relation": LESS}, "num_words must be a whole"),
        ("length_constraints:number_words", {"num_words": True, "relation": LESS}, "num_words must be a whole"),
        (
            "length_constraints:number_words",
            {"num_words": 3, "relation": "at most"},
            "'less than' or 'at least', not 'at most'",
        ),
        ("keywords:existence", {"keywords": []}, "keywords must be a list of texts"),
        ("keywords:letter_frequency", {"letter": "ab", "let_frequency": 1, "let_relation": LESS}, "one character"),
        ("startend:end_checker", {"end_phrase": None}, "end_phrase must be a text, not absent"),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "a"},
            "nth_paragraph is 3, of 2",
        ),
    ],
)
@pytest.mark.parametrize("answer", ["", "one, two"])
def test_what_it_is_not_told_is_never_guessed(name: str, arguments: dict[str, Any], says: str, answer: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        is_followed(name, arguments, answer)


@given(
    st.sampled_from([(name, arguments) for name, arguments, _, _ in CASES]),
    st.text(st.sampled_from("*-[]<>\n \"',.1aSepP{}")) | st.text(),
)
def test_what_is_followed_strictly_is_followed_loosely(case: tuple[str, dict[str, Any]], answer: str) -> None:
    name, arguments = case
    if is_followed(name, arguments, answer):
        assert is_followed(name, arguments, answer, loose=True)


LITTLE = st.text(st.sampled_from("*-[]<>\n ax"), max_size=14)


@given(LITTLE, st.integers(0, 4))
def test_linear_counts_are_those_of_the_published_expressions(answer: str, n: int) -> None:
    """Which take the square of the length of some answers."""
    text = answer + "x"
    brackets = len(re.findall(r"\[.*?\]", text))
    stars, dashes = (re.findall(one, text, re.MULTILINE) for one in (r"^\s*\*[^\*].*$", r"^\s*-.*$"))
    titles = [one for one in re.findall(r"<<[^\n]+>>", text) if one.lstrip("<").rstrip(">").strip()]
    parts = re.split(r"\s?\*\*\*\s?", text)
    paragraphs = sum(bool(part.strip()) for part in parts) if all(part.strip() for part in parts[1:-1]) else None
    assert is_followed("detectable_content:number_placeholders", {"num_placeholders": n}, text) is (brackets >= n)
    assert is_followed("detectable_format:number_bullet_lists", {"num_bullets": n}, text) is (
        len(stars) + len(dashes) == n
    )
    assert is_followed("detectable_format:title", {}, text) is bool(titles)
    assert is_followed("length_constraints:number_paragraphs", {"num_paragraphs": n}, text) is (paragraphs == n)


@pytest.mark.parametrize(
    "answer", ["[" * 20_000, "<<" * 20_000, "*" * 20_000, "\n" * 20_000, " " * 20_000, "{" * 20_000]
)
def test_long_answers_of_one_character_are_read(answer: str) -> None:
    for name, arguments, _, _ in CASES:
        is_followed(name, arguments, answer + "x", loose=True)


def test_json_is_read_as_deep_as_it_goes() -> None:
    assert not is_followed("detectable_format:json_format", {}, "[" * 100_000)
    assert is_followed("detectable_format:json_format", {}, json.dumps([[1]]))
