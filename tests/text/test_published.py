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
from tttbench.text.chinese_numbers import read_numerals
from tttbench.text.compounds import align_merging
from tttbench.text.mixed import han_apart
from tttbench.text.published.chinese_spelled import by_value, digit_by_digit
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
    ours = {"whisper-en", "digits", "wetext"}
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


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("电话13800138000。", "电话一三八零零一三八零零零"),
        ("现在3:30", "现在三三十"),
        ("我有2个苹果", "我有二个苹果"),
        ("增长50%", "增长百分之五十"),
        ("其中3/4", "其中四分之三"),
        ("2024年3月5日", "二零二四年三月五日"),
        ("\uff11\uff12\uff13\uff21\uff22\uff23", "一百二十三\uff21\uff22\uff23"),
        ("\uffe512.5元", "\uffe5十二点五元"),
        ("共2002个", "共两千零二个"),
        ("编号2002", "编号二零零二"),
        ("B2C和O2O", "B2C和O2O"),
        ("10.05", "十点零五"),
    ],
)
def test_cn_tn_hand_worked(text: str, characters: str) -> None:
    assert normalizers.get("cn_tn").normalize(text) == characters


@given(st.integers(0, 10**9).map(str) | st.text("0123456789", min_size=1, max_size=70))
def test_numbers_are_spelled_digit_by_digit_or_by_value(number: str) -> None:
    digits = "零一二三四五六七八九"
    assert digit_by_digit(number) == "".join(digits[int(one)] for one in number)
    spelled = by_value(number)
    if 0 < int(number) < 10**12 and not number.startswith("0"):
        assert read_numerals(spelled) == number


def test_wetext_reads_more_and_needs_its_package() -> None:
    pytest.importorskip("wetext")
    normalize = normalizers.get("wetext").normalize
    assert normalize("我有2个苹果,3:30。") == "我有两个苹果三点三十分"
    assert normalize("电话13800138000") == "电话幺三八零零幺三八零零零"


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("我爱 Machine Learning!", "我 爱 machine learning"),
        ("共一百二十三人, one hundred and two", "共 123 人 102"),
        ("OK的", "ok 的"),
    ],
)
def test_mixed_text_is_han_characters_and_words(text: str, units: str) -> None:
    assert normalizers.get("mixed").normalize(text) == units
    assert words(han_apart(units)) == units
