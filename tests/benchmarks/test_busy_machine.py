"""``benchmarks/busy_machine.py`` at its smallest: all policies alone and beside a loop, and that answers are equal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import busy_machine
from benchmarks.busy_machine import HEADING, POLICIES, Found, Measured, main


@pytest.mark.slow
def test_every_policy_is_measured_alone_and_beside_a_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two of them: each is four processes that import torch.
    policies = {name: POLICIES[name] for name in ("as shipped", "one thread")}
    monkeypatch.setattr(busy_machine, "POLICIES", policies)
    assert main(["--requests", "1", "--rounds", "1", "--save", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    document = json.loads(lines[-1])
    assert json.loads((tmp_path / "busy_machine.json").read_text()) == document
    assert document["answers_equal"]
    found = {one["policy"]: one for one in document["policies"]}
    assert list(found) == list(policies)
    for one in found.values():
        (alone,), (beside,) = one["alone"], one["beside"]
        assert one["ratio"]["median"] == beside["cpu_s"] / alone["cpu_s"]
    assert found["one thread"]["alone"][0]["threads"] == 1
    assert [line.split("  ")[0] for line in lines[1 : 1 + len(policies)]] == list(policies)
    assert all(name in (tmp_path / "busy_machine.md").read_text() for name in (*HEADING, *policies))


def test_the_ratio_is_taken_round_by_round() -> None:
    def seconds(*values: float) -> tuple[Measured, ...]:
        return tuple(Measured(value, value, None, 2, "") for value in values)

    # 2, 3 and 4 times; of the medians it would be 8 / 2 = 4.
    assert Found("", {}, seconds(1, 3, 2), seconds(2, 9, 8)).ratio.median == 3


def test_different_answers_are_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measured(settings: object, n_requests: int) -> Measured:
        return Measured(1.0, 1.0, None, 2, "others" if settings == POLICIES["one thread"] else "same")

    monkeypatch.setattr(busy_machine, "_in_a_process", measured)
    assert main(["--rounds", "1"]) == 1
    assert "2 different sets of answers!" in capsys.readouterr().out


def test_json_is_printed_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(busy_machine, "_in_a_process", lambda settings, n_requests: Measured(1.0, 1.0, 0.5, 2, "same"))
    assert main(["--json", "--rounds", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["policies"][0]["ratio"]["median"] == 1.0
