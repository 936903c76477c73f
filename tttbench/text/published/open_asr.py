"""The English normal forms of the Open ASR leaderboard, by date (huggingface/open_asr_leaderboard, Apache-2.0).

They are Whisper's with spellings put right (since 2025-09-11, commit 6a3e6d4), with names, acronyms and more fillers
(since 2026-04-24, commit b2eea90), and with listed compounds and genitives left alone (since 2026-06-11, commit
6962cd2; one spelling more since 2026-07-08, commit f51b134; unchanged by 2026-08-21, commit d1e99b2). Since 2026-06-11
words that are only split or joined are no errors either: that is the alignment's part (``tttbench.text.compounds``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from tttbench.text.published.open_asr_names import NAMES
from tttbench.text.published.whisper import (
    FILLERS,
    drop_words,
    look_up,
    parts,
    replace_patterns,
    without_brackets,
    without_punctuation,
    without_stray_signs,
)
from tttbench.text.steps import Step, register_steps

PACKAGE = "whisper-normalizer"

_MORE_FILLERS = "ah aha ahh ahm eh ehehe em hm huh hum mhum uhm umm uhuh".split()
_RIGHTED = {
    "archaeology": "archeology",
    "archaeological": "archeological",
    "cancellation": "cancelation",
    "cancellations": "cancelations",
    "pummelled": "pummeled",
    "pummelling": "pummeling",
    "snowploughs": "snowplows",
    "travelogue": "travelog",
    "travelogues": "travelogs",
    "mm": "hmm",  # of 5mm, which becomes "5 mm"
}
"""Spellings that Whisper's table has wrong, or the other way round."""
_TURNED_ROUND = ("archeological", "cancelation", "cancelations", "travelog", "travelogs")
"""Words that only Whisper's table replaces."""
_MORE_SPELLINGS = {"ok": "okay", "kay": "okay", "etcetera": "etc", "flyer": "flier"}
_GENITIVE = r"'s\b"
_ABBREVIATED_IS = (r"\b(it|he|she|what|that|who|here|there|how|when|where|why|this)'s\b", r"\1 is")
_JOINED = "wi fi, hi fi, lo fi, sci fi, e mail, e book, e commerce, x ray, t shirt"
"""Words that are one: what stands behind ``=``, or both without the space. One may make another: in this order."""
_ALL_JOINED = f"et cetera=etc, al right=alright, all right=alright, how ever, {_JOINED}, a m, p m, o k=okay"


def _spellings() -> dict[str, str]:
    table = {**parts().spellings, **_RIGHTED}
    return {word: spelled for word, spelled in table.items() if word not in _TURNED_ROUND}


def _compounds(listed: str) -> Iterator[tuple[str, str]]:
    for one in listed.split(", "):
        words, _, written = one.partition("=")
        first, second = words.split()
        yield rf"\b{first}\s+{second}\b", written or first + second


def join_letters(text: str) -> str:
    """Join runs of single letters and digits, ``b b c`` is ``bbc``; with an ``a`` or ``i`` only runs of three.

    White space between words becomes single.
    """
    found: list[str] = []
    for single, group in groupby(text.split(), key=lambda word: len(word) == 1 and word.isalnum()):
        run = list(group)
        fewest = 3 if not {"a", "i"}.isdisjoint(run) else 2
        found += ["".join(run)] if single and len(run) >= fewest else run
    return " ".join(found)


def _steps(
    fillers: Sequence[str], contractions: Mapping[str, str], spellings: Mapping[str, str], compounds: str
) -> Iterator[Step]:
    yield Step("lower case", str.lower)
    yield Step("brackets and what is in them out", without_brackets)
    yield Step(f"fillers out (uh, um … {fillers[-1]})", drop_words(fillers))
    kept = "" if _GENITIVE in contractions else ", genitives kept"
    yield Step(f"contractions and titles in full{kept}", replace_patterns(contractions))
    yield Step("punctuation and accents out", without_punctuation)
    if compounds:
        yield Step("listed compounds joined (wi fi, e mail)", replace_patterns(dict(_compounds(compounds))))
    yield Step("numbers in digits", parts().read_numbers)
    yield Step("American spelling, slips of Whisper's table put right", look_up(spellings))
    if compounds:
        yield Step("spellings of names made one", look_up(NAMES))
        yield Step("single letters joined (b b c)", join_letters)
    yield Step("signs without a number out", without_stray_signs)


@register_steps(
    "open-asr-2025-09", version=1, package=PACKAGE, summary="Open ASR leaderboard, from 2025-09-11: spellings put right"
)
def open_asr_2025_09() -> Sequence[Step]:
    """Return the steps that were in force from 2025-09-11 to 2026-04-21."""
    return tuple(_steps(FILLERS, parts().contractions, _spellings(), ""))


@register_steps(
    "open-asr-2026-04", version=1, package=PACKAGE, summary="Open ASR leaderboard, from 2026-04-24: names, acronyms"
)
def open_asr_2026_04() -> Sequence[Step]:
    """Return the steps that were in force from 2026-04-24 to 2026-06-10."""
    return tuple(_steps((*FILLERS, *_MORE_FILLERS), parts().contractions, _spellings(), _JOINED))


@register_steps(
    "open-asr-2026-07", version=1, package=PACKAGE, summary="Open ASR leaderboard, from 2026-07-08: genitives kept"
)
def open_asr_2026_07() -> Sequence[Step]:
    """Return the steps that are in force since 2026-07-08."""
    contractions = dict(
        _ABBREVIATED_IS if pattern == _GENITIVE else (pattern, written)
        for pattern, written in parts().contractions.items()
    )
    spellings = {**_spellings(), **_MORE_SPELLINGS}
    return tuple(_steps((*FILLERS, *_MORE_FILLERS), contractions, spellings, _ALL_JOINED))
