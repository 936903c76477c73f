"""Manifest and summary of a run of format 2, in today's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import TOPLINE
from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.former import FORMER, former_score
from tttbench.store.format2.recipes import parse_recipe
from tttbench.store.read_model import Run

from .stored_runs import FORMAT_2, copy_of_format_2, edit, update

WHISPER = "whisper tiny.en@2a6ed6380f1d openai-whisper 20250625 greedy"
ENGLISH = "whisper-en@1 (whisper-normalizer 0.1.15)"


@pytest.fixture
def run() -> Iterator[Run]:
    with Run.open(FORMAT_2) as opened:
        yield opened


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return copy_of_format_2(tmp_path / "old")


def test_the_suite(run: Run) -> None:
    suite = run.manifest.suite
    assert (suite.title, suite.seed, suite.batch_size, suite.resamples, suite.warmup) == (
        "Short: a few clips",
        1,
        8,
        2000,
        1,
    )
    assert (suite.repeats, suite.oracle) == (1, "")
    assert run.manifest.format == 3
    assert (run.manifest.status, run.manifest.sessions[0].status) == ("done_with_errors", "done_with_errors")


def test_a_card_of_a_model_that_speaks(run: Run) -> None:
    system = run.manifest.systems["ttt:mini"]
    assert system.card is not None
    assert (system.card.name, system.card.strategy, system.used_strategy) == ("ttt:mini", "topk", "topk")
    assert system.card.weights_sha256.startswith("a70aa580")
    assert system.card.codec.startswith("61b8e2a2")
    assert system.card.prompts == {"asr": "Transcribe.", "qa": "Answer."}
    assert system.card.settings["steps_per_block"] == 4
    assert system.card.identity == {}
    assert set(system.card.details) == {"parameters", "objective", "dtype", "device", "attention", "positions"}
    assert system.card.capability.produces == {"text", "audio"}
    assert system.card.capability.families is None


def test_a_card_of_a_model_that_transcribes(run: Run) -> None:
    card = run.manifest.systems["whisper:tiny.en"].card
    assert card is not None
    assert card.identity == {"recipe": WHISPER}
    assert card.recipe == WHISPER
    assert (
        card.settings["decode"]
        == "greedy, temperature 0, no timestamps; over 30 s openai-whisper's windows; language en"
    )
    assert card.capability.produces == {"text"}
    assert card.capability.families == frozenset({"asr"})


def test_a_card_that_says_that_it_cannot_speak(run: Run) -> None:
    card = run.manifest.systems["faulty:often"].card
    assert card is not None
    assert card.capability.produces == {"text"}
    assert card.details == {"parameters": 0}


def test_the_cards_of_shipped_systems_are_those_that_they_have_today(run: Run) -> None:
    from tttbench.core.plugins import build_system
    from tttbench.core.system import SystemOptions

    was = run.manifest.systems["ttt:mini"].card
    now = build_system("ttt:mini", SystemOptions(batch_size=1)).card
    assert was is not None
    # What 0.1 didn't know of a system isn't compared when its run is resumed.
    assert was.digest == replace(now, identity={}).digest
    assert set(now.identity) == {"config_sha256", "tokenizer_sha256", "codec_config_sha256"}


def test_tasks_have_scores_with_their_transcriber(run: Run) -> None:
    asr, qa = run.manifest.tasks["short_asr"], run.manifest.tasks["short_qa"]
    assert (asr.title, asr.family, asr.n, asr.limit, asr.data) == ("Short ASR", "asr", 2, None, None)
    assert asr.listing_sha256 == ""
    assert asr.scores == (ScoreSpec("wer", "wer"), ScoreSpec("cer", "cer"))
    by_whisper = {"transcriber": "whisper:tiny.en"}
    assert qa.scores == (
        ScoreSpec("spoken_accuracy", "spoken_accuracy", by_whisper),
        ScoreSpec("text_accuracy", "text_accuracy"),
        ScoreSpec("self_wer", "self_wer", by_whisper),
        ScoreSpec("spoken_gap", "spoken_gap", by_whisper),
    )


def test_the_judge_is_a_transcriber(run: Run) -> None:
    assert list(run.manifest.derivers) == ["transcriber:whisper:tiny.en"]
    entry = run.manifest.derivers["transcriber:whisper:tiny.en"]
    assert entry.recipe == WHISPER
    assert entry.details["parameters"] == 37184256


def test_results_hold_the_gap_behind_the_other_scores_of_its_cell(run: Run) -> None:
    assert run.summary is not None
    cells = [(one.system, one.task, one.metric) for one in run.summary.results]
    assert cells[2:6] == [
        ("ttt:mini", "short_qa", "spoken_accuracy"),
        ("ttt:mini", "short_qa", "text_accuracy"),
        ("ttt:mini", "short_qa", "self_wer"),
        ("ttt:mini", "short_qa", "spoken_gap"),
    ]
    assert len(cells) == 11
    assert {one.system for one in run.summary.topline} == {TOPLINE}
    assert run.summary.counts == {"ok": 8, "empty": 1, "unparsed": 0, "derivation_failed": 0, "error": 1}


def test_metrics_are_those_of_todays_scorers(run: Run) -> None:
    assert run.metric("wer") == build_scorer(ScoreSpec("wer", "wer")).info
    assert run.metric("spoken_gap").unit == "points"


def test_recipes_equal_those_that_todays_scorers_write_if_told_to_score_as_then(run: Run) -> None:
    assert run.summary is not None
    written = {one.metric: one.recipe for one in run.summary.results}
    specs = {spec.id: spec for task in run.manifest.tasks.values() for spec in task.scores}
    for metric, recipe in written.items():
        spec = specs[metric]
        then = replace(spec, options={**spec.options, **FORMER[spec.scorer][0]})
        assert recipe == build_scorer(then).recipe(run.manifest.recipes())
        assert former_score(recipe).partition(":")[0] == metric


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        (
            "wer-1; whisper_english-1 (whisper-normalizer 0.1.15); jiwer 4.0.0",
            Recipe("wer@1", ENGLISH, "jiwer 4.0.0"),
        ),
        ("cer_zh-1; chinese-1; jiwer 4.0.0", Recipe("cer_zh@1", "zh@1", "jiwer 4.0.0")),
        ("cer-1; whisper_basic-2 (whisper-normalizer 1)", Recipe("cer@1", "whisper-basic@2 (whisper-normalizer 1)")),
        ("wer-12; raw-1; jiwer 4.0.0", Recipe("wer@12", "raw@1", "jiwer 4.0.0")),
        (
            f"self_wer-1; raw-1; jiwer 4.0.0; judge: {WHISPER}",
            Recipe("self_wer@1", "raw@1", "jiwer 4.0.0", WHISPER),
        ),
        (
            "spoken_accuracy-1; answer_match-1; raw-1; judge: a; minus: b | c",
            Recipe(
                "spoken_accuracy@1", options="mixed: spoken_accuracy-1; answer_match-1; raw-1; judge: a; minus: b | c"
            ),
        ),
        (
            "spoken_accuracy-1; answer_match-1; raw-1; judge: mine; minus: two minus one",
            Recipe("spoken_accuracy@1", "raw@1", "answer_match@1", "mine; minus: two minus one"),
        ),
        (
            "text_accuracy-1; answer_match-1; raw-1 minus spoken_accuracy-1; answer_match-1; raw-1; judge: w",
            Recipe("spoken_gap@1", "raw@1", "answer_match@1", "w"),
        ),
        ("oracle_agreement-1; oracle: first_hitting", Recipe("oracle_agreement@1", options="oracle=first_hitting")),
        ("mine-3; stemmer-2; table of 1911", Recipe("mine@3", matcher="stemmer@2", options="table of 1911")),
        ("mine", Recipe("mine")),
        ("", Recipe("")),
    ],
)
def test_a_recipe_in_words_becomes_a_recipe(text: str, recipe: Recipe) -> None:
    assert parse_recipe(text) == recipe


def test_where_a_judge_failed_the_denominator_is_another_one(old: Path) -> None:
    edit(old / "summary.json", lambda values: values["results"][2].update(judge_failed=1, ok=1))
    with Run.open(old) as run:
        assert run.summary is not None
        assert run.summary.results[2].derivation_failed == 1
        assert run.summary.results[2].recipe.denominator == "failed-derivations-wrong@1"
        assert run.summary.results[3].recipe.denominator == "all@1"


def test_a_metric_whose_scorer_is_not_there_is_what_the_run_says_of_it(old: Path) -> None:
    update(old, "UPDATE scores SET metric = 'mine' WHERE metric = 'wer'")

    def rename(values: dict[str, list[dict[str, object]]]) -> None:
        for one in values["results"]:
            one["metric"] = "mine" if one["metric"] == "wer" else one["metric"]

    edit(old / "summary.json", rename)
    with Run.open(old) as run:
        info = run.metric("mine")
    assert (info.title, info.unit, info.scale, info.direction, info.aggregation) == ("mine", "%", 100, "lower", "rate")


def test_a_run_that_has_not_begun_has_no_cards_and_no_summary(old: Path) -> None:
    def begin(values: Any) -> None:
        for system in values["systems"].values():
            system["card"] = {}
            for key in ("kinds", "used_strategy", "peak_rss_bytes"):
                system.pop(key, None)
        values["judge"].update(recipe="", card={})

    edit(old / "manifest.json", begin)
    (old / "summary.json").unlink()
    with Run.open(old) as run:
        assert all(system.card is None for system in run.manifest.systems.values())
        assert run.manifest.recipes() == {}
        assert run.summary is None


@pytest.mark.parametrize(
    ("file", "key", "value", "message"),
    [
        ("manifest.json", "suite", 5, r"manifest\.json: suite: must be"),
        ("manifest.json", "systems", {"a": {}}, r"manifest\.json: systems\.a\.name: missing"),
        ("manifest.json", "sessions", [{"command": "x"}], r"manifest\.json: sessions\[0\]\.command: must be"),
        ("summary.json", "counts", {"ok": "x"}, r"summary\.json: counts\.ok: must be"),
        ("summary.json", "results", [1], r"summary\.json: results\[0\]: must be"),
    ],
)
def test_a_damaged_field_is_named_as_it_is_called_there(
    old: Path, file: str, key: str, value: object, message: str
) -> None:
    edit(old / file, lambda values: values.update({key: value}))
    with pytest.raises(UserError, match=message):
        Run.open(old)


def test_an_oracle_is_a_score_of_every_task(old: Path) -> None:
    edit(old / "manifest.json", lambda values: values["suite"].update(oracle="ttt:mini"))
    with Run.open(old) as run:
        assert run.manifest.suite.oracle == "ttt:mini"
        for task in run.manifest.tasks.values():
            assert task.scores[-1] == ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": "ttt:mini"})


def test_the_agreement_with_an_oracle_is_a_metric_of_today(old: Path) -> None:
    def agree(values: Any) -> None:
        recipe = "oracle_agreement-1; oracle: ttt:mini"
        values["results"].append({**values["results"][0], "metric": "oracle_agreement", "recipe": recipe})

    edit(old / "summary.json", agree)
    with Run.open(old) as run:
        assert run.metric("oracle_agreement").title == "Audio tokens of the oracle"


def test_who_was_beaten_is_dominated(old: Path) -> None:
    point = {
        "system": "ttt:mini",
        "task": "short_qa",
        "metric": "spoken_accuracy",
        "lower_is_better": False,
        "quality": 0.5,
        "quality_low": 0.25,
        "quality_high": None,
        "seconds": 1.0,
        "seconds_low": 0.5,
        "seconds_high": 2.0,
        "n": 2,
        "n_timed": 1,
        "beaten_by": ["faulty:often"],
    }
    edit(old / "summary.json", lambda values: values.update(frontier=[point]))
    with Run.open(old) as run:
        assert run.summary is not None
        (found,) = run.summary.frontier
    assert (found.dominated_by, found.quality, found.seconds_high, found.n_timed) == (("faulty:often",), 0.5, 2.0, 1)
    assert np.isnan(found.quality_high)


def test_a_run_without_a_judge_has_no_transcriber(old: Path) -> None:
    edit(old / "manifest.json", lambda values: values["judge"].update(system="", recipe="", card={}))
    with Run.open(old) as run:
        assert run.manifest.derivers == {}
        assert all(not spec.options for spec in run.manifest.tasks["short_qa"].scores)
