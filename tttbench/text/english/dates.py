"""Dates: "the 20th of July", "20 July" and "July twentieth" are ``july 20th``. Knows tokens with digits.

A day is spoken as an ordinal and mostly written as a cardinal, so beside a month both are the ordinal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tttbench.text.decimals import ordinal
from tttbench.text.english.months import ABBREVIATED, MONTHS, OFTEN_WORDS

_DAY = re.compile(r"0?([1-9]|[12][0-9]|3[01])(st|nd|rd|th)?")
_YEAR = re.compile(r"[12][0-9]{3}")


def read_dates(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with dates as month, day as an ordinal, year."""
    if MONTHS.isdisjoint(tokens) and ABBREVIATED.keys().isdisjoint(tokens):
        return list(tokens)
    found: list[str] = []
    at = 0
    while at < len(tokens):
        date, at = _month_first(tokens, at) or _day_first(tokens, at) or ([tokens[at]], at + 1)
        found += date
    return found


def _month(tokens: Sequence[str], at: int) -> str:
    """The month at ``at``, also abbreviated if a day or year stands beside it; ``""`` if there is none."""
    if not 0 <= at < len(tokens):
        return ""
    if tokens[at] in MONTHS:
        return tokens[at]
    name = ABBREVIATED.get(tokens[at], "")
    beside = (tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else "")
    return name if any(_DAY.fullmatch(token) or _YEAR.fullmatch(token) for token in beside) else ""


def _month_first(tokens: Sequence[str], at: int) -> tuple[list[str], int] | None:
    """``july 20``, ``july the 20th``, ``july of 1969``."""
    if not (month := _month(tokens, at)):
        return None
    end = at + 1
    if tokens[end : end + 1] == ["the"] and end + 1 < len(tokens):
        day = _DAY.fullmatch(tokens[end + 1])
        if day is not None and day[2]:
            return [month, ordinal(day[1])], _before_year(tokens, end + 2)
        return [month], end
    if end < len(tokens) and (day := _DAY.fullmatch(tokens[end])) is not None:
        return [month, ordinal(day[1])], _before_year(tokens, end + 1)
    if tokens[end : end + 1] == ["of"] and end + 1 < len(tokens) and _YEAR.fullmatch(tokens[end + 1]):
        return [month, tokens[end + 1]], end + 2
    return [month], end


def _day_first(tokens: Sequence[str], at: int) -> tuple[list[str], int] | None:
    """``20 july``, ``20th july``, ``the 20th of july``."""
    start = at
    if tokens[at] == "the":
        at += 1
    day = _DAY.fullmatch(tokens[at]) if at < len(tokens) else None
    if day is None:
        return None
    has_of = tokens[at + 1 : at + 2] == ["of"]
    month = _month(tokens, at + 1 + has_of)
    end = _before_year(tokens, at + 2 + has_of)
    year = tokens[end] if end < len(tokens) and _YEAR.fullmatch(tokens[end]) else ""
    is_last = end == len(tokens)  # "on 1 May"; "may" and "march" have something to do behind them
    if not month or (month in OFTEN_WORDS and not (day[2] or has_of or year or is_last)):
        return None
    if start != at and not (day[2] or has_of):  # "the 12 August evenings"
        return None
    return [month, ordinal(day[1]), *([year] if year else [])], end + bool(year)


def _before_year(tokens: Sequence[str], at: int) -> int:
    """Behind the "of" of "July 20th of 1969", if it is one."""
    is_of = tokens[at : at + 1] == ["of"] and at + 1 < len(tokens) and _YEAR.fullmatch(tokens[at + 1])
    return at + 1 if is_of else at
