"""Weights that nothing can be computed with are refused where they are read, by the name of file and tensor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from reference_model import checkpoint
from reference_model.errors import CheckpointError
from reference_model.finite import FiniteWeights
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import CodecConfig

from .checkpoints import released_layout, small
from .shapes import random_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint in several files."""
    tokenizer = released_layout()
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path, shard_bytes=4000)
    return tmp_path


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "name", ["model.embed_tokens.weight", "model.layers.1.mlp.up_proj.weight", "model.norm.weight"]
)
def test_a_value_that_is_not_finite_is_named_with_its_file(folder: Path, name: str, value: float) -> None:
    path = next(one for one in sorted(folder.glob("*.safetensors")) if name in load_file(one))
    tensors = load_file(path)
    tensors[name].view(-1)[-1] = value
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=re.escape(f"{path}: tensor {name!r} holds NaN or infinity")):
        checkpoint.load(folder)


def test_weights_that_are_zero_everywhere_are_refused_and_one_tensor_that_is_zero_is_not(folder: Path) -> None:
    shards = sorted(folder.glob("*.safetensors"))
    one = load_file(shards[1])
    save_file({name: torch.zeros_like(value) for name, value in one.items()}, shards[1])
    checkpoint.load(folder)
    for path in shards:
        # Norms are left as they are: the matrices alone make an answer.
        tensors = load_file(path)
        save_file({key: one if one.ndim == 1 else torch.zeros_like(one) for key, one in tensors.items()}, path)
    with pytest.raises(
        CheckpointError, match=r"model-00001-of-\d+\.safetensors: tensor '.*' is zero everywhere, and so"
    ):
        checkpoint.load(folder)


def test_a_dtype_that_is_too_small_is_not_the_file_s_fault(folder: Path) -> None:
    path = next(one for one in folder.glob("*.safetensors") if "model.norm.weight" in load_file(one))
    tensors = load_file(path)
    tensors["model.norm.weight"][0] = 1e6
    save_file(tensors, path)
    checkpoint.load(folder)
    with pytest.raises(CheckpointError, match=r"'model\.norm\.weight' doesn't fit into float16; compute in float32"):
        checkpoint.load(folder, dtype="float16")


def test_a_codec_likewise(tmp_path: Path) -> None:
    MiniCodec(CodecConfig((4, 3), 16, 16, 16)).save(tmp_path)
    path = tmp_path / "model.safetensors"
    whole = load_file(path)
    for broken in (float("nan"), float("inf")):
        save_file({**whole, "encoder.project.weight": torch.full_like(whole["encoder.project.weight"], broken)}, path)
        with pytest.raises(CheckpointError, match=r"model\.safetensors: tensor 'encoder\.project\.weight' holds NaN"):
            MiniCodec.load(tmp_path)
    save_file({name: torch.zeros_like(value) for name, value in whole.items()}, path)
    with pytest.raises(CheckpointError, match="is zero everywhere"):
        MiniCodec.load(tmp_path)


def test_nothing_is_said_of_what_has_no_matrix_or_no_values() -> None:
    finite = FiniteWeights()
    for value in (torch.zeros(3), torch.zeros(0, 4), torch.tensor([[1, 2]])):
        finite.look("x", value, "a file")
    finite.finish()
