"""Random checkpoints as fixtures. Makes ``ttt_checkpoints`` importable: importlib mode adds no paths."""

import sys
from pathlib import Path

import pytest

from tttbench.miniworld.tokenizer import build

sys.path.insert(0, str(Path(__file__).parent))

from ttt_checkpoints import LEVELS, write_checkpoint, write_codec  # found by the line above


@pytest.fixture(scope="session")
def tokenizer():
    return build(LEVELS[0] * LEVELS[1])


@pytest.fixture(scope="session")
def folders(tokenizer, tmp_path_factory):
    """A checkpoint of each objective, and their codec."""
    root = tmp_path_factory.mktemp("weights")
    write_codec(root / "codec")
    return {
        objective: write_checkpoint(root / objective, tokenizer, objective) for objective in ("hybrid", "ar", "nar")
    }
