"""Integers in words, cardinal or ordinal: "one hundred and two" is 102, "twenty first" 21st. Knows lists of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_BELOW_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_ORDINALS_BELOW_TWENTY = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

BELOW_TWENTY: Mapping[str, int] = {word: value for value, word in enumerate(_BELOW_TWENTY)}
TENS: Mapping[str, int] = {word: 10 * value for value, word in enumerate(_TENS, 2)}
SCALES: Mapping[str, int] = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12, "quadrillion": 15}
"""Words that multiply what stands before them, by the zeros that they append."""

_ORDINALS: Mapping[str, str] = {
    **dict(zip(_ORDINALS_BELOW_TWENTY, _BELOW_TWENTY, strict=True)),
    **{f"{word[:-1]}ieth": word for word in _TENS},
    **{f"{word}th": word for word in ("hundred", *SCALES)},
}
"""Ordinals by their cardinals."""

NUMBER_WORDS = frozenset({*BELOW_TWENTY, *TENS, *SCALES, *_ORDINALS, "hundred"})


@dataclass(frozen=True)
class Integer:
    """A number that was read: its value, the index behind its last word, and whether that word was an ordinal."""

    value: int
    end: int
    is_ordinal: bool


def read_integer(tokens: Sequence[str], start: int) -> Integer | None:
    """Read the longest integer that begins at ``start``; None if there is none.

    "A" before "hundred" or a scale is one, and "and" may stand before the rest. What can't continue a number begins
    another: "one two" is 1 and 2, "one hundred and two hundred" 100 and 200.
    """
    return _Reader(tokens).integer(start)


class _Reader:
    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens

    def integer(self, start: int) -> Integer | None:
        """Groups below 10,000, each with a smaller scale than the one before."""
        total, at, smallest = 0, start, max(SCALES.values()) + 3
        found: Integer | None = None
        while True:
            after_and = at + 1 if found and self._word(at) == "and" else at
            group = self.group(after_and, may_be_a=found is None)
            if group is None or (found and group.value >= 10**smallest):
                return found
            zeros = None if group.is_ordinal else SCALES.get(self._word(group.end))
            if zeros is None:
                return Integer(total + group.value, group.end, group.is_ordinal)
            if zeros >= smallest:  # the scale belongs to the next number, and so does what it multiplies
                return found
            total, at, smallest = total + group.value * 10**zeros, group.end + 1, zeros
            found = Integer(total, at, self._is_ordinal(group.end))
            if found.is_ordinal:
                return found

    def group(self, at: int, *, may_be_a: bool) -> Integer | None:
        """What a scale can multiply: up to 99 hundreds and what is below a hundred."""
        if self._tokens[at : at + 1] in (["a"], ["an"]):
            multiplied = self._word(at + 1) == "hundred" or self._word(at + 1) in SCALES
            first = Integer(1, at + 1, False) if may_be_a and multiplied else None
        else:
            first = self.below_hundred(at)
        if first is None or first.is_ordinal or first.value == 0 or self._word(first.end) != "hundred":
            return first
        hundreds = Integer(100 * first.value, first.end + 1, self._is_ordinal(first.end))
        if hundreds.is_ordinal:
            return hundreds
        rest = self.below_hundred(hundreds.end + (self._word(hundreds.end) == "and"))
        if rest is None or rest.value == 0 or self._word(rest.end) == "hundred":
            return hundreds
        return Integer(hundreds.value + rest.value, rest.end, rest.is_ordinal)

    def below_hundred(self, at: int) -> Integer | None:
        word = self._word(at)
        if (tens := TENS.get(word)) is None:
            value = BELOW_TWENTY.get(word)
            return None if value is None else Integer(value, at + 1, self._is_ordinal(at))
        ones = 0 if self._is_ordinal(at) or self._is_time(at) else BELOW_TWENTY.get(self._word(at + 1), 0)
        if 0 < ones < 10:
            return Integer(tens + ones, at + 2, self._is_ordinal(at + 1))
        return Integer(tens, at + 1, self._is_ordinal(at))

    def _word(self, at: int) -> str:
        """The word as a cardinal; ``""`` behind the last."""
        if at >= len(self._tokens):
            return ""
        return _ORDINALS.get(self._tokens[at], self._tokens[at])

    def _is_ordinal(self, at: int) -> bool:
        return self._tokens[at] in _ORDINALS

    def _is_time(self, at: int) -> bool:
        """Whether this is "a twenty second delay"."""
        return self._tokens[at + 1 : at + 2] == ["second"] and at > 0 and self._tokens[at - 1] in ("a", "an")
