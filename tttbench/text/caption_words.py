"""Captions as tokens: our own reading of what the Penn Treebank's tokenizer makes of such sentences.

Lower case; punctuation is left out; a word keeps its hyphens (``high-pitched``); ``n't``, ``'s``, ``'re``, ``'ve``,
``'ll``, ``'d`` and ``'m`` are tokens of their own (``isn't``: ``is``, ``n't``). On other texts (abbreviations with
dots, prices, dates) Stanford's program, which publications use, differs: it is Java, and isn't run here.
"""

from __future__ import annotations

import re
import unicodedata

VERSION = 1
"""Raised whenever the same text may give other tokens."""

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_ENDING = re.compile(r"(.+?)(n't|'(?:s|re|ve|ll|d|m))")


def caption_tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a caption."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'").replace("\u2010", "-")
    found: list[str] = []
    for word in _WORD.findall(plain):
        ending = _ENDING.fullmatch(word)
        found += [ending[1], ending[2]] if ending else [word]
    return tuple(found)
