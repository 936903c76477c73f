"""Words that are written in several ways: contractions, titles, abbreviations, British spellings, fillers."""

from __future__ import annotations

from functools import lru_cache

FILLERS = frozenset({"hmm", "hm", "mm", "mhm", "mmm", "uh", "um", "uhm", "erm"})

_SAME = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "prof": "professor",
    "capt": "captain",
    "lt": "lieutenant",
    "col": "colonel",
    "gen": "general",
    "sen": "senator",
    "gov": "governor",
    "rev": "reverend",
    "sgt": "sergeant",
    "jr": "junior",
    "sr": "senior",
    "esq": "esquire",
    "asst": "assistant",
    "ave": "avenue",
    "blvd": "boulevard",
    "mt": "mount",
    "vs": "versus",
    "okay": "ok",
    "etcetera": "etc",
    # "St." is either, and both are "st".
    "saint": "st",
    "street": "st",
}
_LONGER = {
    "cannot": ("can", "not"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "gotta": ("got", "to"),
    "gimme": ("give", "me"),
    "lemme": ("let", "me"),
    "imma": ("i", "am", "going", "to"),
    "i'ma": ("i", "am", "going", "to"),
    "kinda": ("kind", "of"),
    "sorta": ("sort", "of"),
    "dunno": ("do", "not", "know"),
    "woulda": ("would", "have"),
    "coulda": ("could", "have"),
    "shoulda": ("should", "have"),
    "won't": ("will", "not"),
    "can't": ("can", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "n't": ("not",),
    "let's": ("let", "us"),
    "y'all": ("you", "all"),
    "ma'am": ("madam",),
    "o'clock": ("oclock",),
    "rock'n'roll": ("rock", "and", "roll"),
    "alright": ("all", "right"),
    "wwi": ("world", "war", "1"),
    "wwii": ("world", "war", "2"),
}
_SUFFIXES = {"n't": "not", "'re": "are", "'ll": "will", "'ve": "have", "'m": "am", "'d": "would"}
_IS = frozenset(
    (
        "it he she that this what who where there here how when why everything nothing something everybody nobody "
        "somebody everyone someone"
    ).split()
)
"""Words whose ``'s`` is "is". Of others it is mostly the genitive, which stays."""


@lru_cache(maxsize=1)
def _american() -> dict[str, str]:
    """British spellings, from Whisper's table."""
    from whisper_normalizer.english import EnglishSpellingNormalizer

    table: dict[str, str] = EnglishSpellingNormalizer().mapping
    return {british: american for british, american in table.items() if british.isalpha() and american.isalpha()}


# A language has few words, which come again and again.
@lru_cache(maxsize=65_536)
def forms(word: str) -> tuple[str, ...]:
    """Return what stands for a folded word: mostly itself; several words, or none for a filler."""
    if word.isalpha():
        if word in FILLERS:
            return ()
        return _LONGER.get(word) or (_SAME.get(word) or _american().get(word, word),)
    bare = word.strip("'")
    if bare != word:
        return forms(bare) if bare else ()
    if "'" not in word:
        return (word,)
    if word in _LONGER:
        return _LONGER[word]
    for suffix, expanded in _SUFFIXES.items():
        if word.endswith(suffix) and len(word) > len(suffix):
            return (*forms(word[: -len(suffix)]), expanded)
    stem = word.removesuffix("'s")
    if stem != word and stem in _IS:
        return (*forms(stem), "is")
    return (word,)
