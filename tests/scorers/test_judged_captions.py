"""CLAIR-A: what a judge is given of a caption, and what its grade comes to."""

from __future__ import annotations

import json
import math

import pytest

from tttbench.core.derivation import Derived
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import Scorer, ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.derive.judge.prompts import load_prompt, material
from tttbench.pipeline.default_scores import added

from .test_judged import Graded, verdict
from .views import Seen

CLIP = Sample("s", (Turn("user"),), ("A dog barks.", "Barking of a dog"), language="en")


def build(**options: str) -> Scorer:
    return build_scorer(ScoreSpec("clair_a", "clair_a", {"judge": "openai_chat:m", **options}))


def test_a_judge_is_given_the_caption_and_all_references() -> None:
    (need,) = build().needs(CLIP, Seen("A cat."))
    assert need.deriver == "judge:openai_chat:m?prompt=clair-a"
    assert json.loads(material(need.fields, need.language)) == {
        "reference_captions": ["A dog barks.", "Barking of a dog"],
        "language": "en",
        "caption": "A cat.",
    }
    schema = load_prompt("clair-a").schema["properties"]
    assert isinstance(schema, dict)
    assert schema["grade"] == {"type": "integer", "enum": [*range(101)]}


def test_the_value_is_the_mean_of_votes_and_what_is_no_caption_is_worth_0() -> None:
    scorer = build(votes="3")
    graded = scorer.score(CLIP, Graded("A cat.", verdicts={"A cat.": verdict(10, 20, 45)}))
    assert graded is not None
    assert (graded.value, graded.status) == (25, "ok")
    for seen, status in ((Graded(""), "empty"), (Graded("x", status="error"), "error")):
        score = scorer.score(CLIP, seen)
        assert score is not None
        assert (score.value, score.status) == (0, status)
        assert list(scorer.needs(CLIP, seen)) == []
    failed = scorer.score(CLIP, Graded("x", verdicts={"x": Derived("failed", error="status 500")}))
    assert failed is not None
    assert math.isnan(failed.value)
    assert scorer.score(Sample("s", (Turn("user"),)), Graded("x")) is None
    assert scorer.recipe({}).options == "fense=none"


def test_captions_are_graded_by_it_alone_and_nothing_else_is(caplog: pytest.LogCaptureFixture) -> None:
    spec, answer = parse_score("clair_a:judge=openai_chat:m"), parse_score("answer:judge=openai_chat:m")
    assert added([spec, answer], (), (), "clotho", "captioning") == (spec,)
    assert added([spec], (), (), "web_questions_text", "qa") == ()
    assert "answers to that task are no captions" in caplog.text
    with pytest.raises(UserError, match="grades captions, not answers; ask for clair_a"):
        build_scorer(ScoreSpec("answer", "answer", {"judge": "openai_chat:m", "recipe": "clair-a"}))
