"""Clock times in words: "five past three" is 305, "half past four pm" 430 pm. Knows tokens with digits.

A time is written like the number that it is spoken as, without a colon: "three oh five" alone doesn't say whether it is
one. Only "o'clock" and a.m. or p.m. stay behind the hour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tttbench.text.folding import CURRENCIES

_QUARTERS: Mapping[str, int] = {"quarter": 15, "half": 30}
_WORDS = frozenset({"past", "to", "oclock", "am", "pm", "m"})
_DOTTED = re.compile(r"(1[0-2]|[1-9])\.([0-5][0-9]?)")
_HALVES_OF_DAY = frozenset({"am", "pm"})


def read_times(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with times of the clock in digits."""
    if _WORDS.isdisjoint(tokens):
        return list(tokens)
    found: list[str] = []
    for token in tokens:
        found.append(token)
        if token.isdigit():
            _close(found)
        elif token == "m" and found[-2:-1] in (["a"], ["p"]) and _is_hour(found[-3:-2]):
            found[-2:] = [f"{found[-2]}m"]
            _join_hour(found)
        elif token in _HALVES_OF_DAY:
            _join_hour(found)
    return found


def _is_hour(before: Sequence[str]) -> bool:
    """Whether "p m" behind this is half of a day."""
    return before == ["oclock"] or any(token.isascii() and token.isdigit() for token in before)


def _join_hour(found: list[str]) -> None:
    """Make one number of the hour and minutes before a half of the day at the end: ``5 30 pm``, ``5 oclock pm``."""
    was_hour = found[-2:-1] == ["oclock"]
    while found[-2:-1] == ["oclock"]:
        del found[-2]
    dotted = _DOTTED.fullmatch(found[-2]) if len(found) > 1 else None
    if dotted is not None and found[-3:-2] not in ([sign] for sign in CURRENCIES):  # 3.30 pm
        found[-2] = f"{dotted[1]}{dotted[2].ljust(2, '0')}"
    elif was_hour:
        return
    elif len(found) > 2 and _within(found[-2], 10, 59) is not None and _within(found[-3], 1, 12) is not None:
        found[-3:-1] = [found[-3] + found[-2]]


def _close(found: list[str]) -> None:
    """Replace ``five past 3`` at the end of what was found."""
    hour = _within(found[-1], 1, 12)
    way = found[-2:-1]
    if hour is None or way not in (["past"], ["to"]):
        return
    at = len(found) - 3
    named = at >= 0 and found[at] in ("minute", "minutes")
    at -= named
    if at < 0:
        return
    minutes = None if named else _QUARTERS.get(found[at])
    if minutes is None:
        minutes = _within(found[at], 1, 29)
        # "He won ten to four" is no time.
        if minutes is None or (way == ["to"] and not named):
            return
    elif minutes == 30 and way == ["to"]:
        return
    elif at > 0 and found[at - 1] == "a":
        at -= 1
    if way == ["to"]:
        minutes, hour = 60 - minutes, hour - 1 or 12
    found[at:] = [f"{hour}{minutes:02d}"]


def _within(token: str, low: int, high: int) -> int | None:
    if not (token.isascii() and token.isdigit() and len(token) <= 2) or token.startswith("0"):
        return None
    return int(token) if low <= int(token) <= high else None
