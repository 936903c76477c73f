"""Language tags: whether a text is one, which language it names, and which are written in Chinese characters."""

from __future__ import annotations

import re

_TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}"  # language and extended language
    r"(-[a-z]{4})?(-([a-z]{2}|\d{3}))?"  # script and region
    r"(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"  # variants
    r"(-[0-9a-wyz](-[a-z0-9]{2,8})+)*"  # extensions
    r"(-x(-[a-z0-9]{1,8})+)?"  # private use
    r"|x(-[a-z0-9]{1,8})+",
    re.IGNORECASE | re.ASCII,
)
"""The grammar of BCP 47 (RFC 5646, section 2.1), without languages of 4 to 8 letters, of which none is registered, and
without the irregular tags of before 2006."""

_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
"""Tags of ISO 639 for what is in no one language that is known."""

_CHINESE = frozenset({"zh", "cmn", "yue", "wuu"})
"""Chinese, Mandarin, Cantonese and Wu: written in the same characters, without spaces."""

_SPACELESS = frozenset({"ja", "th", "lo", "my", "km", "bo", "dz"})
"""Japanese, Thai, Lao, Burmese, Khmer, Tibetan and Dzongkha: no spaces between words either."""


def language_fault(tag: str) -> str:
    """Return why ``tag`` is no BCP 47 tag, as the end of a sentence; ``""`` if it is one, or empty (unknown)."""
    if not tag or _TAG.fullmatch(tag):
        return ""
    near = tag.strip().replace("_", "-")
    hint = f" Did you mean {near!r}?" if near != tag and _TAG.fullmatch(near) else ""
    return f"must be a BCP 47 tag such as 'en', 'zh' or 'pt-BR', not {tag[:40]!r}.{hint}"


def primary_language(tag: str) -> str:
    """Return the language of a BCP 47 tag, without script, region and variants: ``"zh"`` for ``"zh-TW"``.

    ``""`` for a tag that names no language, such as ``"und"``.
    """
    primary = tag.replace("_", "-").partition("-")[0].lower()
    return "" if primary in _NO_LANGUAGE else primary


def is_chinese(tag: str) -> bool:
    """Whether texts of a language are written in Chinese characters, so that errors are counted by character."""
    return primary_language(tag) in _CHINESE


def is_spaceless(tag: str) -> bool:
    """Whether a language is written without spaces between words, Chinese among them: white space tells no words."""
    return is_chinese(tag) or primary_language(tag) in _SPACELESS
