"""A score that leaves answers out as a publication does: how the requests ended stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.pages.load import load
from tttbench.pages.page import page
from tttbench.pages.verdict import verdict

from .conftest import tones_command


def test_an_answer_that_is_left_out_was_read(world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    world.write_world(data, {"opposite of hot": "cold", "null": "nothing"})
    assert main(tones_command(data, "--out", run, "--tasks", "tone_asr")) == 0
    score = "wer:recipe=kimi-en,denominator=as-published"
    assert main(["rescore", str(run), "--include", str(Path(__file__).parent / "tone_world"), "--add", score]) == 0
    view = load(run)
    (result,) = (one for one in view.results if one.recipe.denominator != "all@1")
    assert (result.n, result.ok, result.unparsed) == (2, 1, 1)
    assert {status: n for status, n in view.status_counts().items() if n} == {"ok": 2}
    assert "All 2 requests ended ok." in " ".join(verdict(view))
    rows = {row.text: row for row in view.rows}
    notes = {one.metric: one.note for one in rows["null"].scores}
    assert notes[result.metric] == "left out: the answer is null"
    assert not rows["null"].wrong
    assert f"Not so in <code>{result.metric}</code>: what the publication" in page(view)
