"""Texts of languages that have no rules of their own: Whisper's rules for all languages, and what those lose.

Whisper's rules take signs from numbers (5 % is 5), what a model thinks for what it says, and leave apart what is one
thing: apostrophes, initials, invisible characters. Words and their number are otherwise those of Whisper's rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from tttbench.text.english.notation import INITIALS
from tttbench.text.folding import APOSTROPHES, CURRENCIES, is_invisible
from tttbench.text.markup import words_of

_SIGNS = f"-%\u2030\u00b0{CURRENCIES}"
_KEPT = {sign: chr(0x10FF00 + at) for at, sign in enumerate(_SIGNS)}
"""Characters of private use, which Whisper's rules leave alone."""
_BACK = str.maketrans({mark: sign for sign, mark in _KEPT.items()})
_ONE_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
_NUMBER = r"\d+(?:[.,]\d+)*"
_MONEY_IN_FRONT = re.compile(rf"(?<!\d)([{CURRENCIES}])\s*({_NUMBER})")
_MINUS = re.compile(r"(?<![^\s(])[-\u2212\u2013](?=\d)")
_BEHIND_NUMBER = re.compile(rf"(?<=\d)\s*([%\u2030\u00b0{CURRENCIES}])")


def normal_form(text: str, whisper: Callable[[str], str]) -> str:
    """Return the words of a text, single spaces between them.

    Args:
        text: in any language.
        whisper: Whisper's rules for all languages.
    """
    text = unicodedata.normalize("NFKC", words_of(text).translate(_ONE_APOSTROPHE)).lower()
    text = "".join(character for character in text if not is_invisible(character))
    text = INITIALS.sub(lambda found: re.sub(r"[.\s]", "", found[0]), text)
    text = _MINUS.sub(_KEPT["-"], text)
    text = _BEHIND_NUMBER.sub(lambda sign: _KEPT[sign[1]], _MONEY_IN_FRONT.sub(r"\2\1", text))
    return " ".join(whisper(text).translate(_BACK).split())
