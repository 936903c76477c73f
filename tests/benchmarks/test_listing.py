"""``benchmarks/listing.py`` at its smallest: every form is listed, and what it cost is saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.listing import FORMS, Cost, N, main


@pytest.mark.slow
def test_every_form_is_listed_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recordings", "30", "--save", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document == json.loads((tmp_path / "listing.json").read_text())
    assert {form: one["n"] for form, one in document["forms"].items()} == dict.fromkeys(FORMS, 30)
    assert all(f"| {form} | 30 |" in (tmp_path / "listing.md").read_text() for form in FORMS)


def test_goals_are_those_of_a_whole_listing() -> None:
    found = [Cost(n, 9.0, cpu_s, mb).verdict for n, cpu_s, mb in ((N, 5, 300), (N, 5.1, 1), (N, 1, 301), (30, 9, 900))]
    assert found == ["met", "missed", "missed", ""]
