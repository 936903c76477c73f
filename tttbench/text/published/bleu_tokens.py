"""Words as sacreBLEU takes them apart: ``13a`` (NIST's mteval-v13a, for Western languages) and ``zh``."""

from __future__ import annotations

import re

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_SYMBOL = re.compile(r"([ -&(-+:-@\[-`{-~/])")
"""ASCII signs but for apostrophe, comma, hyphen and full stop."""
# What is matched is consumed, so of two marks in a row the second may stay at its neighbor.
_MARK_BEHIND_OTHER = re.compile(r"([^0-9])([.,])")
_MARK_BEFORE_OTHER = re.compile(r"([.,])([^0-9])")
_HYPHEN_BEHIND_DIGIT = re.compile(r"([0-9])(-)")
_WIDE = re.compile(
    "(["
    "\u2001-\u2a6d"  # meant as CJK Extension B; curly quotes, dashes and the euro sign are in it
    "\u2e80-\u2fdf\u2ff0-\u303f"  # radicals, CJK punctuation
    "\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u33ff"
    "\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9"  # Han
    "\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef"  # vertical and full-width forms
    "])"
)
"""What stands alone in ``zh``: every character of these, whether Han or not."""


def tokens_13a(text: str) -> list[str]:
    """Return the tokens of a text by ``13a``."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return _western(f" {text} ")


def tokens_zh(text: str) -> list[str]:
    """Return the tokens of a text by ``zh``: Han and full-width characters alone, the rest as in ``13a``."""
    return _western(_WIDE.sub(r" \1 ", text.strip()))


def _western(text: str) -> list[str]:
    text = _SYMBOL.sub(r" \1 ", text)
    text = _MARK_BEHIND_OTHER.sub(r"\1 \2 ", text)
    text = _MARK_BEFORE_OTHER.sub(r" \1 \2", text)
    return _HYPHEN_BEHIND_DIGIT.sub(r"\1 \2 ", text).split()
