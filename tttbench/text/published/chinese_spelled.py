"""Numbers as Chinese characters, the way the text normalizer of SpeechIO (``cn_tn``) spells them."""

from __future__ import annotations

from collections.abc import Iterator

_DIGITS = "零一二三四五六七八九"
_UNITS = {
    **dict(enumerate("十百千万", 1)),
    **{4 * at: unit for at, unit in enumerate("亿兆京垓秭穰沟涧正载", 2)},
}
"""Units by their zeros: above 亿 each is ten thousand of the one before."""


def digit_by_digit(number: str) -> str:
    """Spell digit by digit: ``2024`` is 二零二四, ``1.5`` 一点五. Digits of any script."""
    whole, point, decimals = number.partition(".")
    return "".join(_digits(whole)) + (f"点{''.join(_digits(decimals))}" if point else "")


def by_value(number: str) -> str:
    """Spell by value: ``102`` is 一百零二, ``2000`` 两千, ``12`` 十二, ``0.5`` 零点五. A single digit is itself: 二.

    A number of zeros alone, but for a single one, is spelled ``""``.
    """
    whole, point, decimals = number.partition(".")
    symbols = list(_with_units(whole)) if len(whole) > 1 else list(_digits(whole))
    spelled = "".join(_with_liang(symbols))
    if point:
        spelled += f"点{''.join(_digits(decimals))}"
    if spelled.startswith("点"):
        return f"零{spelled}"
    return spelled[1:] if spelled.startswith("一十") else spelled


def _digits(text: str) -> Iterator[str]:
    for digit in text:
        yield _DIGITS[int(digit)]


def _with_units(digits: str) -> Iterator[str]:
    significant = digits.lstrip("0")
    if not significant:
        return
    if len(significant) == 1:
        if len(digits) > 1:
            yield "零"
        yield from _digits(significant)
        return
    zeros = max(one for one in _UNITS if one < len(significant))
    yield from _with_units(digits[:-zeros])
    yield _UNITS[zeros]
    yield from _with_units(significant[-zeros:])


def _with_liang(symbols: list[str]) -> Iterator[str]:
    """两 for 二 before a unit other than 十, unless a digit or 十 stands before it."""
    units = set(_UNITS.values())
    for at, symbol in enumerate(symbols):
        before, behind = symbols[at - 1] if at else "", symbols[at + 1] if at + 1 < len(symbols) else ""
        stands_alone = not before or (before in units and before != "十")
        yield "两" if symbol == "二" and behind in units - {"十"} and stands_alone else symbol
