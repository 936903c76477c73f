"""Word edits that forgive words which are only split or joined: ``white paper`` and ``whitepaper`` are no error.

Two or more words that follow each other on one side may match one word on the other, as kaldialign's
``merge_compounds`` has it (0.12.0), which the Open ASR leaderboard scores with since 2026-06-11. Of all such alignments
one with the fewest errors is taken; all words of the reference count as its length, matched or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.text.alignment import Alignment, EditCounts, Segment, align_words

RECIPE = "merged_compounds@1"
"""Name and version of the rules in this file."""

_Words = Sequence[str]
_Cell = tuple[int, int]
"""Words of the reference and of the hypothesis so far."""


@dataclass(frozen=True)
class _Merges:
    """Where words may be merged: by the row (reference words so far), the cells before and behind each merge."""

    by_row: Mapping[int, Sequence[tuple[_Cell, _Cell]]]


def align_merging(reference: str, hypothesis: str) -> Alignment:
    """Align two texts word by word; a segment of merged words is ``equal``, and its sides differ by spaces alone."""
    ref, hyp = reference.split(), hypothesis.split()
    merges = _merges(ref, hyp)
    if not merges.by_row:
        return align_words(reference, hypothesis)
    segments = tuple(_joined(_backwards(ref, hyp, _costs(ref, hyp, merges), merges)))
    return Alignment(_counted(segments), segments)


def _merges(ref: _Words, hyp: _Words) -> _Merges:
    found: dict[int, list[tuple[_Cell, _Cell]]] = defaultdict(list)
    for first, last, at in _joins(ref, hyp):
        found[last].append(((first, at), (last, at + 1)))
    for first, last, at in _joins(hyp, ref):
        found[at + 1].append(((at, first), (at + 1, last)))
    return _Merges(found)


def _joins(parts: _Words, wholes: _Words) -> Iterator[tuple[int, int, int]]:
    """Yield where ``parts`` begin and end (exclusive) that joined are a word of ``wholes``, and the place of that."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(wholes):
        places[word].append(at)
    longest = max(map(len, wholes), default=0)
    for first in range(len(parts)):
        joined = parts[first]
        for last in range(first + 1, len(parts)):
            joined += parts[last]
            if len(joined) > longest:
                break
            for at in places.get(joined, ()):
                yield first, last + 1, at


def _costs(ref: _Words, hyp: _Words, merges: _Merges) -> npt.NDArray[np.int32]:
    """Fewest errors by words of both sides so far, shape (reference + 1, hypothesis + 1)."""
    ids = {word: at for at, word in enumerate(dict.fromkeys((*ref, *hyp)))}
    hyp_ids = np.array([ids[word] for word in hyp], dtype=np.int32)
    steps = np.arange(len(hyp) + 1, dtype=np.int32)
    costs = np.empty((len(ref) + 1, len(hyp) + 1), dtype=np.int32)
    costs[0] = steps
    for row, word in enumerate(ref, 1):
        best = costs[row - 1] + 1
        best[1:] = np.minimum(best[1:], costs[row - 1, :-1] + (hyp_ids != ids[word]))
        for before, (_, behind) in merges.by_row.get(row, ()):
            best[behind] = min(best[behind], costs[before])
        # Insertions: from the cheapest cell to the left, one error a word.
        costs[row] = np.minimum.accumulate(best - steps) + steps
    return costs


def _backwards(ref: _Words, hyp: _Words, costs: npt.NDArray[np.int32], merges: _Merges) -> list[Segment]:
    """The segments of one cheapest alignment, in order; equal words and merges before other edits."""
    merged = {
        behind: before for row in merges.by_row.values() for before, behind in row if costs[before] == costs[behind]
    }
    found: list[Segment] = []
    row, column = len(ref), len(hyp)
    while row or column:
        cost = costs[row, column]
        if row and column and ref[row - 1] == hyp[column - 1] and costs[row - 1, column - 1] == cost:
            before = (row - 1, column - 1)
        elif (row, column) in merged:
            before = merged[row, column]
        elif row and column and costs[row - 1, column - 1] + 1 == cost:
            before = (row - 1, column - 1)
        elif row and costs[row - 1, column] + 1 == cost:
            before = (row - 1, column)
        else:
            before = (row, column - 1)
        found.append(_segment(ref[before[0] : row], hyp[before[1] : column]))
        row, column = before
    return found[::-1]


def _segment(ref: _Words, hyp: _Words) -> Segment:
    if not hyp:
        return Segment("delete", ref[0], "")
    if not ref:
        return Segment("insert", "", hyp[0])
    is_equal = "".join(ref) == "".join(hyp)
    return Segment("equal" if is_equal else "substitute", " ".join(ref), " ".join(hyp))


def _joined(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Runs of equal words as one segment; merged words stay by themselves."""
    run: list[str] = []
    for one in segments:
        if one.op == "equal" and one.ref == one.hyp:
            run.append(one.ref)
            continue
        if run:
            yield Segment("equal", " ".join(run), " ".join(run))
            run = []
        yield one
    if run:
        yield Segment("equal", " ".join(run), " ".join(run))


def _counted(segments: Sequence[Segment]) -> EditCounts:
    hits = sum(len(one.ref.split()) for one in segments if one.op == "equal")
    ops = [one.op for one in segments]
    return EditCounts(hits, ops.count("substitute"), ops.count("delete"), ops.count("insert"))
