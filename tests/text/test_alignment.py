"""Alignments: minimal edits, and segments that give both texts back."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.text.alignment import NO_EDITS, Alignment, EditCounts, Segment, align_characters, align_words

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=8).map(" ".join)


def edit_distance(ref: tuple[str, ...], hyp: tuple[str, ...]) -> int:
    """The textbook recursion."""

    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (ref[i - 1] != hyp[j - 1]))

    return distance(len(ref), len(hyp))


def test_words_hand_worked() -> None:
    alignment = align_words("the cat sat on the mat", "the hat sat the mat now")
    assert alignment.counts == EditCounts(hits=4, substitutions=1, deletions=1, insertions=1)
    assert alignment.as_json() == [
        {"op": "equal", "ref": "the", "hyp": "the"},
        {"op": "substitute", "ref": "cat", "hyp": "hat"},
        {"op": "equal", "ref": "sat", "hyp": "sat"},
        {"op": "delete", "ref": "on", "hyp": ""},
        {"op": "equal", "ref": "the mat", "hyp": "the mat"},
        {"op": "insert", "ref": "", "hyp": "now"},
    ]


def test_equal_words_are_one_segment_and_others_one_each() -> None:
    assert align_words("a b c d", "a b x y").segments == (
        Segment("equal", "a b", "a b"),
        Segment("substitute", "c", "x"),
        Segment("substitute", "d", "y"),
    )


def test_characters_hand_worked() -> None:
    alignment = align_characters("kitten", "sitting")
    assert alignment.counts == EditCounts(hits=4, substitutions=2, deletions=0, insertions=1)
    assert alignment.segments[1] == Segment("equal", "itt", "itt")


@pytest.mark.parametrize("align", [align_words, align_characters])
def test_empty_sides(align: Callable[[str, str], Alignment]) -> None:
    assert align("", "").counts == EditCounts(0, 0, 0, 0)
    assert align("", "a").counts == EditCounts(0, 0, 0, 1)
    assert align("a", "").counts == EditCounts(0, 0, 1, 0)
    assert align("", "").segments == ()
    assert align("", "a").segments == (Segment("insert", "", "a"),)
    assert align("a", "").segments == (Segment("delete", "a", ""),)


def test_words_that_stand_on_one_side_alone_are_a_segment_each() -> None:
    assert align_words("a b", "").segments == (Segment("delete", "a", ""), Segment("delete", "b", ""))
    assert align_words("x", "a b x").segments == (
        Segment("insert", "", "a"),
        Segment("insert", "", "b"),
        Segment("equal", "x", "x"),
    )
    assert align_words("a b x", "x").counts == EditCounts(hits=1, substitutions=0, deletions=2, insertions=0)


def test_characters_that_differ_are_a_run() -> None:
    assert align_characters("abx", "x").segments == (Segment("delete", "ab", ""), Segment("equal", "x", "x"))
    assert align_characters("ab x", "cd x").segments == (
        Segment("substitute", "ab", "cd"),
        Segment("equal", " x", " x"),
    )


def test_counts_add_up_kind_by_kind() -> None:
    counts = EditCounts(hits=5, substitutions=1, deletions=2, insertions=4)
    assert (counts.errors, counts.reference_units, counts.rate) == (7, 8, 7 / 8)
    assert counts + EditCounts(10, 20, 30, 40) == EditCounts(15, 21, 32, 44)
    assert EditCounts(0, 0, 0, 0) == NO_EDITS
    assert math.isnan(EditCounts(0, 0, 0, 3).rate)


@given(WORDS, WORDS)
def test_edits_are_minimal(ref: str, hyp: str) -> None:
    assert align_words(ref, hyp).counts.errors == edit_distance(tuple(ref.split()), tuple(hyp.split()))


@given(WORDS, WORDS)
def test_word_segments_give_both_texts_back(ref: str, hyp: str) -> None:
    segments = align_words(ref, hyp).segments
    assert " ".join(s.ref for s in segments if s.ref) == ref
    assert " ".join(s.hyp for s in segments if s.hyp) == hyp


@given(st.text(max_size=12), st.text(max_size=12))
def test_character_segments_give_both_texts_back(ref: str, hyp: str) -> None:
    segments = align_characters(ref, hyp).segments
    assert "".join(s.ref for s in segments) == ref
    assert "".join(s.hyp for s in segments) == hyp


@given(WORDS, WORDS)
def test_counts_agree_with_lengths_and_segments(ref: str, hyp: str) -> None:
    alignment = align_words(ref, hyp)
    counts = alignment.counts
    assert counts.reference_units == len(ref.split())
    assert counts.hits + counts.substitutions + counts.insertions == len(hyp.split())
    by_op = {op: [s for s in alignment.segments if s.op == op] for op in ("equal", "substitute", "delete", "insert")}
    assert counts.hits == sum(len(s.ref.split()) for s in by_op["equal"])
    assert all(s.ref == s.hyp for s in by_op["equal"])
    assert all(s.ref != s.hyp for s in by_op["substitute"])
    assert (counts.substitutions, counts.deletions, counts.insertions) == tuple(
        len(by_op[op]) for op in ("substitute", "delete", "insert")
    )
