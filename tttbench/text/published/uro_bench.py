"""The normal form that URO-Bench counts Chinese characters in (Ruiqi-Yan/URO-Bench, metrics/mark_wer.py at 9e74bc04).

Punctuation is that of ASCII and of Zhon 2.1.1; numbers are spelled as cn2an 0.5.23 spells them once no point, percent
sign or slash is left: years digit by digit, all else by value, without 两. Its English is Whisper's: ``whisper-en``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tttbench.text.published.seed_tts import without_punctuation
from tttbench.text.steps import Step, register_steps

_DIGITS = "零一二三四五六七八九"
_FULL_WIDTH = {ord("0") + 0xFEE0 + digit: str(digit) for digit in range(10)}
_LARGER = ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十"))
_LONGEST = 16
"""Digits of a number; longer ones are left as they are."""


def without_any_punctuation(text: str) -> str:
    """Drop punctuation, apostrophes too, and halve runs of blanks."""
    return without_punctuation(text).replace("'", "").replace("  ", " ")


def with_numbers_spelled(text: str) -> str:
    """Spell numbers: the two to four digits of a year one by one, others by value; ``25℃`` is 二十五摄氏度."""
    text = re.sub(r"\d{2,4}(?=年)", lambda found: _one_by_one(found[0]), text)
    text = re.sub(r"\d{1,2}(?=[月日])", lambda found: _by_value(found[0]), text)
    text = re.sub(r"(\d+)℃", lambda found: _celsius(found[1]), text)
    return re.sub(r"\d+", lambda found: _by_value(found[0]), text)


def _celsius(digits: str) -> str:
    spelled = _by_value(digits)
    return f"{digits}℃" if spelled == digits else f"{spelled}摄氏度"


def _one_by_one(digits: str) -> str:
    plain = digits.translate(_FULL_WIDTH)
    return "".join(_DIGITS[int(one)] for one in plain) if plain.isascii() else digits


def _by_value(digits: str) -> str:
    plain = digits.translate(_FULL_WIDTH).lstrip("0")
    if not plain.isascii() or len(plain) > _LONGEST:
        return digits
    spelled = _spelled(int(plain or "0"))
    return spelled[1:] if spelled.startswith("一十") else spelled


def _spelled(number: int) -> str:
    """A number, one that begins with 10 as 一十."""
    if number < 10:
        return _DIGITS[number]
    unit, name = next(one for one in _LARGER if number >= one[0])
    many, rest = divmod(number, unit)
    between = "零" if rest * 10 < unit or (unit >= 10**4 and many % 10 == 0) else ""  # 801969: 八十万零一千九百六十九
    return f"{_spelled(many)}{name}{between}{_spelled(rest)}" if rest else f"{_spelled(many)}{name}"


@register_steps("uro-zh", version=1, summary="URO-Bench, Chinese: no punctuation, lower case, numbers spelled")
def uro_chinese() -> Sequence[Step]:
    """Return the steps."""
    return (
        Step("punctuation out, two blanks as one", without_any_punctuation),
        Step("lower case", lambda text: text.strip().lower()),
        Step("numbers spelled", with_numbers_spelled),
    )
