"""``cn_tn``: the Chinese text normalizer of SpeechIO as evaluation kits use it, with all of its switches off.

After speechio/chinese_text_normalization, in the copies of MoonshotAI/Kimi-Audio-Evalkit (commit 4080c49, 2025-08-21)
and OpenBMB/UltraEval-Audio (commit 9b69da6, 2026-08-04), which behave alike. Numbers are spelled as characters, kind by
kind; then punctuation becomes blanks. Known to be wrong, and so here too: 2个 is 二个, 3:30 is 三 三十, the sign of
an amount stays, and a number that is there twice is replaced where it stands first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tttbench.text.published.chinese_spelled import by_value, digit_by_digit
from tttbench.text.steps import Step, register_steps

_MULTIPLES = "亿|千万|百万|万|千|百"
_MONEY_UNIT = rf"(?:(?:{_MULTIPLES})|(?:{_MULTIPLES}|)元|(?:{_MULTIPLES}|)块|角|毛|分)"
_QUANTIFIERS = (
    "匹张座回场尾条个首阙阵网炮顶丘棵只支袭辆挑担颗壳窠曲墙群腔砣客贯扎捆刀令打手罗坡山岭江溪钟队单双对出口头脚板跳枝件贴针线管名位身堂课"
    "本页家户层丝毫厘分钱两斤铢石钧锱忽寸尺丈里寻常铺程撮勺合升斗盘碗碟叠桶笼盆盒杯斛锅簋篮罐瓶壶卮盏箩箱煲啖袋钵年月日季刻时周天秒旬纪岁世更夜春"
    "夏秋冬代伏辈丸泡粒幢堆根道面片块"
)
_QUANTIFIER = rf"(?:[{_QUANTIFIERS}]|[千毫微]克|[千分厘毫微]米)"
_NUMBER = r"\d+(?:\.\d+)?"
_DATE = re.compile(r"\D+((?:(?:[089]\d|(?:19|20)\d{2})年)?(?:\d{1,2}月(?:\d{1,2}[日号])?)?)")
_MONEY = re.compile(rf"\D+({_NUMBER}[多余几]?{_MONEY_UNIT}(?:\d{_MONEY_UNIT}?)?)")
_MOBILE = re.compile(r"\D((?:\+?86 ?)?1(?:[38]\d|5[0-35-9]|7[678]|9[89])\d{8})\D")
_LANDLINE = re.compile(r"\D((?:0(?:10|2[1-3]|[3-9]\d{2})-?)?[1-9]\d{6,7})\D")
_FRACTION = re.compile(r"(\d+/\d+)")
_PERCENTAGE = re.compile(rf"({_NUMBER}%)")
_QUANTITY = re.compile(rf"({_NUMBER})[多余几]?{_QUANTIFIER}")
_CODE = re.compile(r"(\d{4,32})")
_PLAIN = re.compile(rf"({_NUMBER})")
_BETWEEN_LATIN = re.compile(r"([a-zA-Z]+二[a-zA-Z]+)")
_PUNCTUATION = re.compile(
    "["
    "!-/:-@\\[-`{-~"  # all of ASCII's
    "\u00b7\u2013\u2014\u2018\u2019\u201b-\u201f\u2026\u2027"
    "\u3001-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303e\u303f\ufe4f"
    "\uff01-\uff0d\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff64"
    "]"
)


def _each(pattern: re.Pattern[str], spelled: Callable[[str], str]) -> Callable[[str], str]:
    """Return what replaces every find, wherever the same characters stand first."""

    def replace(text: str) -> str:
        for found in pattern.findall(text):
            text = text.replace(found, spelled(found), 1)
        return text

    return replace


def _date(text: str) -> str:
    """``2024年3月5日`` is 二零二四年三月五日."""
    year, has_year, rest = text.rpartition("年")
    month, has_month, day = rest.rpartition("月")
    spelled = f"{digit_by_digit(year)}年" if has_year else ""
    spelled += f"{by_value(month)}月" if has_month else ""
    return spelled + (f"{by_value(day[:-1])}{day[-1]}" if day else "")


def _money(text: str) -> str:
    for number in _PLAIN.findall(text):
        text = text.replace(number, by_value(number))
    return text


def _fraction(text: str) -> str:
    over, under = text.split("/")
    return f"{by_value(under)}分之{by_value(over)}"


def spell_numbers(text: str) -> str:
    """Spell the numbers of a text: dates, money, telephone numbers, fractions, percentages, quantities, and all others.

    A number of four digits or more that is none of these is spelled digit by digit.
    """
    for spell in _KINDS:
        text = spell(text)
    return text.lstrip("^").rstrip("$")


_KINDS: Sequence[Callable[[str], str]] = (
    lambda text: f"^{text}$",  # what isn't a digit has to stand on both sides
    _each(_DATE, _date),
    _each(_MONEY, _money),
    _each(_MOBILE, lambda number: "".join(map(digit_by_digit, number.strip("+").split()))),
    _each(_LANDLINE, lambda number: "".join(map(digit_by_digit, number.split("-")))),
    _each(_FRACTION, _fraction),
    lambda text: text.replace("\uff05", "%"),
    _each(_PERCENTAGE, lambda number: f"百分之{by_value(number.strip('%'))}"),
    _each(_QUANTITY, by_value),
    _each(_CODE, digit_by_digit),
    _each(_PLAIN, by_value),
    _each(_BETWEEN_LATIN, lambda text: text.replace("二", "2", 1)),
)


def blank_punctuation(text: str) -> str:
    """Make blanks of punctuation."""
    return _PUNCTUATION.sub(" ", text)


def cn_tn_steps() -> Sequence[Step]:
    """Return the steps that the kits share."""
    return (
        Step("numbers spelled as characters", spell_numbers),
        Step("punctuation out", blank_punctuation),
    )


@register_steps("cn_tn", version=1, summary="SpeechIO's Chinese normalizer as evaluation kits use it, bare characters")
def cn_tn() -> Sequence[Step]:
    """Return the steps, and white space out: for a character error rate."""
    return (*cn_tn_steps(), Step("white space out", lambda text: "".join(text.split())))
