"""Baselines of tttbench 0.1 as if they were of today: what is renamed, and what metrics were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo
from tttbench.core.tables import Document
from tttbench.gate.baseline_file import read_baseline
from tttbench.gate.baseline_format1 import upgraded

OLD: dict[str, Any] = {
    "kind": "tttbench baseline",
    "format": 1,
    "tttbench": "0.1.0",
    "made_at": "2026-11-01T00:00:00+00:00",
    "suite": "mini",
    "seed": 1,
    "status": "done",
    "expected": 2,
    "answered": 2,
    "judge": "ears-1",
    "versions": {},
    "machine": {"cores": 2},
    "systems": {"sys": {"name": "ttt:mini", "strategy": "topk", "decode": {}, "weights": "a", "batch_sizes": [1]}},
    "promotions": [],
    "tasks": [
        {
            "name": "task",
            "kind": "qa",
            "instruction": "",
            "data_sha256": "d",
            "metrics": ["spoken_accuracy"],
            "own_data": True,
            "samples": ["a", "b"],
            "references": ["x", "y"],
            "clusters": None,
        }
    ],
    "metrics": [
        {
            "system": "sys",
            "task": "task",
            "name": "spoken_accuracy",
            "kind": "binary",
            "lower_is_better": False,
            "recipe": "spoken_accuracy-1; answer_match-1; whisper_english-1 (whisper-normalizer 0.1.15); judge: ears-1",
            "numerators": [1, 0],
            "denominators": [1, 1],
            "not_ok": {"b": "judge_failed"},
            "missing": [],
        }
    ],
    "timings": [],
    "peace": [{"system": "sys", "task": "task", "pace_s": 0.01, "others_cores": 0.0}],
    "answers": [
        {"system": "sys", "task": "task", "text": ["x", None], "heard": ["x", ""], "errors": None},
    ],
}
"""A baseline as 0.1 wrote it."""


def test_a_baseline_of_0_1_is_read_as_if_it_were_of_today(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps(OLD))
    found = read_baseline(path).snapshot
    (metric,) = found.metrics
    assert (metric.info.title, metric.info.scale) == ("Spoken answers right", 100)
    assert (metric.recipe.scorer, metric.recipe.matcher) == ("spoken_accuracy@1", "answer_match@1")
    assert metric.recipe.normalizer == "whisper-en@1 (whisper-normalizer 0.1.15)"
    assert (metric.recipe.transcriber, found.transcribers) == ("ears-1", ("ears-1",))
    assert metric.outcomes["b"].status == "derivation_failed"
    assert (found.tasks["task"].family, found.tasks["task"].listing_sha256) == ("qa", "")
    assert found.loads["sys", "task"].calibration_s == 0.01
    assert found.answers["sys", "task"]["a"].transcript == "x"


def values_of(given: Mapping[str, Any]) -> Mapping[str, Any]:
    found = upgraded(Document(given, "old.json"))
    assert found.source == "old.json"
    assert isinstance(found.values, Mapping)
    return found.values


def test_nothing_but_what_has_another_name_now_is_changed() -> None:
    old = {
        "format": 1,
        "suite": "mini",
        "judge": "ears",
        "tasks": [{"name": "t", "kind": "qa", "data_sha256": "d", "listing_sha256": "x"}, "odd"],
        "metrics": "odd",
        "peace": [{"system": "s", "pace_s": 0.5, "others_cores": 1.0}, None],
        "answers": [{"text": ["x"], "heard": ["y"]}, 1],
    }
    given = json.loads(json.dumps(old))
    assert values_of(given) == {
        "format": 2,
        "suite": "mini",
        "transcribers": ["ears"],
        "tasks": [{"name": "t", "family": "qa", "data_sha256": "d", "listing_sha256": ""}, "odd"],
        "metrics": "odd",
        "loads": [{"system": "s", "calibration_s": 0.5, "others_cores": 1.0}, None],
        "answers": [{"text": ["x"], "transcripts": ["y"]}, 1],
    }
    assert given == old


def test_what_is_missing_stays_missing() -> None:
    nothing = {"format": 2, "transcribers": [], "tasks": None, "metrics": None, "loads": [], "answers": None}
    assert values_of({}) == values_of({"judge": ""}) == nothing


PLAIN = {"short": "", "explanation": "", "lowest": None, "highest": None}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"name": "my_own", "kind": "rate", "lower_is_better": True},
            {"title": "my own", "unit": "%", "scale": 100.0, "direction": "lower", "aggregation": "rate", **PLAIN},
        ),
        (
            {"name": "my_own", "kind": "binary"},
            {"title": "my own", "unit": "%", "scale": 100.0, "direction": "higher", "aggregation": "binary", **PLAIN},
        ),
        (
            {"name": "my_own", "kind": "odd", "lower_is_better": False},
            {"title": "my own", "unit": "", "scale": 1.0, "direction": "higher", "aggregation": "value", **PLAIN},
        ),
        ({}, {"title": "None", "unit": "", "scale": 1.0, "direction": "higher", "aggregation": "value", **PLAIN}),
        # Where the scorer of that name says otherwise, what the baseline says holds.
        (
            {"name": "wer", "kind": "value", "lower_is_better": True},
            {"title": "wer", "unit": "", "scale": 1.0, "direction": "lower", "aggregation": "value", **PLAIN},
        ),
        (
            {"name": "wer", "kind": "rate", "lower_is_better": False},
            {"title": "wer", "unit": "%", "scale": 100.0, "direction": "higher", "aggregation": "rate", **PLAIN},
        ),
    ],
)
def test_what_a_metric_was(given: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    (found,) = values_of({"metrics": [given]})["metrics"]
    kept = {key: value for key, value in given.items() if key == "name"}
    assert found == {**kept, "info": expected}


def test_a_metric_that_is_as_its_scorer_has_it_is_shown_as_today() -> None:
    (found,) = values_of({"metrics": [{"name": "wer", "kind": "rate", "lower_is_better": True}]})["metrics"]
    assert found["info"]["title"] == "Word error rate"
    assert MetricInfo(**found["info"]).column == "WER"


def test_recipes_and_statuses_are_read_where_they_are_what_they_should_be() -> None:
    given = {"recipe": "wer-1", "not_ok": {"a": "judge_failed", "b": "error"}}
    odd = {"recipe": 1, "not_ok": ["judge_failed"]}
    one, other = values_of({"metrics": [given, odd]})["metrics"]
    assert (one["recipe"]["scorer"], one["not_ok"]) == ("wer@1", {"a": "derivation_failed", "b": "error"})
    assert (other["recipe"], other["not_ok"]) == (1, ["judge_failed"])


@pytest.mark.parametrize(
    ("given", "message"),
    [({"tasks": {}}, "tasks: must be a list of objects"), ({"peace": 1}, "loads: must be a list of objects")],
)
def test_what_is_wrong_is_found_when_it_is_read(tmp_path: Path, given: Mapping[str, Any], message: str) -> None:
    path = tmp_path / "old.json"
    whole = {
        "kind": "tttbench baseline",
        "format": 1,
        "tttbench": "0.1",
        "made_at": "",
        "suite": "s",
        "seed": 1,
        "status": "done",
        "expected": 0,
        "answered": 0,
        "versions": {},
        "machine": {},
        "systems": {},
        "promotions": [],
        "tasks": [],
        "metrics": [],
        "timings": [],
        "answers": [],
    }
    path.write_text(json.dumps(whole))
    assert read_baseline(path).snapshot.loads == {}
    path.write_text(json.dumps({**whole, **given}))
    with pytest.raises(UserError, match=message):
        read_baseline(path)
