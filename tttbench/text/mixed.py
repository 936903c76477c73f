"""Texts in Chinese and other languages at once: a Han character is a unit, and so is a word of another script."""

from __future__ import annotations

import re
from functools import lru_cache

from tttbench.core.plugins import register_normalizer
from tttbench.text.alignment import Alignment, align_words

_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def han_apart(text: str) -> str:
    """Return ``text`` with every Han character as a word of its own."""
    return _HAN.sub(r" \g<0> ", text)


def align_mixed(reference: str, hypothesis: str) -> Alignment:
    """Align two texts by Han characters and by words of other scripts."""
    return align_words(han_apart(reference), han_apart(hypothesis))


@register_normalizer(
    "mixed",
    version=1,
    package="whisper-normalizer",
    summary="Chinese and English: numbers by value, Han characters apart",
)
@lru_cache(maxsize=16_384)
def normalize_mixed(text: str) -> str:
    """Return the words that answers to questions are compared by: those of ``en``, Chinese numerals by value, too."""
    from tttbench.text.answer_match import answer_tokens

    return " ".join(answer_tokens(text))
