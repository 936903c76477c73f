"""The example of docs/add_a_system.md, as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.records import Request
from tttbench.core.registry import build_system, check_system, include
from tttbench.core.system import System, SystemOptions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add_a_system.md"


def test_the_example_is_found_and_answers(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "echo.py").write_text(example)
    include(tmp_path)

    system = build_system("echo:so", SystemOptions())
    assert isinstance(system, System)
    audio = np.linspace(-1, 1, 24_000, dtype=np.float32)
    heard, refused = system.answer(
        [
            Request(id="a", kind="qa", audio=audio, sample_rate=16_000),
            Request(id="b", kind="qa", audio=None, sample_rate=16_000),
        ]
    )
    assert heard.text == "so 1.5"
    np.testing.assert_array_equal(heard.waveform, audio)
    assert heard.trace.packets[0].n_samples == 24_000
    assert isinstance(refused, InputError)
    with pytest.raises(UserError, match="echo:so: has no strategies"):
        check_system("echo:so", SystemOptions(strategy="loud"))
