"""From folded text to tokens: what dots, commas, colons, slashes and dashes mean beside digits and letters.

A token is a word, a number in digits, or one of the symbols that later rules ask for (``$ % ° /`` …). All other
punctuation goes.
"""

from __future__ import annotations

import re

from tttbench.text.decimals import ordinal
from tttbench.text.english.months import NAMES
from tttbench.text.folding import CURRENCIES as _MONEY
from tttbench.text.folding import KEPT

_LETTER = r"[^\W\d_]"

INITIALS = re.compile(rf"(?<![^\W_])(?:{_LETTER}\.(?:\s?{_LETTER}\.)+|{_LETTER}(?:\.{_LETTER})+)(?![^\W_])")
_DEGREE = re.compile(rf"(?<!{_LETTER})ph\.?\s?d(?:\.(?=s\b))?(?!{_LETTER}{{2}}|(?!s){_LETTER})")
_NUMBER_SIGN = re.compile(r"#(?=\d)|\bno\.\s?(?=\d)")
_GROUPS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)")
_SCALE_LETTER = re.compile(rf"([{_MONEY}]\s?\d+(?:\.\d+)?)(k|mn?|bn?|tn)\b")
_US_DOLLAR = re.compile(rf"(?<!{_LETTER})us(?=\$)")
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
_TIME = re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])")
_RATIO = re.compile(r"(?<![\d:.])(\d+(?:\.\d+)?):(?=\d+(?:\.\d+)?(?![\d:]|\.\d))")
_ISO_DATE = re.compile(r"(?<!\d)(?<!\d[/.-])(\d{4})([/.-])(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d|\2\d)")
_DATE = re.compile(r"(?<!\d)(?<!\d[/.-])(0?[1-9]|[12]\d|3[01])([/.-])(0?[1-9]|[12]\d|3[01])\2([12]\d{3})(?!\d|\2\d)")
_MINUS_TO_RESULT = re.compile(r"(?<=\d)\s*-\s*(?=\d+(?:\.\d+)?\s*=)")
_MINUS_BETWEEN = re.compile(r"(?<=\d)\s*\u2212\s*(?=\d)")
_SIGN = re.compile(rf"(?<![^\W_])(?<![-.%])[-\u2212](?=[{_MONEY}.]?\d)")
_RANGE = re.compile(rf"(?<![\d.-])(\d+(?:\.\d+)?)([%\u00b0]?)-([{_MONEY}]?)(\d+(?:\.\d+)?)(?![\d-]|\.\d)")
_TIMES = re.compile(r"(?<=\d)\s*\*\s*(?=\d)")
_POWERS = {"2": " squared ", "3": " cubed "}
_POWER = re.compile(r"\^(-?\d+)")
_SPACED_CLITIC = re.compile(r"\s+'\s*(?=(?:s|t|d|m|re|ve|ll)\b)|(?<=n)'\s+(?=t\b)")
_SHORT_AND = re.compile(rf"(?<={_LETTER}\s)(?<!letter\s)(?<!an\s)(?:'n'?|n')(?=\s{_LETTER})")
"""In "rock 'n' roll"."""
_PLURAL_OF_DIGITS = re.compile(r"(?<=\d)'s\b")

_WORD_CHARACTER = rf"[^\s\d{re.escape(KEPT)}]"
_TOKEN = re.compile(
    rf"\d+(?:/\d+)+|\d+(?:\.\d+)*(?:s\b|(?:st|nd|rd|th)\b)?"  # 1/2, 12, 3.14, 1.2.3, 1960s, 5th
    rf"|\.\d+"
    rf"|'?{_WORD_CHARACTER}+(?:'{_WORD_CHARACTER}+)*"
    rf"|(?<={_LETTER})/(?={_LETTER})"
    rf"|[{_MONEY}\u00a2](?=\s?[-.\w])|(?<=\d)[{_MONEY}\u00a2]|(?<=\d\s)[{_MONEY}\u00a2]|[%\u00b0&+=@\u00d7\u00f7]"
)
_SPOKEN = {
    "&": ("and",),
    "+": ("plus",),
    "=": ("equals",),
    "@": ("at",),
    "\u00d7": ("times",),
    "\u00f7": ("divided", "by"),
}


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text that ``fold`` returned."""
    if "." in text or "#" in text:
        text = INITIALS.sub(lambda found: re.sub(r"[.\s]", "", found[0]), _DEGREE.sub("phd", text))
        text = _NUMBER_SIGN.sub("number ", text)
    if "'" in text:
        text = _PLURAL_OF_DIGITS.sub("s", _SPACED_CLITIC.sub("'", _SHORT_AND.sub("and", text)))
    if "us$" in text:
        text = _US_DOLLAR.sub(" ", text)
    if any(map(str.isdigit, text)):
        text = _numeric(text)
    tokens: list[str] = []
    for token in _TOKEN.findall(text):
        spoken = _SPOKEN.get(token)
        if spoken is not None:
            tokens += spoken
        else:
            tokens.append(f"0{token}" if token[0] == "." else token)
    return tokens


def _numeric(text: str) -> str:
    """The text with punctuation beside digits put into words, or dropped."""
    if "," in text:
        text = _GROUPS.sub(lambda found: found[0].replace(",", ""), text)
    if ":" in text:
        text = _RATIO.sub(r"\1 to ", _TIME.sub(_time, text))
    text = _DATE.sub(_date, _ISO_DATE.sub(lambda date: _spoken(date[4], date[3], date[1]), text))
    if "-" in text or "\u2212" in text:
        text = _MINUS_BETWEEN.sub(" minus ", _MINUS_TO_RESULT.sub(" minus ", text))
        text = _SIGN.sub(" minus ", text)
        text = _RANGE.sub(_range, text)
    if "*" in text:
        text = _TIMES.sub(" times ", text)
    if "^" in text:
        text = _POWER.sub(lambda power: _POWERS.get(power[1], f" to the {power[1]} "), text)
    return _SCALE_LETTER.sub(lambda money: f"{money[1]} {_SCALES[money[2]]}", text)


def _time(found: re.Match[str]) -> str:
    """``3:05`` is spoken like the number 305; ``3:00`` is three o'clock."""
    hour, minute = str(int(found[1])), found[2]
    return f"{hour} oclock" if minute == "00" else f"{hour}{minute}"


def _date(found: re.Match[str]) -> str:
    """``7/20/1969`` and ``20.07.1969`` in words; where either number could be the month, as it stands."""
    first, _, second, year = found.groups()
    if int(first) == int(second) <= 12 or int(first) <= 12 < int(second):
        return _spoken(second, first, year)
    return _spoken(first, second, year) if int(second) <= 12 < int(first) else found[0]


def _spoken(day: str, month: str, year: str) -> str:
    return f" {NAMES[month.lstrip('0')]} {ordinal(day.lstrip('0'))} {year} "


def _range(found: re.Match[str]) -> str:
    """``3-4`` is three to four; ``555-1234`` and ``04-71`` are digits in groups."""
    low, unit, money, high = found.groups()
    grouped = not (unit or money or "." in low + high) and (
        low[0] == "0" or high[0] == "0" or (len(low), len(high)) == (3, 4) or max(len(low), len(high)) > 4
    )
    return f"{low} {high}" if grouped else f"{low}{unit} to {money}{high}"
