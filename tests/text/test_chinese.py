"""Chinese numerals by value, and the bare characters of a Chinese text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.plugins import normalizers
from tttbench.text.chinese import bare_characters
from tttbench.text.chinese_numbers import read_numerals

CHINESE = normalizers.get("zh").normalize
DIGITS = "零一二三四五六七八九"


def below_ten_thousand(n: int) -> str:
    """A number in characters, by the schoolbook: one 零 for each gap."""
    found, gap = "", False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // size % 10
        if digit:
            found += ("零" if gap and found else "") + DIGITS[digit] + unit
        gap = not digit
    return found


def spelled(n: int) -> str:
    if n == 0:
        return "零"
    found = ""
    for size, unit in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = n // size % 10**4
        if part:
            skips = found and (part < 1000 or (size == 1 and not n // 10**4 % 10**4))
            found += ("零" if skips else "") + below_ten_thousand(part) + unit
    return found


@settings(max_examples=1000)
@given(st.integers(0, 10**12 - 1) | st.integers(0, 20_000))
def test_numerals_are_read_by_value(n: int) -> None:
    assert read_numerals(spelled(n)) == str(n)
    assert read_numerals(f"共{spelled(n)}人") == f"共{n}人"


@given(st.text("0123456789", min_size=2, max_size=9))
def test_digits_are_read_one_by_one(digits: str) -> None:
    assert read_numerals("".join(DIGITS[int(digit)] for digit in digits)) == digits


@pytest.mark.parametrize(
    ("numeral", "digits"),
    [
        ("十二", "12"),
        ("二〇二四", "2024"),
        ("两千零二十四", "2024"),
        ("兩萬", "20000"),
        ("二百五", "250"),
        ("一万二", "12000"),
        ("一万零二", "10002"),
        ("一万亿", "1000000000000"),
        ("三四十", "340"),
        ("壹佰贰拾叁", "123"),
        ("大陆", "大陆"),
        ("千万别", "千万别"),
        ("几十个", "几十个"),
        ("3万", "30000"),
        ("1.5亿", "150000000"),
        ("12亿5000万", "1250000000"),
        ("三点一四", "3.14"),
        ("三点十五分", "3点15分"),
        ("三点五分", "3点5分"),
        ("百分之三点五", "3.5%"),
        ("三分之一", "1/3"),
        ("负五", "-5"),
        ("零下五度", "-5度"),
    ],
)
def test_numerals(numeral: str, digits: str) -> None:
    assert read_numerals(numeral) == digits


MEANING = "零一二三四五六七八九十百千万亿点分之负年个1239.-%\u2212$,壹佰 "


@settings(max_examples=1000)
@given(st.text(MEANING, max_size=10) | st.text(max_size=20))
def test_bare_characters_are_their_own_bare_characters(text: str) -> None:
    form = CHINESE(text)
    assert CHINESE(form) == form
    assert not any(map(str.isspace, form))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("￥12.5元", "12.5元"),
        ("￥12.5", "12.5元"),
        ("$5美元", "5美元"),
        ("€3欧元和$2", "3欧元和2美元"),
        ("-￥3元", "-3元"),
        ("$5日元", "5美元日元"),  # another currency's name is a word of its own
    ],
)
def test_a_currency_that_is_said_twice_is_one(written: str, spoken: str) -> None:
    assert bare_characters(written) == spoken
