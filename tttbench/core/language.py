"""Language tags: which language a tag names. Knows no language."""

from __future__ import annotations

_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
"""Tags of ISO 639 for what is in no one language that is known."""


def primary_language(tag: str) -> str:
    """Return the language of a BCP 47 tag, without script, region and variants: ``"zh"`` for ``"zh-TW"``.

    ``""`` for a tag that names no language, such as ``"und"``.
    """
    primary = tag.replace("_", "-").partition("-")[0].lower()
    return "" if primary in _NO_LANGUAGE else primary
