"""Where a checkpoint's tokenizer lies: in its folder, or beside it, shared with others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from reference_model import checkpoint
from reference_model.checkpoint import tokenizer_file
from reference_model.errors import CheckpointError
from reference_model.training.extend import extend

from .checkpoints import released_layout, small
from .shapes import random_model

WEIGHTS = Path(__file__).resolve().parents[2] / "reference_model" / "weights"
"""In the repository: an installed package holds fewer models."""


def name_shared(folder: Path, name: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "shared_tokenizer": name}))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A checkpoint as ``save`` writes it."""
    tokenizer = released_layout()
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path / "weights" / "one")
    return tmp_path / "weights" / "one"


@pytest.fixture
def sharing(saved: Path) -> Path:
    """The same with its tokenizer beside the folder."""
    (saved / "tokenizer.json").rename(saved.parent / "shared.json")
    name_shared(saved, "shared.json")
    return saved


def test_a_checkpoint_that_was_saved_has_its_own(saved: Path) -> None:
    assert tokenizer_file(saved) == saved / "tokenizer.json"


def test_a_checkpoint_finds_the_one_beside_it(sharing: Path) -> None:
    loaded = checkpoint.load(sharing)
    assert tokenizer_file(sharing) == sharing.parent / "shared.json"
    assert loaded.tokenizer.encode("Hm?<|audio_3|>") == released_layout().encode("Hm?<|audio_3|>")


def test_its_own_tokenizer_wins(sharing: Path) -> None:
    released_layout().save(sharing / "tokenizer.json")
    (sharing.parent / "shared.json").write_text("{}")
    assert checkpoint.load(sharing).tokenizer.vocab_size == released_layout().vocab_size


def test_what_is_saved_again_stands_alone(sharing: Path, tmp_path: Path) -> None:
    loaded = checkpoint.load(sharing)
    checkpoint.save(loaded.model, loaded.tokenizer, tmp_path / "alone")
    assert "shared_tokenizer" not in json.loads((tmp_path / "alone" / "config.json").read_text())
    again = checkpoint.load(tmp_path / "alone")
    assert again.tokenizer.encode("Hm?<|audio_3|>") == loaded.tokenizer.encode("Hm?<|audio_3|>")
    for name, value in loaded.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value), name


def test_training_begins_with_one_that_shares(sharing: Path) -> None:
    model, tokenizer = extend(sharing)
    assert model.config == checkpoint.load(sharing).model.config
    assert tokenizer.vocab_size == released_layout().vocab_size


@pytest.mark.parametrize("name", ["gone.json", "../shared.json", "/etc/hostname", "..", "", 3, ["shared.json"]])
def test_what_is_no_file_beside_the_folder_is_refused(sharing: Path, name: object) -> None:
    name_shared(sharing, name)
    with pytest.raises(CheckpointError, match=r"config\.json: field 'shared_tokenizer' is .* no file beside .*'one'"):
        checkpoint.load(sharing)


def test_all_shipped_models_share_one_tokenizer() -> None:
    models = sorted(path.parent for path in WEIGHTS.glob("*/config.json") if not path.parent.name.endswith("-codec"))
    assert len(models) == 9
    assert {tokenizer_file(model) for model in models} == {WEIGHTS / "tokenizer.json"}
    assert [path.parent.name for path in WEIGHTS.rglob("tokenizer.json")] == ["weights"]
