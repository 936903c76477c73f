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

from tttbench import __version__
from tttbench.core.errors import UserError
from tttbench.gate.baseline_file import read_baseline, write_baseline
from tttbench.gate.baseline_form import Promotion
from tttbench.gate.decide import gate
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import AnswerText, Outcome, Snapshot
from tttbench.probes.machine_load import MachineLoad

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
        "s1": AnswerText("„Ä“\n<b>", "spoken", "", cut=True),
        "s2": AnswerText("", "", "broke"),
    }
    timing = replace(one.timings[0], values={"s0": 0.123456, "s3": 2.0})
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


def refused(path: Path) -> str:
    with pytest.raises(UserError) as raised:
        read_baseline(path)
    return str(raised.value).removeprefix(f"{path}: ")


def test_whole_messages(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    assert refused(path) == "no such file. Write it with 'tttbench baseline save RUN'."
    for text in ("[]", '{"kind": "other", "format": 2}'):
        path.write_text(text)
        assert refused(path) == "not a baseline; 'tttbench baseline save RUN' writes one."
    path.write_text(json.dumps({"kind": "tttbench baseline", "format": "x" * 99}))
    told = f"format: is '{'x' * 19}, this version reads 1 and 2; save the baseline again."
    assert refused(path) == told
    write_baseline(path, make())
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "expected": "x"}))
    assert refused(path) == "expected: must be a whole number, not 'x'. Restore the file, or save the baseline again."


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (changed("loads", task="tusk"), "loads[0].task: 'tusk' is not among the tasks of the file."),
        (changed("timings", system="sis"), "timings[0].system: 'sis' is not among the systems of the file."),
        (changed("tasks", clusters=["a"]), "tasks[0].clusters: has 1 values for 4 samples."),
        (changed("metrics", numerators=[1]), "metrics[0].numerators: has 1 values for 4 samples."),
        (changed("metrics", denominators=[1] * 5), "metrics[0].denominators: has 5 values for 4 samples."),
        (changed("answers", text=[]), "answers[0].text: has 0 values for 4 samples."),
        (changed("answers", transcripts=["x"]), "answers[0].transcripts: has 1 values for 4 samples."),
        (changed("answers", errors=["x"] * 3), "answers[0].errors: has 3 values for 4 samples."),
        (
            lambda values: {**values, "metrics": [values["metrics"][0], {**values["metrics"][1], "numerators": []}]},
            "metrics[1].numerators: has 0 values for 4 samples.",
        ),
        (lambda values: {**values, "tasks": values["tasks"] * 2}, "tasks[1]: has the name 'task' of [0]"),
        (lambda values: {**values, "timings": values["timings"] * 2}, "timings[1]: has the system and task and figure"),
        (
            lambda values: {**values, "loads": values["loads"] * 2},
            "loads[1]: has the system and task 'sys' and 'task' of [0]",
        ),
        (
            lambda values: {**values, "answers": values["answers"] * 2},
            "answers[1]: has the system and task 'sys' and 'task' of [0]",
        ),
    ],
)
def test_columns_and_names_that_do_not_fit_together(
    make: Make, tmp_path: Path, damage: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, full(make))
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    assert message in refused(path)


def test_the_whole_file(make: Make, tmp_path: Path) -> None:
    """As it stands in a repository, where every line counts: numbers and times in few digits, no empty columns."""
    run = make([1, 0.5], kind="value", times=[0.123456789, 2])
    system = replace(run.systems["sys"], settings={"a": 1})
    run = replace(
        run, systems={"sys": system}, timings=(run.timings[0], replace(run.timings[0], figure="rtf", values={}))
    )
    write_baseline(tmp_path / "b.json", run, [Promotion("then", "run", "pass", "")])
    metric = (
        ' {"system": "sys", "task": "task", "name": "text_accuracy", "info": {"title": "text_accuracy", "short": "", '
        '"explanation": "", "unit": "", "scale": 1.0, "direction": "higher", "aggregation": "value", "lowest": null, '
        '"highest": null}, "recipe": {"scorer": "m@1", "normalizer": "", "matcher": "", "transcriber": "ears-1", '
        '"judge": "", "prompt_sha256": "", "denominator": "all@1", "options": ""}, "numerators": [1, 0.5], '
        '"denominators": [1, 1], "not_ok": {}, "missing": []}'
    )
    assert (tmp_path / "b.json").read_text().splitlines() == [
        "{",
        '"kind": "tttbench baseline",',
        '"format": 2,',
        f'"tttbench": "{__version__}",',
        '"made_at": "2026-11-01T00:00:00+00:00",',
        '"suite": "mini",',
        '"seed": 1,',
        '"status": "done",',
        '"expected": 2,',
        '"answered": 2,',
        '"transcribers": ["ears-1"],',
        '"versions": {"tttbench": "0.1.0"},',
        '"machine": {"device": "cpu", "processor": "x", "cores": 2, "calibration": "torch"},',
        '"systems": {"sys": {"name": "ttt:mini", "strategy": "topk", "decode": {}, "weights": "abc", '
        '"batch_sizes": [1], "settings": {"a": 1}, "codec": "", "prompts": {}, "identity": {}}},',
        '"promotions": [{"at": "then", "source": "run", "verdict": "pass", "reason": ""}],',
        '"tasks": [',
        ' {"name": "task", "family": "qa", "instruction": "answer", "listing_sha256": "d1", '
        '"metrics": ["text_accuracy"], "own_data": true, "samples": ["s0", "s1"], '
        '"references": ["yes", "yes"], "clusters": null, "cluster": "cluster"}',
        "],",
        '"metrics": [',
        metric,
        "],",
        '"timings": [',
        ' {"system": "sys", "task": "task", "figure": "ttft", "unit": "s", "values": [0.123457, 2.0]},',
        ' {"system": "sys", "task": "task", "figure": "rtf", "unit": "s", "values": [null, null]}',
        "],",
        '"loads": [',
        ' {"system": "sys", "task": "task", "calibration_s": 0.01, "others_cores": 0.0}',
        "],",
        '"answers": [',
        ' {"system": "sys", "task": "task", "text": ["yes", "yes"], "transcripts": null, "errors": null, "cut": null}',
        "]",
        "}",
    ]
    found = read_baseline(tmp_path / "b.json")
    assert (found.written_by, found.promotions) == (__version__, (Promotion("then", "run", "pass", ""),))
    write_baseline(tmp_path / "c.json", replace(run, answers={}, loads={}))
    assert (tmp_path / "c.json").read_text().endswith('],\n"loads": [],\n"answers": []\n}\n')
    assert read_baseline(tmp_path / "c.json").promotions == ()


def test_what_a_later_version_adds_is_passed_over(make: Make, tmp_path: Path) -> None:
    write_baseline(tmp_path / "b.json", make())
    values = json.loads((tmp_path / "b.json").read_text())
    (tmp_path / "b.json").write_text(json.dumps({**values, "weather": "fine"}))
    assert read_baseline(tmp_path / "b.json").snapshot == replace(make(), source=str(tmp_path / "b.json"))


def test_every_fact_of_every_part_comes_back(make: Make, tmp_path: Path) -> None:
    run = full(make)
    facts = replace(run.tasks["task"], own_data=False)
    run = replace(run, status="incomplete", expected=9, seed=4, suite="x", tasks={"other": facts, "task": facts})
    metrics = (*run.metrics, replace(run.metrics[0], task="other", outcomes={"s2": Outcome(1.5, 2.0, "empty")}))
    loads = {("sys", "other"): MachineLoad(0.02, None), ("sys", "task"): MachineLoad(0.03, 1.0)}
    answers = {**run.answers, ("sys", "other"): {"s2": AnswerText("x", "y", "z")}}
    run = replace(run, metrics=metrics, loads=loads, answers=answers)
    write_baseline(tmp_path / "b.json", run)
    found = read_baseline(tmp_path / "b.json").snapshot
    assert repr(replace(found, source=run.source)) == repr(run)
