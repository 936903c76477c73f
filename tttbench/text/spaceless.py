"""Scripts that write no spaces between words, or write particles onto them: every character counts as a word."""

from __future__ import annotations

import re

from tttbench.text.alignment import Alignment, align_words

RECIPE = "characters of scripts without spaces@1"
"""Of ``align_spaceless``; raised whenever the same texts may be aligned otherwise."""

_SCRIPTS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3100-\u312f"  # Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\uac00-\ud7ff"  # Hangul: 서울은 is 서울 with a particle
)
_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd"
    "\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3\u3099\u309a"
)
"""Vowels and tones above and below, which belong to the character before them."""

_CHARACTER = re.compile(f"[{_SCRIPTS}][{_MARKS}]*")


def has_spaceless(text: str) -> bool:
    """Whether there is a character of such a script."""
    return _CHARACTER.search(text) is not None


def spaced(text: str) -> str:
    """Return ``text`` with spaces around every character of such a script; marks stay with their character."""
    return _CHARACTER.sub(r" \g<0> ", text)


def align_spaceless(reference: str, hypothesis: str) -> Alignment:
    """Align two texts by characters of such scripts, and by words of others."""
    return align_words(spaced(reference), spaced(hypothesis))
