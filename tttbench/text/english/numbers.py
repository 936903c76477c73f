"""Numbers in words as digits: integers with what makes them decimals, fractions, years, decades, negative.

Knows lists of words and digit tokens (``"102"``, ``"3.5"``); words that are no numbers pass through. Numbers are texts,
so that none is too long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tttbench.text.decimals import is_integer, is_number, ordinal, shifted, shortest
from tttbench.text.english.months import MONTHS
from tttbench.text.english.number_words import BELOW_TWENTY, NUMBER_WORDS, SCALES, TENS, read_integer
from tttbench.text.folding import CURRENCIES

_DECADES: Mapping[str, int] = {f"{word[:-1]}ies": value for word, value in TENS.items()}
_DENOMINATORS: Mapping[str, int] = {
    "half": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
}
"""No seconds, which are a unit of time."""
_DENOMINATORS_OF_SEVERAL: Mapping[str, int] = {**{f"{word}s": n for word, n in _DENOMINATORS.items()}, "halves": 2}
_ARTICLES = frozenset({"a", "an"})
PARTS = frozenset({*_DENOMINATORS, *_DENOMINATORS_OF_SEVERAL})
"""Words that make a fraction of the number before them."""
_FRACTION = re.compile(r"[0-9]{1,2}/[0-9]{1,2}")
_MONEY = [[sign] for sign in CURRENCIES]
_OH = frozenset({"oh", "o"})
_PRONOUN_AFTER = frozenset({"no", "any", "some", "every", "this", "that", "which", "each"})

BEGINNINGS = NUMBER_WORDS | _DECADES.keys() | _OH | {"half"}
"""Words that a number may begin with, but for articles."""
WORDS = NUMBER_WORDS | _DECADES.keys() | {"hundreds", "half"}
"""A text without any of these and without digits has no number."""


@dataclass(frozen=True)
class _Read:
    """A number as text, and the index behind its last word."""

    text: str
    end: int


def read_numbers(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with every number as one token: ``102``, ``-3.5``, ``21st``, ``1/3``, ``1960s``."""
    return _Reader(tokens).read()


def read_fractions(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with ``1/2`` and "a half", which no number has taken, as "half", and with ``1 and 3/4``."""
    found: list[str] = []
    for token in tokens:
        before = found[-1] if found else ""
        if token in ("half", "1/2") and before == "a":
            found.pop()
        elif _FRACTION.fullmatch(token) and is_integer(before) and len(before) < 3 and token != "1/2":
            found += ["and"] * (found[-2:-1] not in _MONEY)
        found.append("half" if token == "1/2" else token)
    return found


class _Reader:
    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._found: list[str] = []

    def read(self) -> list[str]:
        at = 0
        while at < len(self._tokens):
            read = self._number(at)
            if read is None:
                self._found.append(self._tokens[at])
                at += 1
            else:
                self._found.append(self._signed(read.text))
                at = read.end
        return self._found

    def _word(self, at: int) -> str:
        return self._tokens[at] if 0 <= at < len(self._tokens) else ""

    def _is_after_number(self, back: int = 1) -> bool:
        return len(self._found) >= back and is_number(self._found[-back])

    def _signed(self, number: str) -> str:
        """The number with the minus before it, which is no sign behind another number."""
        if self._found[-1:] not in (["minus"], ["negative"]) or not is_number(number) or self._is_after_number(2):
            return number
        self._found.pop()
        return f"-{number}"

    def _number(self, at: int) -> _Read | None:
        word = self._word(at)
        if word not in BEGINNINGS and word not in _ARTICLES and not word[0].isdigit():
            return None
        if word in _OH:
            between_digits = self._found and is_integer(self._found[-1]) and self._digits(at + 1)
            return _Read("0", at + 1) if between_digits else None
        if word == "half":
            zeros = SCALES.get(self._word(at + 2)) if self._word(at + 1) == "a" else None
            if self._word(at + 1) == "a" and self._word(at + 2) in ("percent", "per"):
                return _Read("0.5", at + 2)
            return None if zeros is None else _Read(shifted("0.5", zeros), at + 3)
        if self._is_pronoun(at) or (word == "second" and self._is_after_number()):
            return None
        read = self._decade(at) or self._year(at) or self._integer(at) or self._numeral(at)
        if read is None or not is_number(read.text):
            return read
        whole = self._with_decimals(read)
        return self._with_half(whole) or self._fraction(read, at) or self._scaled(whole)

    def _is_pronoun(self, at: int) -> bool:
        """Whether this is the "one" of "no one" and "one another"."""
        if self._word(at) != "one" or self._word(at + 1) in NUMBER_WORDS:
            return False
        return self._word(at - 1) in _PRONOUN_AFTER or self._word(at + 1) == "another"

    def _digits(self, at: int) -> str:
        """A digit in words, or digits; ``""`` if there is neither."""
        word = self._word(at)
        if is_integer(word):
            return word
        value = 0 if word in _OH else BELOW_TWENTY.get(word, 10)
        return str(value) if value < 10 else ""

    def _two_digits(self, at: int) -> _Read | None:
        """A number from 10 to 99 in words."""
        word = self._word(at)
        if word not in TENS and BELOW_TWENTY.get(word, 0) < 10:
            return None
        tens = (
            self._tokens[at : at + 2] if word in TENS and 0 < BELOW_TWENTY.get(self._word(at + 1), 0) < 10 else [word]
        )
        found = read_integer(tens, 0)
        return None if found is None else _Read(str(found.value), at + found.end)

    def _decade(self, at: int) -> _Read | None:
        """``sixties``, ``nineteen sixties``, ``nineteen hundreds``."""
        if (tens := _DECADES.get(self._word(at))) is not None:
            return _Read(f"{tens}s", at + 1)
        century = self._two_digits(at)
        if century is None:
            return None
        if (tens := _DECADES.get(self._word(century.end))) is not None:
            return _Read(f"{century.text}{tens}s", century.end + 1)
        return _Read(f"{century.text}00s", century.end + 1) if self._word(century.end) == "hundreds" else None

    def _year(self, at: int) -> _Read | None:
        """Two numbers of two digits: ``nineteen sixty nine``, ``nineteen oh five``."""
        first = self._two_digits(at)
        if first is None:
            return None
        if self._word(first.end) in _OH and 0 < BELOW_TWENTY.get(self._word(first.end + 1), 0) < 10:
            return _Read(f"{first.text}0{BELOW_TWENTY[self._word(first.end + 1)]}", first.end + 2)
        second = self._two_digits(first.end)
        if second is None or self._word(second.end) == "hundred" or self._word(second.end) in SCALES:
            return None
        if self._word(at - 1) in MONTHS and self._two_digits(second.end) is not None:
            return None  # "July twenty nineteen sixty nine"
        return _Read(first.text + second.text, second.end)

    def _integer(self, at: int) -> _Read | None:
        found = read_integer(self._tokens, at)
        if found is None:
            return None
        return _Read(ordinal(str(found.value)) if found.is_ordinal else str(found.value), found.end)

    def _numeral(self, at: int) -> _Read | None:
        word = self._word(at)
        if not is_number(word):
            return None
        if self._word(at + 1) == "hundred":
            return _Read(shifted(word, 2), at + 2)
        return _Read(shortest(word), at + 1)

    def _with_decimals(self, read: _Read) -> _Read:
        """``three point one four``, ``3 point fourteen``; and versions, ``one point two point three``."""
        if not is_integer(read.text):
            return read
        parts, end = [read.text], read.end
        while self._word(end) == "point" and (part := self._digit_run(end + 1) or self._two_digits(end + 1)):
            parts.append(part.text)
            end = part.end
        return _Read(shortest(".".join(parts)) if len(parts) == 2 else ".".join(parts), end)

    def _digit_run(self, at: int) -> _Read | None:
        run = ""
        while digits := self._digits(at):
            run, at = run + digits, at + 1
        return _Read(run, at) if run else None

    def _with_half(self, read: _Read) -> _Read | None:
        """``two and a half``, ``2 1/2``, ``2 and 1/2``, ``two and a half million``."""
        if not is_integer(read.text):
            return None
        if self._word(read.end) == "1/2":
            end = read.end + 1
        elif self._word(read.end) != "and":
            return None
        elif self._word(read.end + 1) == "1/2":
            end = read.end + 2
        elif self._word(read.end + 1) in ("a", "one") and self._word(read.end + 2) == "half":
            end = read.end + 3
        else:
            return None
        return self._scaled(_Read(shortest(f"{read.text}.5"), end))

    def _fraction(self, read: _Read, at: int) -> _Read | None:
        """``one third``, ``two fifths``."""
        if not is_integer(read.text) or read.end != at + 1 or self._is_after_number():
            return None
        names = _DENOMINATORS if read.text == "1" else _DENOMINATORS_OF_SEVERAL
        below = names.get(self._word(read.end))
        return None if below is None else _Read(f"{read.text}/{below}", read.end + 1)

    def _scaled(self, read: _Read) -> _Read:
        """``1.5 million``, ``3 hundred thousand``."""
        while (zeros := SCALES.get(self._word(read.end))) is not None:
            read = _Read(shifted(read.text, zeros), read.end + 1)
        return read
