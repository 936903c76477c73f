"""``benchmarks/nar_length.py`` on a few samples: both lengths, the saved file, and that only NAR models are asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.nar_length import METRICS, MODEL, main

pytestmark = pytest.mark.slow


def test_both_ways_are_measured_on_every_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--limit", "2", "--save", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert json.loads((tmp_path / "nar_length.json").read_text()) == document
    found = {(one["task"], one["length"]): one for one in document["written"]}
    assert found.keys() == {(task, length) for task in METRICS for length in ("true", "blocks of 27")}
    assert all(one["n"] == 2 and one["value"] == one["value"] for one in found.values())


def test_a_model_that_does_not_see_the_length_is_refused() -> None:
    with pytest.raises(SystemExit, match="trained as 'hybrid'; only a NAR model sees the length"):
        main(["--model", str(MODEL.with_name("ablation-ttt")), "--limit", "1"])
