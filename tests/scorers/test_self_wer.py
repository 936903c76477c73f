"""What is spoken against what is written, whatever was right."""

from __future__ import annotations

import math

import pytest

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.edit_rates import transcriber_errors

from .views import AUDIO, Seen, sample

SELF_WER = build_scorer(ScoreSpec("self_wer", "self_wer", {"transcriber": "ears"}))


def score(seen: Seen) -> Score:
    found = SELF_WER.score(sample("Paris"), seen)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "transcript", "errors", "words"),
    [
        ("It is Rome.", "it is rome", 0, 3),
        ("It is Rome.", "it was Rome", 1, 3),
        ("It is Rome.", "", 3, 3),
        ("It is Rome.", "it is in Rome", 1, 3),
    ],
)
def test_edits_between_text_and_speech_by_hand(text: str, transcript: str, errors: int, words: int) -> None:
    found = score(Seen(text, transcript))
    assert (found.numerator, found.denominator) == (errors, words)


def test_an_answer_counts_at_most_as_many_errors_as_it_has_words() -> None:
    seen = Seen("It is Rome.", "it was Rome and was Rome and was Rome")
    capped = score(seen)
    assert (capped.value, capped.numerator, capped.denominator) == (1.0, 3, 3)
    assert capped.detail["insertions"] == 6
    uncapped = build_scorer(ScoreSpec("self_wer", "all", {"transcriber": "ears", "cap": "none"}))
    found = uncapped.score(sample("Paris"), seen)
    assert found is not None
    assert (found.numerator, found.denominator) == (7, 3)
    assert (uncapped.recipe({}).scorer, uncapped.info.highest) == ("self_wer@1", None)


def test_another_cap_is_refused() -> None:
    with pytest.raises(UserError, match=r"self_wer:cap='3': must be words .* or none"):
        build_scorer(ScoreSpec("self_wer", "self_wer", {"cap": "3"}))


def test_its_recipe_names_the_transcriber() -> None:
    recipe = SELF_WER.recipe({"transcriber:ears": "ears 1"})
    assert (recipe.scorer, recipe.transcriber) == ("self_wer@2", "ears 1")


def test_what_was_not_transcribed_has_no_value_and_says_so() -> None:
    found = score(Seen("It is Rome.", spoken=True))
    assert (found.status, math.isnan(found.value), found.detail) == ("derivation_failed", True, {"error": "no power"})


def test_an_answer_that_writes_nothing_has_nothing_to_compare_with() -> None:
    found = score(Seen("", "it is Rome"))
    assert (found.status, found.denominator) == ("empty", 0)


@pytest.mark.parametrize("status", ["error", "unparsed"])
def test_what_went_wrong_stays_so_and_counts_as_silence(status: Status) -> None:
    found = score(Seen("It is Rome.", "It is Rome.", status=status))
    assert (found.status, found.numerator, found.denominator) == (status, 3, 3)
    assert score(Seen("", status=status)).status == status


def test_it_needs_the_transcript_of_what_was_spoken() -> None:
    (need,) = SELF_WER.needs(sample("Paris"), Seen("a", "a"))
    assert need == Need("transcriber:ears", audio_sha256=AUDIO.sha256)
    assert list(SELF_WER.needs(sample("Paris"), Seen("a"))) == []
    assert score(Seen("a b")).status == "empty"  # nothing was spoken


@pytest.mark.parametrize(
    ("language", "text", "transcript", "errors", "units"),
    [
        ("en", "It is Rome.", "it was Rome and was Rome", 4, 3),
        ("", "It is Rome.", "it is rome", 0, 3),
        ("zh", "我爱你。", "我爱他", 1, 3),
        ("cmn-Hans", "我爱你", "", 3, 3),
        ("yue", "佢哋喺度", "佢地喺度", 1, 4),
        ("yue-Hant-HK", "我哋有2个", "我哋有两个", 0, 5),
        ("de", "Es ist Köln.", "es ist kalt", 1, 3),
        # Japanese has no spaces, and a word of another script is one.
        ("ja-JP", "東京はいい街", "東京は古い街。", 1, 6),
        ("ja", "OpenAIの本", "openai の 木", 1, 3),
        ("th", "กขค", "กขง", 1, 3),
        ("ko", "서울은 좋다", "서울이 좋다", 1, 2),
    ],
)
def test_a_transcriber_s_own_errors_are_all_counted_by_word_or_character(
    language: str, text: str, transcript: str, errors: int, units: int
) -> None:
    scorer = transcriber_errors("ears", language)
    found = scorer.score(sample("Paris"), Seen(text, transcript))
    assert (found.numerator, found.denominator) == (errors, units)
    assert scorer.recipe({}).scorer == (
        "transcriber_cer@1" if language[:2] in ("zh", "cm", "yu", "ja", "th") else "transcriber_wer@1"
    )
