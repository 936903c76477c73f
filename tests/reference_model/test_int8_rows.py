"""Checkpoints whose matrices are stored as int8 with a scale per row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from reference_model import checkpoint, int8_rows
from reference_model.errors import CheckpointError, ConfigError
from reference_model.transformer import TtTModel

from .checkpoints import released_layout, small
from .shapes import random_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokenizer = released_layout()
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path / "int8", dtype="int8")
    return tmp_path / "int8"


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shard_bytes", [2**30, 3000])
def test_a_weight_comes_back_to_half_a_scale_of_its_row(tmp_path: Path, tied: bool, shard_bytes: int) -> None:
    tokenizer = released_layout()
    model = random_model(small(tokenizer, tied))
    checkpoint.save(model, tokenizer, tmp_path, dtype="int8", shard_bytes=shard_bytes)
    assert (tmp_path / "model.safetensors.index.json").exists() == (shard_bytes == 3000)
    loaded = checkpoint.load(tmp_path).model
    assert loaded.config == model.config
    for name, value in model.state_dict().items():
        found = loaded.state_dict()[name]
        if value.ndim == 1:
            assert torch.equal(found, value.half().float()), name
        else:
            most = value.abs().amax(1, keepdim=True)
            assert bool(((found - value).abs() <= most / 254 * 1.001).all()), name
            torch.testing.assert_close(found.abs().amax(1, keepdim=True), most)


def test_it_takes_a_quarter_of_the_bytes(tmp_path: Path) -> None:
    tokenizer = released_layout()
    model = TtTModel(small(tokenizer))
    for dtype in ("float32", "int8"):
        checkpoint.save(model, tokenizer, tmp_path / dtype, dtype=dtype)
    sizes = [
        sum(value.nbytes for value in load_file(tmp_path / dtype / "model.safetensors").values() if value.ndim > 1)
        for dtype in ("float32", "int8")
    ]
    n_rows = sum(
        len(value) for name, value in model.state_dict().items() if value.ndim > 1 and name != "lm_head.weight"
    )
    assert sizes[1] == sizes[0] / 4 + 4 * n_rows


def test_what_was_int8_stays_the_same_when_it_is_stored_again(folder: Path, tmp_path: Path) -> None:
    once = checkpoint.load(folder)
    checkpoint.save(once.model, once.tokenizer, tmp_path / "again", dtype="int8")
    torch.testing.assert_close(
        checkpoint.load(tmp_path / "again").model.state_dict(), once.model.state_dict(), rtol=1e-6, atol=0
    )


_WEIGHTS = st.floats(-(2.0**100), 2.0**100, width=32).map(lambda x: x if abs(x) > 1e-30 else 0.0)


@given(st.lists(st.lists(_WEIGHTS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_any_finite_rows(rows: list[list[float]]) -> None:
    value = torch.tensor(rows)
    parts = int8_rows.stored("w", value)
    found = int8_rows.restored("w", parts["w"], parts["w_scale"], "file")
    assert bool(((found - value).abs() <= value.abs().amax(1, keepdim=True) / 254 * 1.001).all())


def test_nan_is_refused() -> None:
    with pytest.raises(CheckpointError, match="parameter 'w' holds NaN or infinity, which int8 checkpoints"):
        int8_rows.stored("w", torch.tensor([[1.0, float("nan")]]))
    with pytest.raises(CheckpointError, match="parameter 'b' holds numbers beyond float16's"):
        int8_rows.stored("b", torch.tensor([1.0, 7e4]))
    assert int8_rows.stored("w", torch.tensor([[1.0, 7e4]])).keys() == {"w", "w_scale"}


def test_scales_that_are_missing_or_misshapen_are_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    good = load_file(path)
    name = "model.layers.0.mlp.up_proj.weight"
    scale = f"{name}_scale"
    save_file({key: value for key, value in good.items() if key != scale}, path)
    with pytest.raises(CheckpointError, match=rf"model\.safetensors: tensor '{name}' is stored as int8 and its scales"):
        checkpoint.load(folder)
    save_file({**good, scale: good[scale][:-1]}, path)
    with pytest.raises(CheckpointError, match=rf"tensor '{scale}' has the shape .*, expected floats of the shape"):
        checkpoint.load(folder)
    for shape in ((), (4,)):
        save_file({**good, name: torch.ones(shape, dtype=torch.int8)}, path)
        with pytest.raises(CheckpointError, match=rf"tensor '{name}' is stored as int8 and has the shape .* a matrix"):
            checkpoint.load(folder)
    save_file({**good, "model.norm.weight_scale": torch.ones(1, 1)}, path)
    with pytest.raises(CheckpointError, match=r"tensor 'model\.norm\.weight_scale' .*nothing is stored as int8"):
        checkpoint.load(folder)


def test_another_quantization_is_refused_by_its_name(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "quantization_config": {"quant_method": "awq"}}))
    with pytest.raises(ConfigError, match=r"config\.json: field 'quantization_config' has the quant_method 'awq'"):
        checkpoint.load(folder)
