"""Baselines as files: nothing that is compared is lost, and what is damaged is named."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.gate.baseline_file import read_baseline, write_baseline
from tttbench.gate.baseline_form import Promotion
from tttbench.gate.decide import gate
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import AnswerText, Snapshot

Make = Callable[..., Snapshot]


def full(make: Make) -> Snapshot:
    """With everything that a file has to keep, the odd cases included."""
    nan = float("nan")
    one = make(
        [1, 0, nan, 2.5],
        kind="value",
        units=[1, 1, nan, 3],
        times=[0.1, 0.2, 0.3, 0.4],
        clusters=["a", "", "a", "b"],
        statuses=["ok", "empty", "error", "ok"],
    )
    texts = {
        **one.answers["sys", "task"],
        "s1": AnswerText("„Ä“\n<b>", "spoken", ""),
        "s2": AnswerText("", "", "broke"),
    }
    timing = replace(one.timings[0], values={"s0": 0.123456, "s3": 2.0}, calls={"s0": 0, "s1": 0})
    outcomes = {key: value for key, value in one.metrics[0].outcomes.items() if key != "s1"}
    return replace(
        one,
        answers={("sys", "task"): texts},
        timings=(timing,),
        metrics=(*one.metrics, replace(one.metrics[0], name="partly", outcomes=outcomes)),
    )


def test_what_is_written_is_read(make: Make, tmp_path: Path) -> None:
    before = full(make)
    write_baseline(tmp_path / "new" / "main.json", before, [Promotion("now", "run", "regression", "known")])
    after = read_baseline(tmp_path / "new" / "main.json")
    assert after.promotions == (Promotion("now", "run", "regression", "known"),)
    # nan isn't equal to itself; as text it is.
    assert repr(replace(after.snapshot, source=before.source)) == repr(before)


def test_a_run_compares_with_its_own_file(make: Make, tmp_path: Path) -> None:
    run = make([1] * 20, times=[1.0 + at / 100 for at in range(20)])
    write_baseline(tmp_path / "b.json", run)
    result = gate(read_baseline(tmp_path / "b.json").snapshot, run, Rules())
    assert result.exit_code == 0
    assert [one.verdict for one in result.verdicts] == ["same", "same"]


def test_a_line_an_entry(make: Make, tmp_path: Path) -> None:
    write_baseline(tmp_path / "b.json", full(make))
    lines = (tmp_path / "b.json").read_text().splitlines()
    assert sum('"name": "partly"' in line for line in lines) == 1
    assert len(lines) < 40


def changed(name: str, **fields: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Damage the first entry of a list."""
    return lambda values: {**values, name: [{**values[name][0], **fields}, *values[name][1:]]}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda values: {}, "not a baseline"),
        (lambda values: {**values, "format": 9}, "format: is 9, this version reads 1 and 2"),
        (lambda values: {k: v for k, v in values.items() if k != "suite"}, "suite: missing; add it. Restore the file"),
        (changed("timings", values=[1]), "timings[0].values: has 1 values for 4 samples."),
        (changed("timings", values=[1, None, 0, 2]), "timings[0].values[2]: must be a number above 0, not 0."),
        (changed("metrics", numerators=None), "metrics[0].numerators: must be a list of values, not null."),
        (changed("metrics", task="tusk"), "metrics[0].task: 'tusk' is not among the tasks of the file."),
        (changed("metrics", not_ok={"s1": "fine"}), "metrics[0].not_ok.s1: must be 'ok', 'empty',"),
        (changed("answers", system="sis"), "answers[0].system: 'sis' is not among the systems of the file."),
        (changed("tasks", references=[]), "tasks[0].references: has 0 values for 4 samples."),
        (changed("tasks", samples=["s0", "s1", "s1", "s3"]), "tasks[0].samples[2]: 's1' is in [1] already"),
        (lambda values: {**values, "metrics": values["metrics"] * 2}, "metrics[2]: has the system and task and name"),
        (lambda values: {**values, "systems": {"sys": {"nom": 1, "batch_sizes": []}}}, "systems.sys.name: missing"),
    ],
)
def test_damage_is_named(
    make: Make, tmp_path: Path, damage: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, full(make))
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(UserError) as raised:
        read_baseline(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def spoilt(values: Any, rng: random.Random) -> Any:
    """``values`` with something else at one place."""
    if isinstance(values, dict | list) and values and rng.random() < 0.9:
        copied = copy.copy(values)
        key = rng.choice(list(values)) if isinstance(values, dict) else rng.randrange(len(values))
        copied[key] = spoilt(values[key], rng)
        return copied
    return rng.choice([None, True, -1, 0, 2**70, 1.5, float("nan"), "", "x", "\ud800", [], [None], {}, {"x": [1]}])


def test_damage_anywhere_is_a_message_or_a_baseline_that_can_be_compared(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, full(make))
    values, now, rng, refused = json.loads(path.read_text()), make(), random.Random(0), 0
    for _ in range(300):
        path.write_text(json.dumps(spoilt(values, rng)))
        try:
            baseline = read_baseline(path)
        except UserError:
            refused += 1
        else:
            gate(baseline.snapshot, now, Rules(resamples=100))
    assert refused > 150


def test_half_a_file(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, make())
    path.write_text(path.read_text()[:100])
    with pytest.raises(UserError, match="not valid JSON"):
        read_baseline(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_baseline(tmp_path / "b.json")


def test_a_baseline_of_0_1_is_read_as_if_it_were_of_today(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    old = {
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
                "recipe": "spoken_accuracy-1; answer_match-1; "
                "whisper_english-1 (whisper-normalizer 0.1.15); judge: ears-1",
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
    path.write_text(json.dumps(old))
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
