"""Repetition as URO-Bench scores it: single answers, and what the published code makes of whole sets."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec

from .views import Seen, sample

PUBLISHED = json.loads(Path(__file__).with_name("published_repetition.json").read_text(encoding="utf-8"))
"""Rows of reference, answer and error rate, and the values of the set, written by the published ``eval_repeat``."""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scorer", ["repetition", "spoken_repetition"])
def test_a_set_is_worth_what_the_published_code_gives_it(language: str, scorer: str) -> None:
    options = {"recipe": f"uro-{language}"} | ({"transcriber": "ears"} if scorer == "spoken_repetition" else {})
    built = build_scorer(ScoreSpec(scorer, scorer, options))
    published = PUBLISHED[language]
    values = []
    for reference, answer, rate in published["rows"]:
        seen = Seen(answer) if scorer == "repetition" else Seen("unheard", transcript=answer)
        score = built.score(sample(reference), seen)
        assert score is not None
        assert score.value == pytest.approx(1 - rate if rate <= 0.5 else 0)
        values.append(score.value)
    ok, mean = published["ok_rate"], published["final_WER_for_ok_case"]
    assert 100 * math.fsum(values) / len(values) == pytest.approx(ok * (1 - mean) * 100)
    assert 0 < ok < 1


def test_errors_are_counted_per_word_of_the_answer() -> None:
    built = build_scorer(ScoreSpec("repetition", "r", {}))
    doubled = built.score(sample("one way"), Seen("one way or another"))  # 2 of 4, not 2 of 2
    assert doubled is not None
    assert (doubled.value, doubled.status) == (0.5, "ok")
    longer = built.score(sample("one way"), Seen("one way or another road"))
    assert longer is not None
    assert (longer.value, longer.status) == (0.0, "ok")


def test_what_is_no_answer_is_worth_nothing_and_a_failed_transcript_has_no_value() -> None:
    written = build_scorer(ScoreSpec("repetition", "r", {}))
    spoken = build_scorer(ScoreSpec("spoken_repetition", "r", {"transcriber": "ears"}))
    for scorer, seen, status in (
        (written, Seen(""), "empty"),
        (written, Seen(status="error"), "error"),
        (spoken, Seen("one way"), "empty"),  # it wrote, and spoke nothing
        (spoken, Seen(status="error"), "error"),
    ):
        score = scorer.score(sample("one way"), seen)
        assert score is not None
        assert (score.value, score.status) == (0.0, status)
    failed = spoken.score(sample("one way"), Seen("one way", spoken=True))
    assert failed is not None
    assert failed.status == "derivation_failed"
    assert math.isnan(failed.value)


def test_another_recipe_is_refused() -> None:
    with pytest.raises(UserError, match="repetition:recipe=uro-fr: there is no such recipe"):
        build_scorer(ScoreSpec("repetition", "r", {"recipe": "uro-fr"}))
