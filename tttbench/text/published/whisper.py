"""Whisper's English normalizer (Radford et al. 2022, appendix C) as steps, and the parts that others build on.

The tables (contractions, number words, spellings) are those of the whisper-normalizer package. Applied one after the
other, the steps make of a text what ``whisper-en`` makes, which is faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tttbench.text.steps import Step, tell_steps
from tttbench.text.whisper_english import english_rules

FILLERS = ("hmm", "mm", "mhm", "mmm", "uh", "um")
_BRACKETS = (re.compile(r"[\[<][^\]>]*[\]>]"), re.compile(r"\([^)]+\)"))
_BEFORE_APOSTROPHE = re.compile(r"\s+(?=')")
# What is matched is consumed: 1,2,3 keeps its second comma, and of two full stops the second stays.
_COMMA = re.compile(r"(\d),(\d)")
_FULL_STOP = re.compile(r"\.([^0-9]|$)")
_SIGN_ALONE = re.compile(r"[.$¢€£]([^0-9])")
_PERCENT_ALONE = re.compile(r"([^0-9])%")
_KEPT = ".%$¢€£"


@dataclass(frozen=True)
class Parts:
    """What Whisper's rules are made of: patterns and what to write for them, number words, spellings, diacritics."""

    contractions: Mapping[str, str]
    spellings: Mapping[str, str]
    read_numbers: Callable[[str], str]
    without_symbols: Callable[[str], str]


@lru_cache(maxsize=1)
def parts() -> Parts:
    """Return them, from the package."""
    from whisper_normalizer.basic import remove_symbols_and_diacritics

    rules = english_rules()

    def without_symbols(text: str) -> str:
        return str(remove_symbols_and_diacritics(text, keep=_KEPT))

    def read_numbers(text: str) -> str:
        try:
            return str(rules.standardize_numbers(text))
        except (AssertionError, ValueError):
            # They break on a number of more than 4,300 digits (a model stuck on one digit writes those).
            return text

    return Parts(rules.replacers, rules.standardize_spellings.mapping, read_numbers, without_symbols)


def without_brackets(text: str) -> str:
    """Drop what stands in brackets of any kind."""
    for pattern in _BRACKETS:
        text = pattern.sub("", text)
    return text


def drop_words(words: Sequence[str]) -> Callable[[str], str]:
    """Return what drops whole words, and then white space before an apostrophe."""
    pattern = re.compile(rf"\b({'|'.join(words)})\b")
    return lambda text: _BEFORE_APOSTROPHE.sub("", pattern.sub("", text))


def replace_patterns(patterns: Mapping[str, str]) -> Callable[[str], str]:
    """Return what replaces each pattern, in order."""
    compiled = [(re.compile(pattern), written) for pattern, written in patterns.items()]

    def replace(text: str) -> str:
        for pattern, written in compiled:
            text = pattern.sub(written, text)
        return text

    return replace


def without_punctuation(text: str) -> str:
    """Drop commas in numbers; make spaces of all symbols but those of amounts; drop diacritics."""
    return parts().without_symbols(_FULL_STOP.sub(r" \1", _COMMA.sub(r"\1\2", text)))


def look_up(words: Mapping[str, str]) -> Callable[[str], str]:
    """Return what replaces whole words, white space between them made single."""
    return lambda text: " ".join(words.get(word, word) for word in text.split())


def without_stray_signs(text: str) -> str:
    """Drop signs of amounts that stand beside no digit, and make white space single."""
    return re.sub(r"\s+", " ", _PERCENT_ALONE.sub(r"\1 ", _SIGN_ALONE.sub(r" \1", text)))


def whisper_steps() -> Sequence[Step]:
    """Return the steps of ``whisper-en``."""
    own = parts()
    return (
        Step("lower case", str.lower),
        Step("brackets and what is in them out", without_brackets),
        Step("fillers out (uh, um …)", drop_words(FILLERS)),
        Step("contractions and titles in full", replace_patterns(own.contractions)),
        Step("punctuation and accents out", without_punctuation),
        Step("numbers in digits", own.read_numbers),
        Step("American spelling", look_up(own.spellings)),
        Step("signs without a number out", without_stray_signs),
    )


tell_steps("whisper-en", whisper_steps)
