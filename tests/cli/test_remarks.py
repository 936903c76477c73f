"""What to know of a way of decoding stands in the terminal and the JSON document, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.cli.run import show
from tttbench.core.system import SystemCard
from tttbench.store.manifest import Summary, SystemEntry


def test_untrained_ways_are_named_below_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    summary = Summary("done", 0, 0, remarks={"untrained for it": ("saber", "edit")})
    assert show(summary, Path("run"), Path("run/report.html"), as_json=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "saber, edit: untrained for it." in lines
    assert json.loads(lines[-1])["remarks"] == {"untrained for it": ["saber", "edit"]}


@pytest.mark.parametrize(
    ("details", "remark"),
    [({"untrained": "untrained for it"}, "untrained for it"), ({"decoding": "beams of 4"}, ""), ({"untrained": 1}, "")],
)
def test_other_details_of_a_card_are_no_remark(details: dict[str, str | int], remark: str) -> None:
    assert SystemEntry("x", card=SystemCard("x", details=details)).remark == remark
