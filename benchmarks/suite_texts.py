"""Sentences and what a transcriber makes of them: data for ``suite.py``, the same from the same seed.

They hold what makes normalizing costly in the same measure as transcripts do: numbers in words, as digits and with
units, contractions, titles, British spellings, punctuation, fillers. Knows strings alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_WORDS: Mapping[str, Sequence[str]] = {
    slot: words.split()
    for slot, words in {
        "noun": "garden letter river kitchen meeting window market report village teacher doctor engine harbour colour "
        "theatre neighbour programme station picture question answer winter summer morning evening journey mountain "
        "bridge castle hospital library museum newspaper orchestra painter passenger recipe restaurant scientist storm "
        "sailor speech telephone ticket tower traveller umbrella university valley violin voice weather writer bicycle "
        "blanket bottle business candle carpet ceiling century chapter chemist cousin curtain customer daughter desert "
        "dinner drawer election factory farmer feather festival forest fortune friend furniture government guitar",
        "adjective": "old quiet famous grey narrow broken distant honest cheerful difficult ordinary remarkable silent "
        "wooden careful favourite foreign golden heavy hollow hungry jealous lonely modern nervous patient pleasant "
        "private proud rapid rural sensible simple stubborn sudden tired useful valuable weary young",
        "did": "found opened carried described visited remembered painted repaired organised recognised followed "
        "forgot measured mentioned noticed offered ordered prepared promised protected reached received refused "
        "replaced returned sold stopped supported watched wrote analysed borrowed bought",
        "place": "London Madrid Norway Egypt Chicago Lisbon Vienna Bristol Boston Kyoto Geneva Dublin Prague Toronto",
        "name": "Harris Singh Miller Okafor Jensen Rossi Novak Tanaka Murphy Bennett Keller Moreau Alvarez Lindgren",
        "first": "Anna Peter Maria Thomas Julia Daniel Sarah Robert Helen Martin Laura Victor Clara Simon",
        "when": "yesterday today tonight later afterwards again earlier soon twice finally together quickly slowly",
        "month": "January March April June July September October December",
        "ordinal": "first second third fourth fifth sixth seventh eighth ninth tenth twelfth twentieth 11th 16th 18th",
        "unit": "miles kilometres people pages pounds minutes tickets letters years degrees bottles",
        "title": "Mr. Mrs. Dr. Professor",
        "short": "didn't couldn't won't wouldn't hadn't isn't wasn't",
        "we": "I'm we'll they've she's he'd you're I've that's",
        "filler": "um uh mm hmm",
        "small": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen",
        "tens": "twenty thirty forty fifty sixty seventy eighty ninety",
    }.items()
}
_SENTENCES = (
    "The {adjective} {noun} in {place} {did} the {noun} of {title} {name} {when}.",
    "{first} {did} {number} {unit} near the {noun}, and the {noun} {did} a {adjective} {noun}.",
    "I {short} think that the {adjective} {noun} {did} {number} {unit} {when}.",
    "On the {ordinal} of {month} {first} {name} {did} every {noun} in the {noun}.",
    "{we} going to the {noun} because {title} {name} {did} it {when}, {first} said.",
    "Between {year} and {year} the {noun} of {place} {did} more than {number} {unit}.",
    "When the {noun} {did} the {noun}, {first} and {first} {did} a {adjective} {noun}.",
    "Why {short} the {noun} from {place} {did} at {time} by the {adjective} {noun}?",
    "The {noun} and the {noun} {did} {money} for the {adjective} {noun} in {month}.",
    "“{we} {adjective},” the {noun} {did}, but nobody in {place} {did} the {noun}.",
)


@dataclass(frozen=True)
class Pair:
    """What was spoken, and what was written down."""

    reference: str
    hypothesis: str


def number_words(n: int) -> str:
    """0 to 9,999 in words."""
    if n < 20:
        return _WORDS["small"][n]
    if n < 100:
        return _WORDS["tens"][n // 10 - 2] + (f"-{number_words(n % 10)}" if n % 10 else "")
    size, word = (1000, "thousand") if n >= 1000 else (100, "hundred")
    rest = n % size
    joined = "" if not rest else " and " if rest < 100 else " "
    return f"{number_words(n // size)} {word}{joined}{number_words(rest) if rest else ''}"


def _number(dice: random.Random) -> str:
    n = dice.choice((dice.randrange(1, 20), dice.randrange(1, 100), dice.randrange(100, 10_000)))
    return number_words(n) if dice.random() < 0.7 else f"{n:,}"


_MADE: Mapping[str, Callable[[random.Random], str]] = {
    "number": _number,
    "year": lambda dice: str(dice.randrange(1700, 2030)),
    "time": lambda dice: f"{dice.randrange(1, 13)}:{dice.randrange(10, 60)}",
    "money": lambda dice: (
        f"{number_words(dice.randrange(2, 1000))} dollars" if dice.random() < 0.5 else f"${dice.randrange(2, 1000)}"
    ),
}


class _Slots:
    """Fills the slots of a sentence as they come."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def __getitem__(self, slot: str) -> str:
        return self._dice.choice(_WORDS[slot]) if slot in _WORDS else _MADE[slot](self._dice)


def sentence(dice: random.Random) -> str:
    """One sentence of about twelve words, with capitals and punctuation."""
    return dice.choice(_SENTENCES).format_map(_Slots(dice))


def transcribed(spoken: str, dice: random.Random) -> str:
    """``spoken`` with a tenth of its words wrong, left out or added; in half of the cases in lower case and bare."""
    words = []
    for word in spoken.split():
        fate = dice.random()
        if fate < 0.06:
            words.append(dice.choice(_WORDS[dice.choice(("noun", "did", "adjective"))]))
        elif fate >= 0.085:
            words.append(word)
        if dice.random() < 0.02:
            words.append(dice.choice(_WORDS["filler"] if dice.random() < 0.5 else _WORDS["when"]))
    text = " ".join(words)
    return text if dice.random() < 0.5 else "".join(c for c in text.lower() if c.isalnum() or c in " '-$")


def pairs(n: int, seed: int) -> list[Pair]:
    """``n`` sentences, each with a transcript."""
    dice = random.Random(seed)
    spoken = [sentence(dice) for _ in range(n)]
    return [Pair(one, transcribed(one, dice)) for one in spoken]
