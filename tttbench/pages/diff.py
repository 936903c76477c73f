"""Word-level differences for the eye: what should stand there against what stands there, in the form that was scored.

Where no score tells the form, words are compared without case and punctuation and shown as they stand.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tttbench.scorers.normal_form import NormalForm

from .view import DiffChunk, DiffOp

_TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\s\u3400-\u9fff\uf900-\ufaff]+")
"""A word, or one Chinese character."""

_OPS: dict[str, DiffOp] = {"equal": "equal", "delete": "delete", "insert": "insert", "substitute": "substitute"}


def word_diff(expected: str, given: str, form: NormalForm | None = None) -> tuple[DiffChunk, ...]:
    """Align two texts word by word with the fewest edits; adjacent words of one fate share a chunk.

    Args:
        expected, given: as they were written or transcribed.
        form: brings both into the form in which they are compared and shown.
    """
    import jiwer

    if form is None:
        left, right = _words(expected), _words(given)
        left_keys, right_keys = [_key(word) for word in left], [_key(word) for word in right]
    else:
        left_keys, right_keys = left, right = _TOKEN.findall(form(expected)), _TOKEN.findall(form(given))
    if not left or not right:
        chunks = [DiffChunk("delete", " ".join(left), "")] if left else []
        return (*chunks, *([DiffChunk("insert", "", " ".join(right))] if right else []))
    if left_keys == right_keys:
        return (DiffChunk("equal", " ".join(left), " ".join(right)),)
    output = jiwer.process_words(" ".join(left_keys), " ".join(right_keys))
    found = []
    for chunk in output.alignments[0]:
        found.append(
            DiffChunk(
                _OPS[chunk.type],
                " ".join(left[chunk.ref_start_idx : chunk.ref_end_idx]),
                " ".join(right[chunk.hyp_start_idx : chunk.hyp_end_idx]),
            )
        )
    return tuple(found)


def _words(text: str) -> list[str]:
    """Words and characters in order; bare punctuation sticks to the word before it."""
    words: list[str] = []
    for token in _TOKEN.findall(text):
        if _key(token):
            words.append(token)
        elif words:
            words[-1] += token
    return words


# A run holds few different words very often.
@lru_cache(maxsize=65_536)
def _key(word: str) -> str:
    """What counts in comparing: letters, digits and marks, case folded; empty for bare punctuation."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LNM" or c in "%+€$£°")
