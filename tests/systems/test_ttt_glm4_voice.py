"""A checkpoint whose codec is a released tokenizer without a decoder: it answers in text and codes, and says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.core.exchange import Message, Request
from tttbench.core.plugins import build_system, check_system, make_ready, systems
from tttbench.core.system import SystemOptions
from tttbench.core.task import Needs, why_not

from ..reference_model.glm4_voice_plain import SMALL, random_weights, write_folder
from .ttt_checkpoints import LEVELS, Folders, answered

CONFIG = {**SMALL, "quantize_vocab_size": LEVELS[0] * LEVELS[1]}


@pytest.fixture
def folder(folders: Folders, tmp_path: Path) -> Path:
    """A checkpoint of its own; the tokenizer's folder is beside it."""
    shutil.copytree(folders["hybrid"], tmp_path / "mine")
    write_folder(tmp_path / "glm-4-voice-tokenizer", CONFIG, random_weights(CONFIG))
    note = json.loads((tmp_path / "mine" / "assistant.json").read_text())
    (tmp_path / "mine" / "assistant.json").write_text(json.dumps({**note, "codec": "glm-4-voice-tokenizer"}))
    return tmp_path / "mine"


def test_it_answers_in_text_and_codes(folder: Path) -> None:
    name = f"ttt:{folder}"
    check_system(name, SystemOptions())
    make_ready(name, SystemOptions(), systems)
    system = build_system(name, SystemOptions())
    audio = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    requests = [Request(f"r{seed}", (Message("user", "", audio, 16_000),), "qa", seed=seed) for seed in range(3)]
    answers = answered(system.generate(requests))
    assert [answer.waveform for answer in answers] == [None] * 3
    assert all(answer.trace.chunks == () and answer.sample_rate == 0 for answer in answers)
    assert any(answer.audio_codes for answer in answers)
    capability = system.card.capability
    assert capability.produces == {"text"}
    assert why_not(capability, Needs(produces=frozenset({"audio"})), "qa") == "doesn't produce audio"


def test_doctor_says_that_it_has_no_speech(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(folder)]) == 0
    assert "none: its codec has no decoder; text and codes only" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("config.json", "glm-4-voice-tokenizer/config.json: not the configuration of a codec"),
        ("model.safetensors", "glm-4-voice-tokenizer: holds neither model.safetensors nor"),
    ],
)
def test_doctor_names_what_the_tokenizer_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, says: str
) -> None:
    (folder.parent / "glm-4-voice-tokenizer" / file).unlink()
    assert main(["doctor", str(folder)]) == 1
    assert says in capsys.readouterr().out


def test_a_tokenizer_of_another_codebook_is_refused(folder: Path) -> None:
    write_folder(folder.parent / "glm-4-voice-tokenizer")
    with pytest.raises(UserError, match="that codec has 48 codes, but the model was made for 12"):
        build_system(f"ttt:{folder}", SystemOptions())
