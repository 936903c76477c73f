"""Baseline and run timed anew, interleaved: what is measured, and what can't be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.core.exchange import Request, Response
from tttbench.core.system import System
from tttbench.gate.from_run import snapshot_of
from tttbench.gate.interleaved import REQUESTS, measure
from tttbench.gate.snapshot import Snapshot
from tttbench.pipeline.jobs import respond_all

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the mini model on a task that comes with its data and needs no judge."""
    folder = tmp_path_factory.mktemp("interleaved") / "run"
    words = ["run", "mini", "--systems", "ttt:mini", "--tasks", "mini_asr", "--limit", "8", "--out", str(folder)]
    assert main([*words, "--device", "cpu"]) == 0
    return folder


@pytest.fixture
def snapshot(folder: Path) -> Snapshot:
    return snapshot_of(folder)


def measured(baseline: Snapshot, run: Snapshot, told: list[str] | None = None) -> dict[str, tuple[int, int]]:
    rounds = measure(baseline, run, 3, "cpu", (told if told is not None else []).append).rounds
    assert {(one.system, one.task) for one in rounds} == {("ttt:mini", "mini_asr")}
    assert all(value > 0 for one in rounds for value in (*one.baseline, *one.run))
    return {one.figure: (len(one.baseline), len(one.run)) for one in rounds}


def test_every_figure_has_a_value_a_round_and_side(snapshot: Snapshot) -> None:
    told: list[str] = []
    found = measured(snapshot, snapshot, told)
    assert found == dict.fromkeys(("ttft", "latency", "rtf_input"), (3, 3))
    assert told == ["measuring ttt:mini on mini_asr, 3 rounds interleaved"]


def test_both_are_asked_the_same_requests_in_alternating_order(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tttbench.gate import interleaved

    asked: list[tuple[object, str]] = []

    def noting(system: System, requests: Sequence[Request]) -> list[Response | Exception]:
        asked.append((system, requests[0].id))
        return respond_all(system, requests)

    monkeypatch.setattr(interleaved, "respond_all", noting)
    measure(snapshot, snapshot, 2, "cpu", lambda line: None)
    first = asked[0][0]
    sides = "".join("A" if system is first else "B" for system, _ in asked)
    # A warm-up of each, then A B and B A.
    assert sides == "AB" + "A" * REQUESTS + "B" * 2 * REQUESTS + "A" * REQUESTS
    ids = [sample for _, sample in asked[2:]]
    assert ids == [f"asr-{at:03d}" for at in range(REQUESTS)] * 4


@pytest.mark.parametrize(("field", "value"), [("weights", "0" * 64), ("codec", "0" * 64)])
def test_other_weights_are_left_out(snapshot: Snapshot, field: str, value: str) -> None:
    change: dict[str, Any] = {field: value}
    facts = replace(snapshot.systems["ttt:mini"], **change)
    found = measure(snapshot, replace(snapshot, systems={"ttt:mini": facts}), 2, "cpu", lambda line: None)
    assert found.rounds == ()
    assert f"ttt:mini wasn't measured anew: ttt:mini has other {field} now than in" in found.left_out[0]


def test_samples_that_are_not_there_any_more_are_left_out(snapshot: Snapshot) -> None:
    task = snapshot.tasks["mini_asr"]
    samples = {f"own-{sample}": facts for sample, facts in task.samples.items()}
    other = replace(snapshot, tasks={"mini_asr": replace(task, samples=samples)})
    found = measure(other, other, 2, "cpu", lambda line: None)
    assert found.rounds == ()
    assert "own-asr-000, own-asr-001, own-asr-002" in found.left_out[0]


def test_the_command_compares_what_was_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    status = main(["gate", str(folder), str(folder), "--measure", "3", "--device", "cpu", "--json"])
    out = capsys.readouterr()
    found = json.loads(out.out.strip().splitlines()[-1])
    # Three rounds can't tell anything, and the passes of the network are the run's own.
    assert status == 0
    assert {(one["figure"], one["measured"], one["n"]) for one in found["speed"]} == {
        (figure, "interleaved", 3) for figure in ("ttft", "latency", "rtf_input")
    }
