"""Which of Whisper's languages a tag names."""

from __future__ import annotations

import pytest

from tttbench.core.errors import InputError
from tttbench.systems.whisper.languages import is_english_only, language_of

NAMED = {
    "en": ["en", "en-US", "EN"],
    "zh": ["zh", "zh-TW", "zh-Hans-CN", "cmn", "cmn_hans_cn"],
    "no": ["nb-NO", "no"],
    "nn": ["nn"],
    "tl": ["fil", "tl"],
    "jw": ["jv"],
    "he": ["iw", "he"],
    # Nothing is said, so it is detected.
    "": ["", "und", "mul", "zxx", "und-Latn"],
}


@pytest.mark.parametrize(("tag", "code"), [(tag, code) for code, tags in NAMED.items() for tag in tags])
def test_a_tag_names_a_language(tag: str, code: str) -> None:
    assert language_of(tag, "base", 99) == code


@pytest.mark.parametrize("tag", ["", "en", "en-GB", "und"])
def test_english_only_models_take_what_may_be_english(tag: str) -> None:
    assert language_of(tag, "tiny.en", 99) == "en"


def test_other_languages_are_refused_by_english_only_models() -> None:
    with pytest.raises(InputError, match=r"^whisper:small\.en transcribes English only, not 'de'; .* whisper:base\.$"):
        language_of("de", "small.en", 99)


def test_languages_that_the_model_does_not_know_are_refused() -> None:
    assert language_of("yue", "large-v3", 100) == "yue"
    with pytest.raises(InputError, match=r"^whisper:base doesn't know the language 'yue'; use whisper:large-v3, or"):
        language_of("yue", "base", 99)
    with pytest.raises(InputError, match=r"'tlh'; give an ISO 639-1 code, e\.g\. 'de', or 'und' to have it detected"):
        language_of("tlh", "base", 99)


@pytest.mark.parametrize(("model", "english"), [("tiny.en", True), ("base", False), ("large-v3-turbo", False)])
def test_the_name_says_whether_a_model_knows_english_alone(model: str, english: bool) -> None:
    assert is_english_only(model) == english
