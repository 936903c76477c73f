"""Random checkpoints, and a server that speaks, as fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reference_model.config import Objective
from reference_model.tokens import TtTTokenizer
from tttbench.miniworld.tokenizer import build

from ..derive.judge_server import KEY, serving
from .ttt_checkpoints import LEVELS, Folders, write_checkpoint, write_codec
from .voice_server import Voice, VoiceHandler


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


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Voice]:
    """A server that speaks, where the environment says."""
    with serving(Voice(), VoiceHandler) as found:
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield found
