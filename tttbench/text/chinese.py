"""Chinese text as bare characters for a character error rate: numbers by value, no punctuation. Knows strings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from tttbench.text.chinese_numbers import NUMERALS, read_numerals
from tttbench.text.decimals import shortest
from tttbench.text.folding import is_invisible
from tttbench.text.markup import words_of

_N = f"[0-9{NUMERALS}]"
_SAME = str.maketrans("\u2212\u2010\u2011\u2012\u2013\u2044", "-----/")
_CURRENCIES: Mapping[str, str] = {
    "$": "美元",
    "\u20ac": "欧元",
    "\u00a3": "英镑",
    "\u00a5": "元",
    "\u20b9": "卢比",
    "\u20a9": "韩元",
    "\u20bd": "卢布",
    "\u20bf": "比特币",
    "\u20ba": "里拉",
    "\u20b4": "格里夫纳",
    "\u20aa": "谢克尔",
    "\u0e3f": "泰铢",
    "\u20ab": "越南盾",
    "\u20b1": "比索",
    "\u20a6": "奈拉",
    "\u20b8": "坚戈",
}
_MONEY = "".join(_CURRENCIES)
_MEANS = frozenset(f"./%\u2030-{_MONEY}")
"""Symbols that change what a number is."""
_POINT = re.compile(rf"(?<!{_N})[./]|[./](?!{_N})")
_PERCENT = re.compile(rf"(?<!{_N})[%\u2030]")
_PER_MILLE = re.compile(r"千分之(-?[0-9]+(?:\.[0-9]+)?)")
_WHOLE_AND_PART = re.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e])")
"""Between the digits of 2½."""
_TIME = re.compile(r"(?<![0-9:])0?(1?[0-9]|2[0-4]):([0-5][0-9])(?![0-9:])分?")
_RATIO = re.compile(r"(?<![0-9:.])([0-9.]*[0-9]):(?=[0-9]+(?![0-9:]))")
_HYPHEN = re.compile(rf"(?<=[0-9a-z%\u2030{NUMERALS}])-+|-(?![{_MONEY}]?{_N})")
_CURRENCY = re.compile(rf"(-?)([{_MONEY}])(-?{_N}+(?:\.{_N}+)?)({'|'.join(_CURRENCIES.values())})?")
_SIGNS: Mapping[str, str] = {
    "+": "加",
    "\u00d7": "乘",
    "*": "乘",
    "\u00f7": "除以",
    "=": "等于",
    "~": "到",
    "\u00b1": "正负",
}
_SIGN = re.compile(rf"(?<={_N})\s*([{re.escape(''.join(_SIGNS))}])\s*(?=-?{_N})")
_DEGREES = re.compile(rf"(?<={_N})\s*\u00b0\s*([cf](?![a-z]))?")
_SCALES: Mapping[str | None, str] = {"c": "摄氏度", "f": "华氏度", None: "度"}
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
    text = unicodedata.normalize("NFKC", _WHOLE_AND_PART.sub("又", text)).lower().translate(_SAME)
    if ":" in text:
        text = _RATIO.sub(r"\1比", _TIME.sub(_clock_time, text))
    text = _SIGN.sub(lambda sign: _SIGNS[sign[1]], text)
    text = _DEGREES.sub(lambda degrees: _SCALES[degrees[1]], text)
    text = "".join(
        c for c in text if c in _MEANS or (unicodedata.category(c)[0] in ("L", "M", "N") and not is_invisible(c))
    )
    text = _HYPHEN.sub("", _PERCENT.sub("", _POINT.sub("", text)))
    text = _CURRENCY.sub(_money, text)
    text = _PER_MILLE.sub("\\1\u2030", read_numerals("".join(c for c in text if c not in _CURRENCIES)))
    # A mark may have got a letter to stand on.
    return unicodedata.normalize("NFC", _DECIMAL.sub(lambda found: shortest(found[0]), text))


def _money(found: re.Match[str]) -> str:
    """``$5`` is 5美元, as it is spoken; ``$5美元`` says it once, too."""
    minus, symbol, amount, said = found.groups()
    name = _CURRENCIES[symbol]
    return f"{minus}{amount}{name}{'' if said in (None, name) else said}"


def _clock_time(found: re.Match[str]) -> str:
    """``3:05`` is 3点05分, as it is spoken; ``3:00`` is 3点."""
    hour, minute = found.groups()
    return f"{hour}点" if minute == "00" else f"{hour}点{minute}分"
