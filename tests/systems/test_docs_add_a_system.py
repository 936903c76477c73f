"""The examples of docs/add_a_system.md, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.plugins import build_system, check_system
from tttbench.core.registry import include
from tttbench.core.system import System, SystemOptions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add_a_system.md"


def test_the_examples_are_found_and_respond(tmp_path: Path) -> None:
    shortest, whole = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "length.py").write_text(shortest)
    (tmp_path / "repeat.py").write_text(whole)
    include(tmp_path)

    audio = np.linspace(-1, 1, 24_000, dtype=np.float32)
    spoken = Request("a", (Message("user", audio=audio, sample_rate=16_000),), "qa")
    (length,) = build_system("length", SystemOptions()).generate([spoken])
    assert isinstance(length, Response)
    assert (length.text, length.trace.end_s > 0) == ("1.5", True)

    system = build_system("repeat:so", SystemOptions())
    assert isinstance(system, System)
    answer, refused = system.generate([spoken, Request("b", (Message("user", "written"),), "qa")])
    assert isinstance(answer, Response)
    assert answer.text == "so 1.5"
    np.testing.assert_array_equal(answer.waveform, audio)
    assert answer.trace.chunks[0].n_samples == 24_000
    assert isinstance(refused, InputError)
    with pytest.raises(UserError, match="repeat: has no strategies"):
        check_system("repeat:so", SystemOptions(strategy="loud"))
