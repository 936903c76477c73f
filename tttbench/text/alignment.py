"""Edits between a reference and a hypothesis, by word or by character, with the alignment to show. Knows strings.

jiwer (RapidFuzz) finds the minimal edits; an empty reference is ordinary here: all insertions, a rate of nan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Literal

Op = Literal["equal", "substitute", "delete", "insert"]


@dataclass(frozen=True)
class EditCounts:
    """Units (words or characters) by what became of them."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_units(self) -> int:
        """Length of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Edits per reference unit; nan for an empty reference."""
        return self.errors / self.reference_units if self.reference_units else float("nan")

    def __add__(self, other: EditCounts) -> EditCounts:
        """Return the counts of both together (corpus level)."""
        return EditCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


NO_EDITS = EditCounts(0, 0, 0, 0)


@dataclass(frozen=True)
class Segment:
    """One step of an alignment. The side that has nothing is "" (``ref`` of an insertion, ``hyp`` of a deletion).

    An ``equal`` segment holds a whole run of units; the others hold one unit a side by word, and a run by character.
    """

    op: Op
    ref: str
    hyp: str


@dataclass(frozen=True)
class Alignment:
    """The edits that turn the reference into the hypothesis; segments in order reproduce both texts."""

    counts: EditCounts
    segments: tuple[Segment, ...]

    def as_json(self) -> list[dict[str, str]]:
        """Return the segments as plain values: ``[{"op": …, "ref": …, "hyp": …}, …]``."""
        return [{"op": segment.op, "ref": segment.ref, "hyp": segment.hyp} for segment in self.segments]


def align_words(reference: str, hypothesis: str) -> Alignment:
    """Align two texts word by word; words are what white space separates."""
    ref, hyp = reference.split(), hypothesis.split()
    counts, chunks = _edits(ref, hyp)
    segments: list[Segment] = []
    for op, ref_units, hyp_units in chunks:
        if op == "equal":
            segments.append(Segment(op, " ".join(ref_units), " ".join(hyp_units)))
        else:
            segments += [Segment(op, r, h) for r, h in zip_longest(ref_units, hyp_units, fillvalue="")]
    return Alignment(counts, tuple(segments))


def align_characters(reference: str, hypothesis: str) -> Alignment:
    """Align two texts character by character; white space counts as written."""
    counts, chunks = _edits(list(reference), list(hypothesis))
    return Alignment(counts, tuple(Segment(op, "".join(r), "".join(h)) for op, r, h in chunks))


_Chunk = tuple[Op, list[str], list[str]]


def _edits(ref: list[str], hyp: list[str]) -> tuple[EditCounts, list[_Chunk]]:
    if not ref or not hyp:
        counts = EditCounts(0, 0, len(ref), len(hyp))
        op: Op = "delete" if ref else "insert"
        return counts, [(op, ref, hyp)] if ref or hyp else []
    output = _process_units()(ref, hyp)
    counts = EditCounts(output.hits, output.substitutions, output.deletions, output.insertions)
    return counts, [
        (chunk.type, ref[chunk.ref_start_idx : chunk.ref_end_idx], hyp[chunk.hyp_start_idx : chunk.hyp_end_idx])
        for chunk in output.alignments[0]
    ]


@lru_cache(maxsize=1)
def _process_units() -> Callable[[list[str], list[str]], Any]:
    """Return jiwer's edit routine for units that are already apart; imported on first use to keep ``--help`` quick."""
    import jiwer

    class Units(jiwer.AbstractTransform):
        """Hands one list of units through as jiwer's one sentence."""

        def __call__(self, sentences: Any) -> Any:
            return sentences

    units = Units()

    def process(ref: list[str], hyp: list[str]) -> Any:
        return jiwer.process_words([ref], [hyp], units, units)  # type: ignore[list-item]  # units, not sentences

    return process
