"""Roman numerals where their place says that they are: "World War II", "Henry VIII", "chapter IV". Knows tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tttbench.text.decimals import ordinal

_TENS, _ONES = ("", "x", "xx", "xxx", "xl", "l"), ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_NUMERALS = [tens + ones for tens in _TENS for ones in _ONES][1:]
_VALUES: Mapping[str, str] = {numeral: str(value) for value, numeral in enumerate(_NUMERALS, 1)}
_NO_WORDS = frozenset(_NUMERALS[:23]) - set("i iv v vi ix x xi xv xx".split())
"""Numerals that are nothing else wherever they stand."""
_COUNTED = frozenset(
    (
        "war chapter part act scene volume vol book type class phase apollo bowl section article title appendix "
        "figure table episode stage level"
    ).split()
)
_RULERS = frozenset(
    (
        "henry louis george edward charles elizabeth james william richard philip john paul pius benedict leo gregory "
        "innocent clement urban napoleon nicholas alexander catherine peter ivan frederick francis ferdinand leopold "
        "ramses rameses ramesses ptolemy xerxes darius mary"
    ).split()
)
"""Rulers' numbers are spoken as ordinals: Henry the Eighth."""

WORDS = frozenset({*_NUMERALS, *_COUNTED, *_RULERS, "ww"}) - {"i"}
"""Words without which a text has no Roman numeral."""


def read_roman(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with Roman numerals in digits, and with "Henry the 8th" as "Henry 8th"."""
    found: list[str] = []
    for at, token in enumerate(tokens):
        before = found[-1] if found else ""
        value = _VALUES.get(token)
        if token == "i" and found[-2:] != ["world", "war"] and tokens[at + 1 : at + 2] not in ([], ["of"]):
            value = None  # "Henry, I think"
        if value is not None and before in _COUNTED:
            found.append(value)
        elif value is not None and before in _RULERS:
            found.append(ordinal(value))
        elif token in _NO_WORDS:
            found.append(_VALUES[token])
        elif token == "ww" and at + 1 < len(tokens) and (tokens[at + 1] in _VALUES or tokens[at + 1].isdigit()):
            found += ("world", "war")
        elif token == "the" and before in _RULERS and tokens[at + 1 : at + 2] and _is_ordinal(tokens[at + 1]):
            continue
        else:
            found.append(token)
    return found


def _is_ordinal(token: str) -> bool:
    return token[:1].isdigit() and token[-2:] in ("st", "nd", "rd", "th")
