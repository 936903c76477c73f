"""A training config of its own for each test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tttbench.miniworld import language
from tttbench.miniworld.tokens import N_CODES, TokenSet

from .small_config import SMALL


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The file of a recipe that trains in a second, on a token set of its own."""
    rng = np.random.default_rng(0)

    def codes(n: int) -> npt.NDArray[np.uint16]:
        return rng.integers(0, N_CODES, n).astype(np.uint16)

    n_questions = len(language.questions())
    tokens = TokenSet(
        ("One two.", language.questions()[0].wordings[0]), (-1, 0), (codes(9), codes(12)),
        tuple(codes(8) for _ in range(n_questions)),
    )  # fmt: skip
    tokens.save(tmp_path / "codes.safetensors")
    path = tmp_path / "small.toml"
    path.write_text(SMALL.format(objective="hybrid", tokens=tmp_path / "codes.safetensors"))
    return path
