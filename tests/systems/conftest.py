"""Random checkpoints as fixtures."""

from __future__ import annotations

import pytest

from reference_model.config import Objective
from reference_model.tokens import TtTTokenizer
from tttbench.miniworld.tokenizer import build

from .ttt_checkpoints import LEVELS, Folders, write_checkpoint, write_codec


@pytest.fixture(scope="session")
def tokenizer() -> TtTTokenizer:
    return build(LEVELS[0] * LEVELS[1])


@pytest.fixture(scope="session")
def folders(tokenizer: TtTTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A checkpoint of each objective, and their codec."""
    root = tmp_path_factory.mktemp("weights")
    write_codec(root / "codec")
    objectives: tuple[Objective, ...] = ("hybrid", "ar", "nar")
    return {objective: write_checkpoint(root / objective, tokenizer, objective) for objective in objectives}
