"""Baselines that no longer fit: old ones, of other data, of scores that are made differently now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tttbench.core.plugins import build_scorer, build_task
from tttbench.core.scorer import ScoreSpec
from tttbench.gate.baseline_file import Baseline
from tttbench.gate.snapshot import SampleFacts, Snapshot, TaskFacts
from tttbench.gate.stale import staleness
from tttbench.pipeline.plan import listing_sha256

Make = Callable[..., Snapshot]
MADE = datetime(2026, 11, 1, tzinfo=UTC)


def reasons(snapshot: Snapshot, days: float = 0) -> list[str]:
    return staleness(Baseline(snapshot, "0.2", ()), MADE + timedelta(days=days))


@pytest.mark.parametrize(("days", "expected"), [(0, []), (90.9, []), (91, ["91 days old"]), (400.5, ["400 days old"])])
def test_a_baseline_is_old_after_ninety_days(make: Make, days: float, expected: list[str]) -> None:
    assert reasons(make(), days) == expected


@pytest.mark.parametrize("made_at", ["", "yesterday", "2026-11-01"])
def test_one_that_does_not_say_when_it_was_made(make: Make, made_at: str) -> None:
    # A date without a time zone can't be subtracted from now.
    assert reasons(replace(make(), made_at=made_at)) == ["it doesn't say when it was made"]


def of_mini(make: Make, **changes: object) -> Snapshot:
    """A snapshot of three samples of mini_asr as they are."""
    samples = build_task("mini_asr").samples(None)[:3]
    facts = TaskFacts(
        "asr",
        "",
        listing_sha256(samples, "en"),
        ("wer",),
        {one.id: SampleFacts(one.reference, one.cluster) for one in samples},
    )
    return replace(make(), tasks={"mini_asr": replace(facts, **changes)})  # type: ignore[arg-type]  # fields by name


def test_data_that_are_as_they_were(make: Make) -> None:
    assert reasons(of_mini(make)) == []
    assert reasons(of_mini(make, listing_sha256="")) == []


def test_data_that_have_changed(make: Make) -> None:
    changed = ["the data of mini_asr have changed"]
    assert reasons(of_mini(make, listing_sha256="0" * 64)) == changed
    known = of_mini(make).tasks["mini_asr"].samples
    other = {one: replace(facts, reference="something else") for one, facts in known.items()}
    assert reasons(of_mini(make, listing_sha256="", samples=other)) == changed
    gone = {**known, "no-such-sample": SampleFacts("yes", "")}
    assert reasons(of_mini(make, listing_sha256="", samples=gone)) == changed


def test_data_that_cannot_be_looked_up_are_left_alone(make: Make) -> None:
    assert reasons(of_mini(make, listing_sha256="0" * 64, own_data=False)) == []
    nobodys = of_mini(make, listing_sha256="0" * 64).tasks["mini_asr"]
    assert reasons(replace(make(), tasks={"no_such_task": nobodys})) == []


def with_recipe(make: Make, name: str, **changes: str) -> Snapshot:
    """A snapshot whose metric has the recipe of the scorer ``name`` as it is, but for ``changes``."""
    snapshot = make()
    recipe = build_scorer(ScoreSpec(name, name, {})).recipe({})
    return replace(snapshot, metrics=(replace(snapshot.metrics[0], name=name, recipe=replace(recipe, **changes)),))


def test_scores_that_are_made_differently_now(make: Make) -> None:
    assert reasons(with_recipe(make, "wer")) == []
    assert reasons(with_recipe(make, "wer", normalizer="whisper-en@0")) == ["wer is scored differently now"]
    assert reasons(with_recipe(make, "wer", scorer="wer@0")) == ["wer is scored differently now"]


def test_who_transcribes_or_judges_is_the_runs_own_choice(make: Make) -> None:
    assert reasons(with_recipe(make, "wer", transcriber="whisper:large", judge="someone", prompt_sha256="1")) == []


def test_a_scorer_that_nobody_knows_is_left_alone(make: Make) -> None:
    assert reasons(with_recipe(make, "wer", scorer="nobodys@1")) == []
    # A score with an id of its own: which options made it, the scorer's name can't tell.
    snapshot = with_recipe(make, "wer", normalizer="raw@1")
    assert reasons(replace(snapshot, metrics=(replace(snapshot.metrics[0], name="wer_raw"),))) == []


def test_all_that_is_stale_is_told_and_one_reason_hides_no_other(make: Make) -> None:
    known = of_mini(make).tasks["mini_asr"]
    changed = replace(known, listing_sha256="0" * 64)
    tasks = {"own": replace(changed, own_data=False), "no_such_task": changed, "mini_asr": changed, "mini_qa": changed}
    wer = with_recipe(make, "wer", normalizer="raw@0").metrics[0]
    nobody = replace(wer, name="nobodys")
    aside = replace(wer, name="wer_raw")
    cer = with_recipe(make, "cer", matcher="other").metrics[0]
    stale = replace(make(), tasks=tasks, metrics=(nobody, aside, wer, replace(wer, task="other"), cer))
    assert reasons(stale, days=100) == [
        "100 days old",
        "the data of mini_asr have changed",
        "the data of mini_qa have changed",
        "wer is scored differently now",
        "cer is scored differently now",
    ]


def test_scores_with_an_oracle_are_made_with_it(make: Make) -> None:
    snapshot = make()
    recipe = build_scorer(ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": "slow"})).recipe({})
    metric = replace(snapshot.metrics[0], name="oracle_agreement", recipe=recipe)
    assert reasons(replace(snapshot, metrics=(metric,))) == []
    other = replace(metric, recipe=replace(recipe, scorer="oracle_agreement@0"))
    assert reasons(replace(snapshot, metrics=(other,))) == ["oracle_agreement is scored differently now"]


def test_today_is_today(make: Make) -> None:
    old, new = (datetime.now(UTC) - timedelta(days=days) for days in (91, 1))
    made = [staleness(Baseline(replace(make(), made_at=one.isoformat()), "0.2", ())) for one in (old, new)]
    assert made == [["91 days old"], []]
