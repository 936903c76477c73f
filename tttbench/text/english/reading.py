"""The rules of ``en`` in their order: from a text to tokens in normal form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tttbench.text.decimals import is_integer
from tttbench.text.english import amounts, months, numbers, roman, words
from tttbench.text.english.clock import read_times
from tttbench.text.english.dates import read_dates
from tttbench.text.english.notation import tokens_of
from tttbench.text.english.units import read_units
from tttbench.text.folding import CURRENCIES, fold
from tttbench.text.markup import words_of

_RULED = numbers.WORDS | amounts.WORDS | roman.WORDS | {"/", "\u00b0"}
"""Words that some rule begins with; digits are the other beginning."""
_MOST_READINGS = 8
_UNSETTLED = re.compile(
    rf"[{CURRENCIES}\u00a2\u00b0/]|\b(?:{'|'.join(words.FILLERS)})\b",
    re.IGNORECASE,
)
"""What goes can leave neighbors that mean something else: "two um thirds", once the filler has gone."""
_RULED_TWICE = (
    numbers.BEGINNINGS
    | numbers.PARTS
    | amounts.NAMES
    | months.MONTHS
    | {"minus", "negative", "point", "and", "past", "ww"}
)
"""Words that a rule has left alone, and might not once others have been at work."""


def read(text: str) -> list[str]:
    """Return the tokens of a text: words, and numbers with their units."""
    return read_folded(fold(words_of(text)))


def read_folded(text: str) -> list[str]:
    """Return the tokens of a text: words, and numbers with their units."""
    tokens = [form for token in tokens_of(text) for form in words.forms(token)]
    if _RULED.isdisjoint(tokens) and not any(token[0].isdigit() for token in tokens):
        return tokens
    tokens = numbers.read_fractions(roman.read_roman(numbers.read_numbers(tokens)))
    return read_units(amounts.read_amounts(read_dates(read_times(tokens))))


def normal_form(text: str) -> str:
    """Return the normal form: the tokens with integers joined, read again until nothing changes."""
    tokens = joined(read(text))
    is_unsettled = _UNSETTLED.search(text) or not _RULED_TWICE.isdisjoint(tokens)
    for _ in range(_MOST_READINGS if is_unsettled or any(token[0] == "-" for token in tokens) else 0):
        again = joined(read(" ".join(tokens)))
        if again == tokens:
            break
        tokens = again
    return " ".join(tokens)


def joined(tokens: Sequence[str], *, shorter_than: int | None = None) -> list[str]:
    """Join integers that stand next to each other: digits are spoken in any groups, and punctuation isn't spoken.

    Args:
        tokens: in normal form.
        shorter_than: join only integers of fewer digits; None joins all.
    """
    found: list[str] = []
    last_joins = False
    for token in tokens:
        joins = is_integer(token) and (shorter_than is None or len(token) < shorter_than)
        if joins and last_joins:
            found[-1] += token
        else:
            found.append(token)
        last_joins = joins
    return found
