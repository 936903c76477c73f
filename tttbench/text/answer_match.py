"""Whether an answer gives an expected one: its words in normal form, numbers by value, and not denied.

Both texts are read as ``en`` reads them, with two more rules: Chinese numerals count by value too, and in scripts
without spaces every character is a word. Words of other languages are compared as they stand, without case and Latin
accents.

Known limits, on purpose: the words are found wherever they stand, so an answer that names several candidates gives each
of them; "one" is the number 1 but in a few phrases; a bare number isn't found in an amount of money or per cent;
ordinals are cardinals in dates only. ``docs/scoring.md`` has a table of cases, and how often denied answers pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from tttbench.text.chinese_numbers import read_numerals
from tttbench.text.clauses import clauses
from tttbench.text.decimals import is_integer, ordinal
from tttbench.text.english.months import MONTHS
from tttbench.text.english.reading import joined, read_folded
from tttbench.text.folding import fold
from tttbench.text.markup import words_of
from tttbench.text.negation import is_denied
from tttbench.text.spaceless import has_spaceless, spaced

RECIPE = "answer_match@2"
"""Name and version of all rules but those of ``en``, which has its own."""

_ARTICLES = frozenset({"a", "an", "the"})
_CURRENCIES = (("$", "美元|美金"), ("\u20ac", "欧元|歐元"), ("\u00a3", "英镑|英鎊"), ("\u00a5", "日元|日圆|日圓|円"))
_MONEY = tuple((re.compile(rf"([0-9]+(?:\.[0-9]+)?)\s*(?:{names})"), rf"{symbol}\1") for symbol, names in _CURRENCIES)
_CHINESE_ORDINAL = re.compile(r"第\s*([0-9]+)")


@dataclass(frozen=True)
class _Clause:
    """A clause as tokens, and whether it is a question."""

    tokens: tuple[str, ...]
    asks: bool


def answer_tokens(text: str) -> tuple[str, ...]:
    """Return the comparable tokens of a text, e.g. ``"It costs $2.50 and one two!"`` is ``it costs $2.5 and 12``."""
    return _tokens(words_of(text))


def gives(answer: str, expected: str) -> bool:
    """Say whether ``expected`` stands in ``answer`` as whole words, at least once without being denied.

    An article in front of what is expected doesn't matter. Nothing gives an expectation without words.
    """
    wanted = _without_article(answer_tokens(expected))
    if not wanted:
        return False
    parts = _clauses(answer)
    denied = False
    for at, part in enumerate(parts):
        following = parts[at + 1].tokens if at + 1 < len(parts) else ()
        for start, end in _places(part.tokens, wanted):
            if not is_denied(part.tokens, start, end, following, asks=part.asks):
                return True
            denied = True
    if denied:
        return False
    # What no clause holds may stand in several: "July 20, 1969", "12. 34." for 1234.
    tokens = answer_tokens(answer)
    if any(not is_denied(tokens, start, end) for start, end in _places(tokens, wanted)):
        return True
    digits = "".join(wanted)
    return is_integer(digits) and digits in _digit_runs(tokens)


# The same answer is asked for each of its references, and a reference by each system.
@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    folded = fold(text)
    if has_spaceless(folded):
        folded = read_numerals(folded)
        for amount, symbol in _MONEY:
            folded = amount.sub(symbol, folded)
        folded = spaced(_CHINESE_ORDINAL.sub(lambda found: f" {ordinal(found[1])} ", folded))
    return tuple(joined(read_folded(folded), shorter_than=2))


@lru_cache(maxsize=256)
def _clauses(answer: str) -> tuple[_Clause, ...]:
    found = (_Clause(_tokens(clause.text), clause.asks) for clause in clauses(words_of(answer)))
    return tuple(clause for clause in found if clause.tokens)


def _without_article(tokens: tuple[str, ...]) -> tuple[str, ...]:
    return tokens[1:] if len(tokens) > 1 and tokens[0] in _ARTICLES else tokens


def _places(tokens: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
    n = len(wanted)
    for start in range(len(tokens) - n + 1):
        if all(_is_equal(tokens, start + at, word) for at, word in enumerate(wanted)):
            yield start, start + n


def _is_equal(tokens: Sequence[str], at: int, wanted: str) -> bool:
    """Equal but for an apostrophe or a genitive; the day of a date is also a cardinal."""
    token = tokens[at]
    if token == wanted:
        return True
    if "'" in token or "'" in wanted:
        return token.replace("'", "") == wanted.replace("'", "") or token.removesuffix("'s") == wanted.removesuffix(
            "'s"
        )
    return at > 0 and tokens[at - 1] in MONTHS and is_integer(wanted) and token == ordinal(wanted)


def _digit_runs(tokens: Sequence[str]) -> set[str]:
    """Integers that stand next to each other, as one: a whole run, never a part of one."""
    return {"".join(run) for is_run, run in groupby(tokens, key=is_integer) if is_run}
