"""Answers found in free text: what may stand around them, and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.text.answer_match import answer_tokens, gives
from tttbench.text.clauses import clauses

ANSWERS = [
    "Paris",
    "the Nile",
    "12",
    "twelve",
    "$5",
    "5 %",
    "July 20, 1969",
    "J.R.R. Tolkien",
    "Rubik's Cube",
    "北京",
    "3.5",
]
FORMS = {
    "Paris": ["Paris", "PARIS", "(Paris)", "**Paris**", "“Paris”"],
    "the Nile": ["the Nile", "Nile"],
    "12": ["12", "twelve", "十二"],
    "twelve": ["12", "twelve"],
    "$5": ["$5", "five dollars", "5 USD"],
    "5 %": ["5%", "five percent"],
    "July 20, 1969": ["the 20th of July 1969", "July twentieth, nineteen sixty nine"],
    "J.R.R. Tolkien": ["JRR Tolkien", "J. R. R. Tolkien"],
    "Rubik's Cube": ["the Rubik\u2019s Cube"],
    "北京": ["北京", "答案是北京。"],
    "3.5": ["3.5", "three and a half", "three point five"],
}
WORDS = "well the answer is I think it must have been about , . ; and of course people say Amazon green 天 это".split()
"""Ordinary words: no numbers, units, months, single letters or denials, which belong to what stands beside them."""
AROUND = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)


@settings(max_examples=500)
@given(st.sampled_from(sorted(FORMS)), st.data(), AROUND, AROUND)
def test_words_around_an_answer_do_not_change_it(expected: str, data: st.DataObject, before: str, after: str) -> None:
    form = data.draw(st.sampled_from(FORMS[expected]))
    assert gives(form, expected)
    assert gives(f"{before} {form} {after}", expected)
    assert not gives(f"{before} {after}", expected)


@settings(max_examples=2000)
@given(st.text(max_size=30), st.text(max_size=10))
def test_any_texts_can_be_compared(answer: str, expected: str) -> None:
    assert gives(answer, expected) in (True, False)
    assert gives("", expected) is False
    assert gives(answer, "") is False


@given(st.lists(st.sampled_from("0123456789"), min_size=2, max_size=9))
def test_digits_are_equal_spelled_joined_and_in_words(digits: list[str]) -> None:
    names = "zero one two three four five six seven eight nine".split()
    expected = ("".join(digits),)
    assert answer_tokens(" ".join(digits)) == expected
    assert answer_tokens("".join(digits)) == expected
    assert answer_tokens(" ".join(names[int(d)] for d in digits)) == expected


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It costs $2.50 and one two!", "it costs $2.5 and 12"),
        ("Wait... a b", "wait a b"),
        ("12 34 5 6", "12 34 56"),
        ("-3 degrees", "-3 degrees"),
        ("plus five and plus one", "plus 5 and plus 1"),
        ("200 men, 100% sure", "200 men 100% sure"),
        ("3.50 or 2.0 or 20", "3.5 or 2 or 20"),
        ("6\u00f72=3", "6 divided by 2 equals 3"),
        ("2*3 or 8/4", "2 times 3 or 8/4"),
        ("007 and 0.5 at 3 o'clock", "007 and 0.5 at 3 oclock"),
        ("答案是十二。", "答 案 是 12"),
        ("五美元\uff0c第三", "$5 3rd"),
        ("กรุงเทพ", "ก รุ ง เ ท พ"),
        ("東京タワー", "東 京 タ ワ ー"),
        ("서울입니다", "서 울 입 니 다"),
        ("", ""),
    ],
)
def test_tokens_hand_worked(text: str, tokens: str) -> None:
    assert answer_tokens(text) == tuple(tokens.split())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It is Paris. Not Lyon!", ["It is Paris", "Not Lyon", ""]),
        ("Dr. Who, J. R. R. Tolkien, the U.S. Army", ["Dr. Who", "J. R. R. Tolkien", "the U.S. Army"]),
        ("1, 2, 3, go", ["1, 2, 3", "go"]),
        ("July 20, 1969, it was 3.14", ["July 20, 1969", "it was 3.14"]),
        ("Tokyo? No \u2013 Kyoto", ["Tokyo", "No", "Kyoto"]),
        ("at 3:05 it is 1,000: yes", ["at 3:05 it is 1,000", "yes"]),
        ("不是上海\uff0c是北京。", ["不是上海", "是北京", ""]),
    ],
)
def test_clauses(text: str, parts: list[str]) -> None:
    found = list(clauses(text))
    assert [" ".join(clause.text.split()) for clause in found] == parts
    assert [clause.asks for clause in found] == [part == "Tokyo" for part in parts]


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("Paris", "It isn't Paris. It isn't in Paris. Paris is wrong."),
        ("Paris", "I never said it was not Paris, it is not Paris"),
        ("1234", "not 1234"),
    ],
)
def test_an_answer_that_is_denied_everywhere_is_not_given(expected: str, answer: str) -> None:
    assert not gives(answer, expected)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("Paris", "It is not Paris. On second thought, it is Paris."),
        ("not Paris", "It is not Paris."),
        ("New York", "Not only York, New York"),
        ("1234", "12 34, not 1243"),
        ("a wrong answer", "a wrong answer"),
    ],
)
def test_an_answer_that_is_affirmed_once_is_given(expected: str, answer: str) -> None:
    assert gives(answer, expected)
