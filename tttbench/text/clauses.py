"""Where a text pauses: its clauses, by punctuation. Knows which dots, commas and colons are no pauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tttbench.text.english.number_words import NUMBER_WORDS

_PAUSE = re.compile(r"[!?;\u2026\u3002\uff01\uff1f\uff1b\uff0c\u3001\n]+|[,.:](?!\w)|\s[-\u2013]\s|\u2014")
_LAST_WORD = re.compile(r"([^\W_]+)['\u2019\"\u201d)\]*]*\s*$")
_NEXT_WORD = re.compile(r"\s*['\u2018\"\u201c(\[*]*([^\W_]+)")
_SHORT = frozenset("mr mrs ms dr st vs no jr sr prof gen col lt capt gov sen rev mt ft".split())
"""Abbreviations that are written with a dot and stand before what they belong to."""


@dataclass(frozen=True)
class Clause:
    """A part of a text, and whether a question mark ends it."""

    text: str
    asks: bool


def clauses(text: str) -> Iterator[Clause]:
    """Yield the clauses of ``text``; numbers in a row, dates, initials and abbreviations stay in one."""
    begin = 0
    for pause in _PAUSE.finditer(text):
        if _is_pause(text, pause):
            yield Clause(text[begin : pause.start()], "?" in pause[0] or "\uff1f" in pause[0])
            begin = pause.end()
    yield Clause(text[begin:], False)


def _is_pause(text: str, pause: re.Match[str]) -> bool:
    last = _LAST_WORD.search(text, max(0, pause.start() - 40), pause.start())
    word = "" if last is None else last[1].casefold()
    if pause[0] == ".":
        return not (len(word) == 1 and word.isalpha()) and word not in _SHORT
    if pause[0] in (",", "\u3001", "\uff0c"):
        following = _NEXT_WORD.match(text, pause.end())
        return not (_is_number(word) and following is not None and _is_number(following[1].casefold()))
    return True


def _is_number(word: str) -> bool:
    return word[:1].isdigit() or word in NUMBER_WORDS
