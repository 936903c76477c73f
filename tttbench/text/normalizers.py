"""Named, versioned normalizers: what counts as "the same words". Knows strings alone.

``whisper-en`` gives what openai-whisper's ``EnglishTextNormalizer`` gives, without importing it (and torch).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from tttbench.core.plugins import register_normalizer


@register_normalizer("raw", version=1, summary="the text as it is, white space collapsed")
def normalize_raw(text: str) -> str:
    """Return the text as it is, white space collapsed to single spaces (words are told apart by spaces)."""
    return " ".join(text.split())


# A run scores the same references once per system and score; the cache makes that one normalization.
@register_normalizer(
    "whisper-en", version=1, package="whisper-normalizer", summary="Whisper's rules for English: numbers, US spelling …"
)
@lru_cache(maxsize=16_384)
def normalize_whisper_english(text: str) -> str:
    """Apply Whisper's English rules (Radford et al. 2022, appendix C): lower case, numbers as digits, US spelling …"""
    from tttbench.text.whisper_english import shared_whisper_english

    return shared_whisper_english()(text)


@lru_cache(maxsize=1)
def _whisper_basic() -> Callable[[str], str]:
    from whisper_normalizer.basic import BasicTextNormalizer

    normalize: Callable[[str], str] = BasicTextNormalizer()
    return normalize


@register_normalizer(
    "whisper-basic", version=1, package="whisper-normalizer", summary="Whisper's rules for other languages"
)
def normalize_whisper_basic(text: str) -> str:
    """Apply Whisper's rules for other languages: lower case, no brackets, symbols and marks become spaces."""
    return _whisper_basic()(text)


@register_normalizer("zh", version=1, summary="Chinese: the bare characters, for a character error rate")
def normalize_chinese(text: str) -> str:
    """Return the bare characters for a Chinese CER.

    Full-width forms become half-width (NFKC), Latin letters lower case; punctuation, symbols, white space and control
    characters go. Traditional and simplified forms, and digits and number characters, stay different.
    """
    return "".join(
        c for c in unicodedata.normalize("NFKC", text).lower() if unicodedata.category(c)[0] in ("L", "M", "N")
    )
