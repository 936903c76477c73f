"""Named, versioned text normalisers: what counts as "the same words". Knows strings alone.

``whisper_english`` gives what openai-whisper's ``EnglishTextNormalizer`` gives, without importing it (and torch).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from types import MappingProxyType


# Looking a version up reads the disk, and every score names its recipe.
@lru_cache(maxsize=16)
def package_version(package: str) -> str:
    """Return the version of an installed distribution."""
    return version(package)


@dataclass(frozen=True)
class Normalizer:
    """A normaliser and its identity.

    Attributes:
        name: key in ``NORMALIZERS``.
        version: raised whenever the same input may give another output.
        normalize: text to text.
        package: the distribution whose rules it uses; "" if all rules are here.
    """

    name: str
    version: int
    normalize: Callable[[str], str]
    package: str = ""

    @property
    def recipe(self) -> str:
        """Name, version and package version, e.g. ``"whisper_english-1 (whisper-normalizer 0.1.15)"``."""
        made_with = f" ({self.package} {package_version(self.package)})" if self.package else ""
        return f"{self.name}-{self.version}{made_with}"


def normalize_raw(text: str) -> str:
    """Return the text as it is, white space collapsed to single spaces (words are told apart by spaces)."""
    return " ".join(text.split())


# A run scores the same references once per system and metric; the cache makes that one normalisation.
@lru_cache(maxsize=16_384)
def normalize_whisper_english(text: str) -> str:
    """Apply Whisper's English rules (Radford et al. 2022, appendix C): lower case, numbers as digits, US spelling …"""
    from tttbench.text.whisper_english import shared_whisper_english

    return shared_whisper_english()(text)


@lru_cache(maxsize=1)
def _whisper_basic() -> Callable[[str], str]:
    from whisper_normalizer.basic import BasicTextNormalizer  # type: ignore[import-untyped]  # has no type information

    normalize: Callable[[str], str] = BasicTextNormalizer()
    return normalize


def normalize_whisper_basic(text: str) -> str:
    """Apply Whisper's rules for other languages: lower case, no brackets, symbols and marks become spaces."""
    return _whisper_basic()(text)


def normalize_chinese(text: str) -> str:
    """Return the bare characters for a Chinese CER.

    Full-width forms become half-width (NFKC), Latin letters lower case; punctuation, symbols, white space and control
    characters go. Traditional and simplified forms, and digits and number characters, stay different.
    """
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if unicodedata.category(c)[0] in "LMN")


RAW = Normalizer("raw", 1, normalize_raw)
WHISPER_ENGLISH = Normalizer("whisper_english", 1, normalize_whisper_english, "whisper-normalizer")
WHISPER_BASIC = Normalizer("whisper_basic", 1, normalize_whisper_basic, "whisper-normalizer")
CHINESE = Normalizer("chinese", 1, normalize_chinese)

NORMALIZERS: Mapping[str, Normalizer] = MappingProxyType(
    {normalizer.name: normalizer for normalizer in (WHISPER_ENGLISH, WHISPER_BASIC, CHINESE, RAW)}
)
"""All normalisers by name."""
