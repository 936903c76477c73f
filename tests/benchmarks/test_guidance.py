"""``benchmarks/guidance.py`` on one question: every way is measured, and exact guidance is what it is held against."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.guidance import GUIDANCE, WAYS, main

pytestmark = pytest.mark.slow


def test_every_way_is_measured_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--limit", "1", "--steps", "3", "--save", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert json.loads((tmp_path / "guidance.json").read_text()) == document
    found = {(one["cfg"], one["way"]): one for one in document["measured"]}
    assert found.keys() == {(cfg, way) for cfg in GUIDANCE for way in WAYS}
    for cfg in GUIDANCE:
        exact, none = found[cfg, "exact"], found[cfg, "no guidance"]
        assert (exact["same_codes"], exact["identical"], exact["kl_most"]) == (1.0, 1.0, 0.0)
        assert exact["nfe_unconditional"] > found[cfg, "reuse for 1 pass"]["nfe_unconditional"] > 0
        assert none["kl"] > found[cfg, "reuse for 1 pass"]["kl"]
        assert found[cfg, "reuse for all passes"]["nfe_unconditional"] == none["nfe_unconditional"] == 0
