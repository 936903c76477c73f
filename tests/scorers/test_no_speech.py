"""What is written for clips in which nobody speaks."""

from __future__ import annotations

import math

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import Score, score_fault
from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.scorer import Scorer, ScoreSpec
from tttbench.scorers.aggregate import Cell, Scored, aggregate

from .views import Seen, sample

NAN = math.nan


def scorer(name: str, **options: str) -> Scorer:
    return build_scorer(ScoreSpec(name, name, options))


def parts(score: Score | None) -> tuple[float, float, float, Status]:
    assert score is not None
    return score.value, score.numerator, score.denominator, score.status


@pytest.mark.parametrize("reference", ["", "...", "[noise]", "(door noise) …"])
def test_words_are_counted_over_the_minutes_of_a_clip(reference: str) -> None:
    # Four words in half a minute.
    seen = Seen("Thank you for watching.", input_s=30.0)
    found = scorer("inserted_words").score(sample(reference), seen)
    assert parts(found) == (8.0, 4.0, 0.5, "ok")
    assert found is not None
    assert (found.detail["insertions"], found.detail["hypothesis"]) == (4, "thank you for watching")
    assert parts(scorer("clips_with_words").score(sample(reference), seen)) == (1.0, 1.0, 1.0, "ok")


@pytest.mark.parametrize("text", ["", " ", "...", "[music]"])
def test_silence_is_right(text: str) -> None:
    # As an answer of the run it is empty, or holds no word; in a clip without speech that's as it should be.
    seen = Seen(text, status="ok" if text.strip() else "empty", input_s=6.0)
    assert parts(scorer("inserted_words").score(sample(""), seen)) == (0.0, 0.0, 0.1, "ok")
    assert parts(scorer("clips_with_words").score(sample(""), seen)) == (0.0, 0.0, 1.0, "ok")


@pytest.mark.parametrize("status", ["error", "unparsed"])
def test_an_answer_that_isn_t_there_is_a_clip_with_words_and_in_no_rate(status: Status) -> None:
    seen = Seen("", status=status, input_s=6.0)
    assert parts(scorer("clips_with_words").score(sample(""), seen)) == (1.0, 1.0, 1.0, status)
    found = scorer("inserted_words").score(sample(""), seen)
    assert found is not None
    assert found.status == status
    assert all(map(math.isnan, (found.value, found.numerator, found.denominator)))


@pytest.mark.parametrize("name", ["inserted_words", "inserted_characters", "clips_with_words"])
def test_clips_with_speech_and_questions_without_an_answer_are_not_scored(name: str) -> None:
    assert scorer(name).score(sample("yes"), Seen("yes and no", input_s=6.0)) is None
    assert scorer(name).score(sample(), Seen("yes and no", input_s=6.0)) is None


def test_what_counts_as_a_word_is_the_normalizer_s_choice() -> None:
    seen = Seen("[noise]", input_s=60.0)
    assert parts(scorer("inserted_words").score(sample(""), seen))[0] == 0.0
    assert parts(scorer("inserted_words", normalizer="raw").score(sample(""), seen))[0] == 1.0
    assert scorer("inserted_words", recipe="raw").score(sample("[noise]"), seen) is None


def test_chinese_is_counted_by_characters() -> None:
    seen = Seen("谢谢观看。", input_s=60.0)
    assert parts(scorer("inserted_characters").score(sample("。"), seen)) == (4.0, 4.0, 1.0, "ok")
    assert parts(scorer("clips_with_words", of="cer_zh").score(sample("。"), seen)) == (1.0, 1.0, 1.0, "ok")
    with pytest.raises(UserError, match=r"clips_with_words:of=cerr: Did you mean 'cer_zh'"):
        scorer("clips_with_words", of="cerr")


def test_a_clip_of_no_length_has_no_rate() -> None:
    found = scorer("inserted_words").score(sample(""), Seen("you"))
    assert found is not None
    assert (math.isnan(found.value), found.denominator) == (True, 0.0)
    assert score_fault(found, scorer("inserted_words").info) == ""


def test_all_clips_together() -> None:
    # 5 words in 60 + 30 s; the third has no answer.
    seen = [Seen("thank you", input_s=60.0), Seen("for watching us", input_s=30.0), Seen("", status="error")]
    values: dict[str, list[float]] = {}
    for name in ("inserted_words", "clips_with_words"):
        made = scorer(name)
        scores = [made.score(sample(""), one) for one in seen]
        scored = [Scored(sample("", sample_id=str(at)), one) for at, one in enumerate(scores) if one is not None]
        found = aggregate(Cell("s", "t", name, made.info, Recipe(name)), scored, seed=0)
        values[name] = [found.value, found.value_best, found.value_worst, found.n, found.ok, found.error]
    assert values["inserted_words"] == pytest.approx([5 / 1.5, 5 / 1.5, 5 / 1.5, 3, 2, 1])
    assert values["clips_with_words"] == pytest.approx([1, 2 / 3, 1, 3, 2, 1])
