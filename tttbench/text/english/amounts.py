"""Money and percentages as one token with their unit: ``$1500000``, ``$2.5``, ``50%``. Knows tokens with digits.

The unit belongs to the number, so that one dollar is not one per cent, and neither is "one".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tttbench.text.decimals import is_number, shifted
from tttbench.text.folding import CURRENCIES

_SYMBOLS: Mapping[str, str] = {
    "dollar": "$",
    "dollars": "$",
    "usd": "$",
    "euro": "\u20ac",
    "euros": "\u20ac",
    "eur": "\u20ac",
    # A pound of weight has the same name, and is written the same way here.
    "pound": "\u00a3",
    "pounds": "\u00a3",
    "gbp": "\u00a3",
    "lb": "\u00a3",
    "lbs": "\u00a3",
    "yen": "\u00a5",
    "jpy": "\u00a5",
    "rupee": "\u20b9",
    "rupees": "\u20b9",
    "inr": "\u20b9",
    **dict.fromkeys(("ruble", "rubles", "rouble", "roubles", "rub"), "\u20bd"),
    **dict.fromkeys(("bitcoin", "bitcoins", "btc"), "\u20bf"),
    **dict.fromkeys(("lira", "liras", "lire"), "\u20ba"),
    **dict.fromkeys(("hryvnia", "hryvnias"), "\u20b4"),
    **dict.fromkeys(("shekel", "shekels"), "\u20aa"),
    **dict.fromkeys(("baht", "bahts"), "\u0e3f"),
    **dict.fromkeys(("peso", "pesos"), "\u20b1"),
    **dict.fromkeys(("naira", "nairas"), "\u20a6"),
    **dict.fromkeys(("tenge", "tenges"), "\u20b8"),
    "dong": "\u20ab",
}
"""Currencies by their names, but for the won, which is also another word."""
_IN_FRONT = frozenset({*CURRENCIES, "usd", "eur", "gbp", "jpy", "inr", "btc"})
_HUNDREDTHS: Mapping[str, str] = {"cent": "$", "cents": "$", "\u00a2": "$", "penny": "\u00a3", "pence": "\u00a3"}
_SIGNS = frozenset(CURRENCIES)
_PERCENT = frozenset({"%", "percent", "pct"})
_AMOUNT = re.compile(rf"(-?)([{CURRENCIES}])(-?)([0-9]+)(?:\.([0-9]{{1,2}}))?")
_CENTS = re.compile(r"[$\u00a3]0(?:\.([0-9]{1,2}))?")

NAMES = frozenset({*_SYMBOLS, *_IN_FRONT, *_HUNDREDTHS, *_PERCENT, "per", "won"})
WORDS = frozenset({*_IN_FRONT, *_PERCENT, "\u00a2"})
"""Symbols that never stand alone in the result, so that a text with one has to be read."""


def read_amounts(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with money and percentages as one token each; symbols without a number are dropped."""
    if NAMES.isdisjoint(tokens):
        return list(tokens)
    found: list[str] = []
    at = 0
    while at < len(tokens):
        amount, at = _amount(tokens, at)
        if amount == "\u00a2" or amount in _SIGNS:
            continue
        if amount[:1] in _SIGNS and found[-1:] in (["minus"], ["negative"]):
            amount = f"-{amount}"
            found.pop()
        found.append("percent" if amount == "%" else amount)
    return _with_cents(found)


def _amount(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """The token at ``at``, with the unit that belongs to it, and the index behind both."""
    token, following = tokens[at], tokens[at + 1 : at + 3]
    if token in _IN_FRONT and following and _is_signed_number(following[0]):
        number, symbol = following[0], _SYMBOLS.get(token, token)
        sign = "-" if number.startswith("-") else ""
        end = at + 2
        if tokens[end : end + 1] and _SYMBOLS.get(tokens[end]) == symbol:  # "$5 dollars", "US$ 5 USD"
            end += 1
        return f"{sign}{symbol}{number.removeprefix('-')}", end
    if token == "\u00a2" and following and is_number(following[0]):
        return f"${shifted(following[0], -2)}", at + 2
    if not _is_signed_number(token) or not following:
        return token, at + 1
    sign, number = token[: token.startswith("-")], token.removeprefix("-")
    if following == ["won"]:  # the last word; "in 2002 won Brazil" has no currency
        return f"{sign}\u20a9{number}", at + 2
    if following[0] in _PERCENT:
        return f"{token}%", at + 2
    if following == ["per", "cent"]:
        return f"{token}%", at + 3
    if following[0] == "us" and following[1:] and following[1] in ("$", "dollar", "dollars"):
        return f"{sign}${number}", at + 3
    if following[0] in _SYMBOLS or following[0] in _IN_FRONT:
        is_next = following[0] in _IN_FRONT and following[1:] and _is_signed_number(following[1])
        if not is_next:  # "5 $10"
            return f"{sign}{_SYMBOLS.get(following[0], following[0])}{number}", at + 2
    if following[0] in _HUNDREDTHS:
        return f"{sign}{_HUNDREDTHS[following[0]]}{shifted(number, -2)}", at + 2
    return token, at + 1


def _is_signed_number(token: str) -> bool:
    return is_number(token.removeprefix("-"))


def _with_cents(tokens: Sequence[str]) -> list[str]:
    """Two dollars and fifty cents are one amount."""
    found: list[str] = []
    for token in tokens:
        cents = _CENTS.fullmatch(token)
        before = found[-2:] if found[-1:] == ["and"] else found[-1:]
        whole = _AMOUNT.fullmatch(before[0]) if before else None
        same = whole is not None and whole[5] is None and whole[2] in (token[0], "\u20ac")
        if cents is not None and cents[1] and same:
            del found[-len(before) :]
            found.append(f"{before[0]}.{cents[1]}")
        else:
            found.append(token)
    return found
