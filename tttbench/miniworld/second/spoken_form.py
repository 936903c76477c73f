"""What was spoken, whatever way it is written: numbers and times digit by digit.

A transcriber writes ``nine two seven four`` as 9274 and ``three thirty`` as 3:30. In the spoken form both are the same
words: every number is its digits (``forty two`` is ``4 2``), and words that sound alike are one (``for``, ``four``).
It serves to measure toplines and codecs of this world; the suite's scorers have normalizers of their own.
"""

from __future__ import annotations

import re
from functools import cache

from tttbench.miniworld.second import words
from tttbench.miniworld.second.words import number_words

_WORD = re.compile(r"[0-9](?:st|nd|rd|th)\b|[a-z']+|[0-9]+")
_SAME_SOUND = {"for": "four", "to": "two", "too": "two", "ate": "eight", "won": "one", "oh": "zero"}
_WRITTEN_TENS = frozenset(str(n) for n in range(20, 100, 10))
_UNITS = frozenset("123456789")
_ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "6th": "sixth"}


@cache
def _digits_of() -> dict[str, list[str]]:
    """Digits of every single number word; the tens as their first digit alone (see ``spoken_form``)."""
    found = {number_words(n): list(str(n)) for n in range(20)}
    return found | {name: [str(i + 2)] for i, name in enumerate(words.TENS)}


def spoken_form(text: str) -> tuple[str, ...]:
    """The words as they sound."""
    tokens = [_ORDINALS.get(token, token) for token in _WORD.findall(text.lower())]
    tokens = [_SAME_SOUND.get(token, token) for token in tokens]
    found: list[str] = []
    for i, token in enumerate(tokens):
        follows = tokens[i + 1] if i + 1 < len(tokens) else ""
        if token in words.TENS or token in _WRITTEN_TENS:
            found += _digits_of().get(token, [token[0]])
            # ``twenty`` alone is 20; ``twenty four`` is 24, also where a transcriber writes "20 4".
            if follows not in words.UNITS[1:10] and follows not in _UNITS:
                found.append("0")
        elif token.isdigit():
            found += token
        else:
            found += _digits_of().get(token, [token])
    return tuple(found)


def word_errors(reference: str, transcript: str, *, cap: bool = True) -> tuple[int, int]:
    """Edits between the spoken forms, and units of the reference; ``cap`` counts at most as many edits as units."""
    from rapidfuzz.distance import Levenshtein

    ref, hyp = spoken_form(reference), spoken_form(transcript)
    edits = Levenshtein.distance(ref, hyp)
    return (min(edits, len(ref)) if cap else edits), len(ref)
