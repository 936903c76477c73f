"""Baselines as files: nothing that is compared is lost, and what is damaged is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.gate.baseline_file import Promotion, read_baseline, write_baseline
from tttbench.gate.decide import gate
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import Said, Snapshot

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
    said = {**one.said[("sys", "task")], "s1": Said("„Ä“\n<b>", "heard", ""), "s2": Said("", "", "broke")}
    timing = replace(one.timings[0], values={"s0": 0.123456, "s3": 2.0}, calls={"s0": 0, "s1": 0})
    outcomes = {key: value for key, value in one.metrics[0].outcomes.items() if key != "s1"}
    return replace(
        one,
        said={("sys", "task"): said},
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


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda values: {}, "not a baseline"),
        (lambda values: {**values, "format": 9}, "field 'format' is 9, this version reads 1"),
        (lambda values: {k: v for k, v in values.items() if k != "judge"}, "field 'judge' is missing"),
        (lambda values: {**values, "timings": [{**values["timings"][0], "values": [1]}]}, "damaged"),
        (lambda values: {**values, "systems": {"sys": {"nom": 1, "batch_sizes": []}}}, "damaged"),
    ],
)
def test_damage_is_named(
    make: Make, tmp_path: Path, damage: Callable[[dict[str, object]], dict[str, object]], message: str
) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, full(make))
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(UserError) as raised:
        read_baseline(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_half_a_file(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, make())
    path.write_text(path.read_text()[:100])
    with pytest.raises(UserError, match="cannot be read as JSON"):
        read_baseline(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_baseline(tmp_path / "b.json")
