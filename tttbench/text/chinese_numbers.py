"""Chinese numerals as digits, by value: 十二 is 12, 二零二四 is 2024, 三点一四 is 3.14. Knows half-width text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from tttbench.text.decimals import shifted, shortest

_FORMAL = "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟"
"""Numerals of cheques, which are also other words (大陆): they count only beside another numeral."""
_DIGITS: Mapping[str, int] = {
    **{digit: value for value, digit in enumerate("零一二三四五六七八九")},
    **{digit: value for value, digit in enumerate("壹贰叁肆伍陆柒捌玖", 1)},
    "\u3007": 0,
    "两": 2,
    "兩": 2,
    "貳": 2,
    "參": 3,
    "陸": 6,
}
_UNITS: Mapping[str, int] = {"十": 1, "拾": 1, "百": 2, "佰": 2, "千": 3, "仟": 3}
_MYRIADS: Mapping[str, int] = {"万": 4, "萬": 4, "亿": 8, "億": 8}

_D, _U, _M = "".join(_DIGITS), "".join(_UNITS), "".join(_MYRIADS)
NUMERALS = _D + _U + _M
"""All characters that numbers are written with."""
_NUMERAL = re.compile(
    # 百, 千, 万 alone, and the 十 of "a few tens", are no numbers.
    rf"(?:[{_D}]|(?<![几幾数數])[十拾])[{NUMERALS}]*"
    rf"(?:[点點](?P<decimals>[{_D}]+)(?![{_D}{_U}{_M}分钟鐘]))?"
)
_MIXED = re.compile(rf"[0-9]{{1,15}}(?:\.[0-9]+)?[百千{_M}][0-9百千{_M}]*")
_MIXED_PART = re.compile(rf"([0-9]+(?:\.[0-9]+)?)([百千]?[{_M}]*)")
_DIGIT_RUN = re.compile(rf"[{_D}]+(?![{NUMERALS}])|[{_D}]+(?=[{_D}][{_U}{_M}])")
"""Digits one by one: the whole of 二零二四, and the 三 of 三四十."""
_SECTION = re.compile(
    rf"(?:[零\u3007]?(?P<thousands>[{_D}])[千仟])?(?:[零\u3007]?(?P<hundreds>[{_D}])[百佰])?(?:[零\u3007]?(?P<tens>[{_D}]?[十拾]))?"
    rf"(?:(?P<zero>[零\u3007]?)(?P<ones>[{_D}])(?![千仟百佰十拾]))?"
)
_PERCENT = re.compile(r"百分之(-?[0-9]+(?:\.[0-9]+)?)")
_FRACTION = re.compile(r"(?<![0-9.])([0-9]+)分之([0-9]+)(?![0-9]|\.[0-9])")
_NEGATIVE = re.compile(r"(?<![0-9])(?:[负負]|0下)(?=[0-9])")


def read_numerals(text: str) -> str:
    """Return ``text`` with its Chinese numerals in digits; everything else stays.

    A numeral with units is read by value, one without digit by digit (years, telephone numbers). Percentages, fractions
    and signs come along: 百分之五十 is 50%, 三分之一 is 1/3, 负五 and 零下五 are -5.
    """
    text = _NUMERAL.sub(_in_digits, text)
    text = _MIXED.sub(_of_both_kinds, text)
    text = _PERCENT.sub(r"\1%", text)
    text = _FRACTION.sub(r"\2/\1", text)
    return _NEGATIVE.sub("-", text)


def _in_digits(found: re.Match[str]) -> str:
    if len(found[0]) == 1 and found[0] in _FORMAL:
        return found[0]
    if found["decimals"] is None:
        return _integer(found[0])
    whole = found[0][: found.start("decimals") - found.start() - 1]
    return shortest(f"{_integer(whole)}.{_spelled(found['decimals'])}")


def _spelled(numeral: str) -> str:
    return "".join(str(_DIGITS[digit]) for digit in numeral)


def _integer(numeral: str) -> str:
    """Read a numeral; what can't continue a number begins another, and both stand side by side."""
    found, at = "", 0
    while at < len(numeral):
        if run := _DIGIT_RUN.match(numeral, at):
            found, at = found + _spelled(run[0]), run.end()
        elif numeral[at] in _MYRIADS or (numeral[at] in _UNITS and numeral[at] not in "十拾"):
            found, at = found + numeral[at], at + 1
        else:
            value, at = _with_units(numeral, at)
            found += str(value)
    return found


def _with_units(numeral: str, start: int) -> tuple[int, int]:
    """The value of the number at ``start``, and the index behind it."""
    total, at, smallest = 0, start, 13
    while section := _section(numeral, at):
        zeros, end = _myriads(numeral, section.end())
        if zeros >= smallest:  # a second 万 is another number's
            break
        value = _value(section)
        is_short = section.end() - section.start() == 1 and at > start
        if zeros == 0:
            # 一万二 is 12,000; the 零 of 一万零二 makes it two.
            total += value * 10 ** (smallest - 1) if is_short else value
            return total, section.end()
        total, at, smallest = total + value * 10**zeros, end, zeros
    return total, at


def _section(numeral: str, at: int) -> re.Match[str] | None:
    section = _SECTION.match(numeral, at)
    return section if section is not None and section.end() > at else None


def _myriads(numeral: str, at: int) -> tuple[int, int]:
    """The zeros of the 万, 亿 or 万亿 at ``at`` (0: none), and the index behind it."""
    zeros = 0
    while at < len(numeral) and zeros + _MYRIADS.get(numeral[at], 99) <= 12:
        zeros, at = zeros + _MYRIADS[numeral[at]], at + 1
    return zeros, at


def _value(section: re.Match[str]) -> int:
    """A number below 10,000."""
    thousands, hundreds, tens, zero, ones = section.group("thousands", "hundreds", "tens", "zero", "ones")
    value = 1000 * _DIGITS.get(thousands, 0) + 100 * _DIGITS.get(hundreds, 0)
    if tens is not None:
        value += 10 * _DIGITS.get(tens[0], 1)
    last = _DIGITS.get(ones, 0)
    if zero or tens is not None or not (thousands or hundreds):
        return value + last
    return value + last * (10 if hundreds else 100)  # 二百五, 三千五


def _of_both_kinds(found: re.Match[str]) -> str:
    """``3万`` and ``12亿5000万``: the sum of its parts if all are whole, else each part by itself."""
    parts = [shifted(number, _zeros(units)) for number, units in _MIXED_PART.findall(found[0])]
    whole = all(part.isdigit() and len(part) < 20 for part in parts)
    descending = all(len(one) > len(other) for one, other in pairwise(parts))
    return str(sum(map(int, parts))) if whole and descending else "".join(parts)


def _zeros(units: str) -> int:
    return sum({**_UNITS, **_MYRIADS}[unit] for unit in units)
