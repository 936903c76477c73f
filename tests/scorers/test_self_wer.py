"""What is said against what is written, whatever was right."""

from __future__ import annotations

import pytest

from tttbench.core.records import Sample
from tttbench.core.scorer import Answer
from tttbench.scorers import SELF_WER

SAMPLE = Sample(id="a", kind="qa", audio=None, reference="Paris")


@pytest.mark.parametrize(
    ("text", "heard", "errors", "words"),
    [
        ("It is Rome.", "it is rome", 0, 3),
        ("It is Rome.", "it was Rome", 1, 3),
        ("It is Rome.", "", 3, 3),
        ("It is Rome.", "it is in Rome", 1, 3),
    ],
)
def test_edits_between_text_and_speech_by_hand(text: str, heard: str, errors: int, words: int) -> None:
    score = SELF_WER.score(SAMPLE, Answer(text, heard, judge="ears 1"))
    assert (score.numerator, score.denominator) == (errors, words)
    assert score.metric == "self_wer"
    assert score.recipe.startswith("self_wer-1; ")
    assert score.recipe.endswith("; judge: ears 1")


def test_what_was_not_transcribed_counts_as_not_said_and_says_so() -> None:
    score = SELF_WER.score(SAMPLE, Answer("It is Rome.", None, "judge_failed"))
    assert (score.status, score.numerator) == ("judge_failed", 3)


def test_an_answer_that_writes_nothing_has_nothing_to_say() -> None:
    score = SELF_WER.score(SAMPLE, Answer("", "it is Rome"))
    assert (score.status, score.denominator) == ("empty", 0)


def test_an_error_counts_its_words_if_there_are_any() -> None:
    assert SELF_WER.score(SAMPLE, Answer("", None, "error")).status in ("error", "empty")
    assert SELF_WER.lower_is_better
    assert SELF_WER.needs_heard
