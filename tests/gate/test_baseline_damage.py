"""Whatever is wrong with a baseline, it is refused by the name of its file, or can be compared and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.gate.baseline_file import read_baseline, write_baseline
from tttbench.gate.baseline_form import Promotion
from tttbench.gate.decide import gate
from tttbench.gate.formats.junit import junit
from tttbench.gate.formats.markdown import markdown
from tttbench.gate.rules import Rules
from tttbench.gate.stale import staleness

from ..damage import damaged, fuzzed, refusal
from .conftest import make_snapshot
from .test_baseline_file import full
from .test_baseline_format1 import OLD

NOW = make_snapshot(times=[0.1, 0.2, 0.3, 0.4])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A baseline in which everything occurs."""
    path = tmp_path_factory.mktemp("whole") / "b.json"
    write_baseline(path, full(make_snapshot), [Promotion("then", "run", "pass", "")])
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def compare(path: Path) -> None:
    baseline = read_baseline(path)
    result = gate(baseline.snapshot, NOW, Rules(resamples=20), allow=("samples", "data", "metrics", "tasks"))
    markdown(result).encode()
    junit(result).encode()
    staleness(baseline)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["today's", "of 0.1"])
@fuzzed
@given(data=st.data())
def test_any_damage_to_a_baseline(tmp_path: Path, whole: dict[str, Any], which: str, data: st.DataObject) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(damaged(whole if which == "today's" else OLD, data))
    message = refusal(lambda: compare(path), UserError)
    assert not message or str(path) in message or "allow" in message, message
