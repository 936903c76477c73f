"""Named, versioned normalizers: what counts as "the same words". Knows strings alone.

``whisper-en`` gives what openai-whisper's ``EnglishTextNormalizer`` gives, without importing it (and torch).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tttbench.core.plugins import register_normalizer


@register_normalizer("raw", version=1, summary="the text as it is, white space collapsed")
def normalize_raw(text: str) -> str:
    """Return the text as it is, white space collapsed to single spaces (words are told apart by spaces)."""
    return " ".join(text.split())


# A run scores the same references once per system and score; the cache makes that one normalization.
@register_normalizer(
    "en", version=1, package="whisper-normalizer", summary="our rules for English: numbers by value, dates, initials …"
)
@lru_cache(maxsize=16_384)
def normalize_english(text: str) -> str:
    """Return the normal form of an English text; ``docs/scoring.md`` shows what is equal. Spellings are Whisper's."""
    from tttbench.text.english.reading import normal_form

    return normal_form(text)


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


@register_normalizer(
    "basic", version=1, package="whisper-normalizer", summary="our rules for other languages: Whisper's, signs kept"
)
@lru_cache(maxsize=16_384)
def normalize_basic(text: str) -> str:
    """Apply Whisper's rules for other languages to a text without reasoning and tags; signs stay at their numbers."""
    from tttbench.text.other_languages import normal_form

    return normal_form(text, _whisper_basic())


@register_normalizer("zh", version=2, summary="Chinese: characters and numbers, for a character error rate")
@lru_cache(maxsize=16_384)
def normalize_chinese(text: str) -> str:
    """Return the characters for a Chinese CER; see ``tttbench.text.chinese``."""
    from tttbench.text.chinese import bare_characters

    return bare_characters(text)


@register_normalizer(
    "zh-hans", version=1, package="opencc-purepy", extra="chinese", summary="as zh, with simplified characters (OpenCC)"
)
@lru_cache(maxsize=16_384)
def normalize_simplified_chinese(text: str) -> str:
    """Return the characters for a Chinese CER, traditional ones as simplified ones."""
    from tttbench.text.chinese import bare_characters
    from tttbench.text.script_variants import simplified

    return bare_characters(simplified(text))
