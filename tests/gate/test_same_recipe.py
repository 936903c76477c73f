"""An old baseline is compared with the run's score that was made like its own, whatever either is called."""

from __future__ import annotations

from dataclasses import replace

from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.scorer import ScoreSpec
from tttbench.gate.decide import gate
from tttbench.gate.rules import Rules
from tttbench.gate.same_recipe import with_baseline_recipes
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.verdict import Noted
from tttbench.scorers.former import former_score

from .conftest import make_snapshot

WHISPER = build_scorer(ScoreSpec("wer", "wer", {"recipe": "whisper-en"})).recipe({})
TODAY = build_scorer(ScoreSpec("wer", "wer")).recipe({})


def snapshot(**edits: tuple[Recipe, list[float]]) -> Snapshot:
    """A run whose scores are error rates, by id (``__`` for the hyphen): recipe, and edits of 10 words a sample."""
    first = make_snapshot([0] * 8, metric="wer", kind="rate", units=[10] * 8, lower_is_better=True)
    made = []
    for name, (recipe, numerators) in edits.items():
        one = first.metrics[0]
        outcomes = {
            sample: replace(outcome, numerator=numerator)
            for (sample, outcome), numerator in zip(one.outcomes.items(), numerators, strict=True)
        }
        made.append(replace(one, name=name.replace("__", "-"), recipe=recipe, outcomes=outcomes))
    return replace(first, metrics=tuple(made))


GOOD, BAD = [1.0] * 8, [9.0] * 8
OLD = snapshot(wer=(WHISPER, GOOD))


def test_the_score_of_the_baseline_s_recipe_is_compared() -> None:
    run = snapshot(wer=(TODAY, BAD), wer_whisper__en=(WHISPER, GOOD))
    result = gate(OLD, run, Rules(), allow=[])
    assert (result.state, result.differences) == ("pass", ())
    assert Noted("the run's score with the baseline's recipe of wer", "wer", "wer_whisper-en") in result.noted
    worse = gate(OLD, snapshot(wer=(TODAY, GOOD), wer_whisper__en=(WHISPER, BAD)), Rules(), allow=[])
    assert worse.state == "regression"
    assert [one.metric for one in worse.quality] == ["wer"]


def test_equal_ids_with_equal_recipes_stay() -> None:
    both = snapshot(wer=(TODAY, GOOD), wer_whisper__en=(WHISPER, GOOD))
    assert with_baseline_recipes(both, both) == (both, ())
    assert with_baseline_recipes(OLD, OLD) == (OLD, ())


def test_without_such_a_score_it_says_how_to_get_one() -> None:
    result = gate(OLD, snapshot(wer=(TODAY, GOOD)), Rules(), allow=[])
    assert result.state == "not comparable"
    (difference,) = result.differences
    assert difference.field == "scorer"
    assert difference.fix == (
        "score the run as then (tttbench rescore RUN --add wer:recipe=whisper-en), or save a new baseline "
        "(tttbench baseline save)"
    )


def test_former_scores_are_known_by_their_recipes() -> None:
    assert former_score(WHISPER) == "wer:recipe=whisper-en"
    assert former_score(TODAY) == ""
    assert former_score(replace(WHISPER, normalizer="whisper-en@0")) == ""
    assert former_score(Recipe("mine@1")) == ""
    today = build_scorer(ScoreSpec("self_wer", "self_wer")).recipe({})
    assert former_score(today) == ""
    # Of versions between, with today's normalizer.
    assert former_score(replace(today, scorer="self_wer@1")) == "self_wer:cap=none"
    assert former_score(replace(today, scorer="self_wer@1", normalizer=WHISPER.normalizer)) == (
        "self_wer:recipe=whisper-en,cap=none"
    )
    options = {"matcher": "answer_match@1", "transcriber": "ears"}
    spoken = build_scorer(ScoreSpec("spoken_accuracy", "spoken_accuracy", options)).recipe({})
    assert spoken.transcriber == "ears"
    assert former_score(spoken) == "spoken_accuracy:matcher=answer_match@1"
