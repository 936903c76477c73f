"""Presets make of texts what the published code makes of them.

``published_outputs.json`` was written by that code, side by side with ours: the commits stand in the modules of
``tttbench.text.published``; kaldialign was 0.12.0, sacreBLEU 2.6.0, Zhon 2.1.1.
"""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.plugins import normalizers
from tttbench.text.alignment import Alignment, Segment, align_words
from tttbench.text.compounds import align_merging
from tttbench.text.steps import steps_of, stepwise

from .test_normalizers import WORDS

OUTPUTS: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("published_outputs.json").read_text(encoding="utf-8")
)
MERGED = OUTPUTS.pop("compounds=merged")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_preset_is_what_the_published_code_makes(name: str) -> None:
    normalize = normalizers.get(name).normalize
    examples = OUTPUTS[name]
    assert len(examples) >= 50
    assert {text: words(normalize(text)) for text in examples} == {text: words(out) for text, out in examples.items()}


def test_every_published_form_is_compared() -> None:
    ours = {"whisper-en", "digits"}
    assert set(OUTPUTS) == set(stepwise()) - ours


def test_merged_compounds_are_kaldialigns() -> None:
    pairs = {pair: tuple(map(str.strip, pair.split("|"))) for pair in MERGED}
    found = {pair: str(align_merging(ref, hyp).counts.errors) for pair, (ref, hyp) in pairs.items()}
    assert found == MERGED
    assert len(set(found.values())) > 4


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_whispers_steps_make_whispers_normal_form(text: str) -> None:
    assert reduce(lambda form, step: step.apply(form), steps_of("whisper-en"), text) == normalizers.get(
        "whisper-en"
    ).normalize(text)


def test_what_is_not_made_of_steps_has_none() -> None:
    assert steps_of("raw") == ()
    assert [step.name for step in steps_of("seed-tts")] == ["punctuation out but for apostrophes", "lower case"]


def test_merged_words_are_shown_as_equal() -> None:
    found = align_merging("the white paper be came law", "a whitepaper became law now")
    assert found.segments == (
        Segment("substitute", "the", "a"),
        Segment("equal", "white paper", "whitepaper"),
        Segment("equal", "be came", "became"),
        Segment("equal", "law", "law"),
        Segment("insert", "", "now"),
    )
    assert (found.counts.errors, found.counts.reference_units) == (2, 6)


PIECES = st.lists(st.sampled_from(["a", "b", "ab", "aab", "ba"]), max_size=7)


@given(PIECES, PIECES)
def test_merging_never_counts_more_and_loses_no_word(ref: list[str], hyp: list[str]) -> None:
    reference, hypothesis = " ".join(ref), " ".join(hyp)
    found, plain = align_merging(reference, hypothesis), align_words(reference, hypothesis)
    assert found.counts.errors <= plain.counts.errors
    assert found.counts.reference_units == len(ref)
    assert sides(found) == (reference, hypothesis)
    assert align_merging(hypothesis, reference).counts.errors == found.counts.errors


def sides(of: Alignment) -> tuple[str, str]:
    return " ".join(one.ref for one in of.segments if one.ref), " ".join(one.hyp for one in of.segments if one.hyp)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("four oh seven", "4 0 7"),
        ("407", "4 0 7"),
        ("double five, triple 0", "5 5 0 0 0"),
        ("My number is 555-0199.", "my number is 5 5 5 0 1 9 9"),
        ("three point five", "3 . 5"),
    ],
)
def test_digits_are_words(text: str, digits: str) -> None:
    assert normalizers.get("digits").normalize(text) == digits
