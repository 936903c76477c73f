"""Whether a free English answer holds an expected one: whole words of normalized text, numbers by value.

Both texts go through Whisper's English normalizer ("twelve" is "12"), then become tokens in which numbers stand alone
("$12" is "$ 12", "+5" is "plus 5") and spelled digits are one number ("1 2 3" is "123", zeros in front included).

Known limits, on purpose: the words are found wherever they stand, so "it is not Paris" holds "Paris" and an answer that
names several candidates holds each of them; "one" as a pronoun is the number 1; ordinals ("5th") are not cardinals.
Only languages that put spaces between words.
"""

from __future__ import annotations

import re
from itertools import groupby

from tttbench.text.normalizers import normalize_whisper_english

RECIPE = "answer_match@1"
"""Name and version of the rules in this file."""

_OPERATORS = {"=": " equals ", "+": " plus ", "\u00d7": " times ", "*": " times ", "\u00f7": " over ", "/": " over "}
_OPERATOR = re.compile(r"(?<=[0-9])\s*([=+\u00d7*\u00f7/])\s*(?=[0-9])")
_LEADING_ZERO = re.compile(r"(?<![0-9.,])0[0-9]+(?![0-9]|[.,][0-9])")
_NEGATIVE = re.compile(r"(?<!\S)[-\u2212](?=[0-9])")
_O_CLOCK = re.compile(r"\bo['\u2019]clock\b", re.IGNORECASE)
_NUMBER = re.compile(r"([-+]?)([£€$¢]?)([0-9]+(?:\.[0-9]+)?)(%?)")
_ONE = re.compile(r"([-+]?)one(?=$|\.[0-9])")
"""The normalizer writes 1 as a word, also in "-1" and "1.5"."""
_ARTICLES = frozenset({"a", "an", "the"})


def answer_tokens(text: str) -> tuple[str, ...]:
    """Return the comparable tokens of a text, e.g. ``"It costs $2.50 and one two!"`` is ``it costs $ 2.5 and 12``."""
    # The normalizer drops operators and the sign of "-3", reads "0471" as 471 and "3 o'clock" as 30.
    text = _O_CLOCK.sub("oclock", text)
    text = _OPERATOR.sub(lambda match: _OPERATORS[match[1]], text)
    text = _NEGATIVE.sub("minus ", text)
    text = _LEADING_ZERO.sub(lambda match: " ".join(match[0]), text)
    tokens: list[str] = []
    for word in normalize_whisper_english(text).split():
        tokens += _number_tokens(word)
    return tuple(_join_spelled_digits(tokens))


def holds(answer: tuple[str, ...], expected: tuple[str, ...]) -> bool:
    """Say whether the expected tokens stand in the answer as whole words, or as one number grouped in another way.

    An article in front of what is expected doesn't matter. Nothing holds an empty expectation.
    """
    if len(expected) > 1 and expected[0] in _ARTICLES:
        expected = expected[1:]
    if not expected:
        return False
    n = len(expected)
    if any(answer[i : i + n] == expected for i in range(len(answer))):
        return True
    # "12 34" for 1234: a whole run of digits, never a part of one.
    digits = "".join(expected)
    return _is_digits(digits) and digits in _digit_runs(answer)


def _number_tokens(word: str) -> list[str]:
    if word == ".":  # what the normalizer leaves of "..."
        return []
    if (one := _ONE.match(word)) is not None:
        word = f"{one[1]}1{word[one.end() :]}"
    match = _NUMBER.fullmatch(word)
    if match is None:
        return [word]
    sign, currency, number, percent = match.groups()
    if "." in number:
        number = number.rstrip("0").removesuffix(".")
    plus = ["plus"] if sign == "+" else []
    minus = "-" if sign == "-" else ""
    return [*plus, *currency, minus + number, *percent]


def _join_spelled_digits(tokens: list[str]) -> list[str]:
    joined: list[str] = []
    for spelled, group in groupby(tokens, key=lambda token: len(token) == 1 and _is_digits(token)):
        run = list(group)
        joined += ["".join(run)] if spelled else run
    return joined


def _digit_runs(tokens: tuple[str, ...]) -> set[str]:
    return {"".join(run) for digits, run in groupby(tokens, key=_is_digits) if digits}


def _is_digits(token: str) -> bool:
    return token.isascii() and token.isdigit()
