"""Chinese text as bare characters for a character error rate: numbers by value, no punctuation. Knows strings."""

from __future__ import annotations

import re
import unicodedata

from tttbench.text.chinese_numbers import NUMERALS, read_numerals
from tttbench.text.decimals import shortest
from tttbench.text.markup import words_of

_N = f"[0-9{NUMERALS}]"
_MINUS = str.maketrans("\u2212\u2010\u2011\u2012\u2013", "-----")
_MEANS = frozenset("./%-$\u20ac\u00a3\u00a5")
"""Symbols that change what a number is."""
_POINT = re.compile(rf"(?<!{_N})[./]|[./](?!{_N})")
_PERCENT = re.compile(rf"(?<!{_N})%")
_HYPHEN = re.compile(rf"(?<=[0-9a-z%{NUMERALS}])-+|-(?![$\u20ac\u00a3\u00a5]?{_N})")
_CURRENCY = re.compile(rf"(-?)([$\u20ac\u00a3\u00a5])(-?{_N}+(?:\.{_N}+)?)")
_CURRENCIES = {"$": "美元", "\u20ac": "欧元", "\u00a3": "英镑", "\u00a5": "元"}
_DECIMAL = re.compile(r"(?<![0-9.])[0-9]+\.[0-9]+(?![0-9]|\.[0-9])")


def bare_characters(text: str) -> str:
    """Return the characters that count: letters, marks and digits, with what makes a number negative, decimal, money.

    Full-width forms become half-width (NFKC), Latin letters lower case; numerals are digits by value. Punctuation,
    symbols, white space and control characters go. Traditional and simplified forms stay different.
    """
    form = _read(words_of(text))
    # What goes can leave neighbors that mean something else: the minus of 1$-1.
    for _ in range(8):
        again = _read(form)
        if again == form:
            break
        form = again
    return form


def _read(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower().translate(_MINUS)
    text = "".join(c for c in text if c in _MEANS or unicodedata.category(c)[0] in ("L", "M", "N"))
    text = _HYPHEN.sub("", _PERCENT.sub("", _POINT.sub("", text)))
    text = _CURRENCY.sub(lambda found: f"{found[1]}{found[3]}{_CURRENCIES[found[2]]}", text)
    text = read_numerals("".join(c for c in text if c not in _CURRENCIES))
    # A mark may have got a letter to stand on.
    return unicodedata.normalize("NFC", _DECIMAL.sub(lambda found: shortest(found[0]), text))
