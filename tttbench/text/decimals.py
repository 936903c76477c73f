"""Numbers as texts of digits, so that none is too long for arithmetic."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def is_integer(token: str) -> bool:
    """Whether a token is ASCII digits alone."""
    return token.isascii() and token.isdigit()


def is_number(token: str) -> bool:
    """Whether a token is an integer or a decimal, without sign or unit."""
    return _NUMBER.fullmatch(token) is not None


def ordinal(digits: str) -> str:
    """Return digits with the suffix of their ordinal: ``"21st"``."""
    value = int(digits[-2:])
    return digits + ("th" if 10 < value < 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th"))


def shortest(number: str) -> str:
    """Return a decimal without what doesn't change its value: ``"03.50"`` is ``"3.5"``, ``"2.0"`` is ``"2"``.

    Zeros in front of an integer stay: digit strings have them.
    """
    whole, point, decimals = number.partition(".")
    if not point:
        return number
    decimals = decimals.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{decimals}" if decimals else whole


def shifted(number: str, zeros: int) -> str:
    """Multiply by a power of ten: ``shifted("1.5", 6)`` is ``"1500000"``, ``shifted("50", -2)`` is ``"0.5"``."""
    whole, _, decimals = number.partition(".")
    if zeros < 0:
        whole = whole.rjust(1 - zeros, "0")
        return shortest(f"{whole[:zeros]}.{whole[zeros:]}{decimals}")
    decimals = decimals.ljust(zeros, "0")
    return shortest(f"{(whole + decimals[:zeros]).lstrip('0') or '0'}.{decimals[zeros:]}")
