"""Whatever can change what a checkpoint answers is in its card's digest, and nothing else is."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from reference_model.draft_heads import head_shapes
from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import build_system
from tttbench.core.system import SystemOptions
from tttbench.systems.ttt.checks import check
from tttbench.systems.ttt.speech import load_codec

from .ttt_checkpoints import Folders


@pytest.fixture
def folder(folders: Folders, tmp_path: Path) -> Path:
    """A checkpoint of its own, its codec beside it."""
    shutil.copytree(folders["hybrid"], tmp_path / "mine")
    shutil.copytree(folders["hybrid"].parent / "codec", tmp_path / "codec")
    return tmp_path / "mine"


def digest(folder: Path, strategy: str = "", **settings: JsonValue) -> str:
    load_codec.cache_clear()
    return build_system(f"ttt:{folder}", SystemOptions("cpu", 1, strategy, settings)).card.digest


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def other_weights(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] += 0.5
    save_file(tensors, folder / "model.safetensors")


def other_codec(folder: Path) -> None:
    path = folder.parent / "codec" / "model.safetensors"
    save_file({name: value + 0.25 * torch.ones_like(value) for name, value in load_file(path).items()}, path)


def other_letters(folder: Path) -> None:
    """Two letters change places in the vocabulary."""
    path = folder / "tokenizer.json"
    values = json.loads(path.read_text())
    vocab = values["model"]["vocab"]
    letters = [name for name in vocab if len(name) == 1 and name.isalpha()][:2]
    vocab[letters[0]], vocab[letters[1]] = vocab[letters[1]], vocab[letters[0]]
    path.write_text(json.dumps(values))


CHANGES: dict[str, Callable[[Path], None]] = {
    "weights": other_weights,
    "tokenizer": other_letters,
    "codec's weights": other_codec,
    "codec's levels": lambda folder: edit(folder.parent / "codec" / "config.json", levels=[3, 4]),
    "prompt": lambda folder: edit(folder / "assistant.json", prompts={"asr": "Write.", "qa": "Answer."}),
    "decode settings": lambda folder: edit(folder / "assistant.json", decode={"steps_per_block": 7}),
    "rotation": lambda folder: edit(folder / "config.json", rope_theta=5000.0),
    "objective": lambda folder: edit(folder / "config.json", objective="ar"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_can_change_an_answer_changes_the_digest(folder: Path, what: str) -> None:
    before = digest(folder)
    CHANGES[what](folder)
    assert digest(folder) != before


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("threshold", {}),
        ("threshold:tau=0.5", {}),
        ("", {"steps_per_block": 2}),
        ("", {"text_top_k": 3}),
        ("", {"text_temperature": 0.5}),
        ("", {"cfg": 0.5}),
        ("", {"cache": "block"}),
        ("", {"max_audio_tokens": 30}),
    ],
)
def test_so_does_how_it_decodes(folder: Path, strategy: str, settings: dict[str, Any]) -> None:
    assert digest(folder, strategy, **settings) not in (digest(folder), digest(folder, "threshold:tau=0.75"))


def laid_out(folder: Path) -> None:
    for path in (folder / "config.json", folder / "assistant.json", folder.parent / "codec" / "config.json"):
        path.write_text(json.dumps(json.loads(path.read_text()), indent=7, sort_keys=True))


def shared(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder.parent / "letters.json")
    edit(folder / "config.json", shared_tokenizer="letters.json")


@pytest.mark.parametrize("change", [laid_out, shared])
def test_how_files_are_laid_out_doesn_t(folder: Path, change: Callable[[Path], None]) -> None:
    before = digest(folder)
    change(folder)
    assert digest(folder) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("prompt", "prompts of system ttt:"),
        ("tokenizer", "identity of system ttt:"),
        ("codec's weights", "codec of system ttt:"),
        ("decode settings", "settings of system ttt:"),
    ],
)
def test_a_run_is_not_resumed_with_another_one_under_its_name(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, says: str
) -> None:
    words = ["run", "mini", "--systems", f"ttt:{folder}", "--tasks", "mini_asr", "--limit", "2", "--device", "cpu"]
    words += ["--transcriber", "", "--out", str(tmp_path / "run")]
    assert main(words) == 0
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers WHERE sample = 'asr-001'")
    before = [*(tmp_path / "run" / "audio").iterdir()]
    CHANGES[change](folder)
    load_codec.cache_clear()
    capsys.readouterr()
    assert main([*words, "--resume"]) == 2
    assert says in capsys.readouterr().err
    assert [*(tmp_path / "run" / "audio").iterdir()] == before


def test_draft_heads_are_part_of_what_a_system_is(folders: Folders, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(folders["ar"], folder)
    shutil.copytree(folders["ar"].parent / "codec", tmp_path / "codec")
    with pytest.raises(UserError, match="strategy 'mtp' needs draft heads, and the checkpoint has none"):
        digest(folder, "mtp")
    before = digest(folder)
    width = json.loads((folder / "config.json").read_text())["hidden_size"]
    heads = {f"0.{name}": torch.zeros(shape) for name, shape in head_shapes(width).items()}
    save_file(heads, folder / "mtp.safetensors")
    with_heads = digest(folder)
    assert with_heads != before
    assert digest(folder, "mtp") != with_heads
    check(str(folder), SystemOptions("cpu", 1, "mtp", {}))
