"""Checkpoints of several files: read one file and one tensor at a time; what is wrong in one of them is named."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from reference_model import checkpoint
from reference_model.errors import CheckpointError

from .checkpoints import released_layout, small
from .shapes import random_model

INDEX = "model.safetensors.index.json"


def write(folder: Path, stored: str = "float32") -> list[Path]:
    """A checkpoint of at least five files; returns them in order."""
    tokenizer = released_layout()
    size = 1000 * checkpoint.DTYPES[stored].itemsize
    checkpoint.save(random_model(small(tokenizer)), tokenizer, folder, dtype=stored, shard_bytes=size)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) >= 5
    return shards


class Watched:
    """``safe_open`` that notes which files are open and how many of the tensors read are still alive."""

    events: list[tuple[str, str]]
    read: list[weakref.ref[torch.Tensor]]
    most_alive: int

    def __init__(self, path: str, framework: str) -> None:
        self._opened = safe_open(path, framework)
        self._name = Path(path).name

    def __enter__(self) -> Watched:
        Watched.events.append(("open", self._name))
        self._file: Any = self._opened.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        Watched.events.append(("close", self._name))
        self._opened.__exit__(*raised)

    def keys(self) -> list[str]:
        return list(self._file.keys())

    def get_tensor(self, name: str) -> torch.Tensor:
        tensor: torch.Tensor = self._file.get_tensor(name)
        Watched.read.append(weakref.ref(tensor))
        Watched.most_alive = max(Watched.most_alive, sum(reference() is not None for reference in Watched.read))
        return tensor


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    Watched.events, Watched.read, Watched.most_alive = [], [], 0
    monkeypatch.setattr(checkpoint, "safe_open", Watched)
    return Watched


def test_one_file_is_open_at_a_time(tmp_path: Path, watched: type[Watched]) -> None:
    shards = write(tmp_path)
    checkpoint.load(tmp_path)
    assert watched.events == [(what, shard.name) for shard in shards for what in ("open", "close")]


def test_no_more_than_two_stored_tensors_are_held_beside_the_model(tmp_path: Path, watched: type[Watched]) -> None:
    """The one that is being converted, and the one before it until its name is given away."""
    write(tmp_path, stored="bfloat16")
    checkpoint.load(tmp_path, dtype="float32")
    assert len(watched.read) > 20
    assert watched.most_alive <= 2


def test_a_file_is_closed_when_a_tensor_of_it_is_refused(tmp_path: Path, watched: type[Watched]) -> None:
    shards = write(tmp_path)
    tensors = load_file(shards[1])
    save_file({name: value[..., :-1].contiguous() for name, value in tensors.items()}, shards[1])
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path)
    assert watched.events[-1] == ("close", shards[1].name)
    assert [what for what, _ in watched.events].count("open") == 2


def change(shard: Path, name: str, value: torch.Tensor | None) -> None:
    tensors = load_file(shard)
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    save_file(tensors, shard)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("model.norm.weight", None, "'model.norm.weight' is missing, but .*index.json puts it here"),
        ("model.norm.weight", torch.ones(17), r"'model.norm.weight' has the shape \(17,\), .* asks for \(16,\)"),
        ("model.norm.bias", torch.ones(16), "'model.norm.bias' belongs to no part"),
        ("model.norm.weight", torch.ones(16, dtype=torch.int64), "'model.norm.weight' is stored as torch.int64"),
    ],
)
def test_a_wrong_tensor_is_named_with_its_file(
    tmp_path: Path, name: str, value: torch.Tensor | None, said: str
) -> None:
    write(tmp_path)
    place = json.loads((tmp_path / INDEX).read_text())["weight_map"]["model.norm.weight"]
    change(tmp_path / place, name, value)
    with pytest.raises(CheckpointError, match=f"{place}: tensor {said}"):
        checkpoint.load(tmp_path)


def test_a_tensor_that_index_and_files_lack_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    index = json.loads((tmp_path / INDEX).read_text())
    place = index["weight_map"].pop("model.norm.weight")
    (tmp_path / INDEX).write_text(json.dumps(index))
    change(tmp_path / place, "model.norm.weight", None)
    with pytest.raises(CheckpointError, match=r"1 tensors are missing, the first is 'model.norm.weight'"):
        checkpoint.load(tmp_path)


def test_a_tensor_in_two_files_is_named(tmp_path: Path) -> None:
    shards = write(tmp_path)
    for shard in (shards[0], shards[-1]):
        change(shard, "model.norm.weight", torch.ones(16))
    with pytest.raises(CheckpointError, match=r"'model.norm.weight' is stored in another file"):
        checkpoint.load(tmp_path)


def test_a_tied_head_that_is_stored_too_is_read_over(tmp_path: Path) -> None:
    shards = write(tmp_path)
    expected = checkpoint.load(tmp_path).model.state_dict()
    change(shards[-1], "lm_head.weight", expected["model.embed_tokens.weight"].clone())
    found = checkpoint.load(tmp_path).model
    assert found.lm_head.weight is found.model.embed_tokens.weight
    assert all(torch.equal(found.state_dict()[name], value) for name, value in expected.items())


def test_a_tied_head_of_another_shape_is_named(tmp_path: Path) -> None:
    shards = write(tmp_path)
    change(shards[-1], "lm_head.weight", torch.ones(3, 16))
    with pytest.raises(CheckpointError, match=r"'lm_head.weight' has the shape \(3, 16\)"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("place", ["../elsewhere.safetensors", "/etc/passwd", 7, None])
def test_an_index_that_points_out_of_the_folder_is_refused(tmp_path: Path, place: object) -> None:
    write(tmp_path)
    index = json.loads((tmp_path / INDEX).read_text())
    index["weight_map"]["model.norm.weight"] = place
    (tmp_path / INDEX).write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"'model.norm.weight' points to"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"weight_map": []}', '{"metadata": {}}', "{"])
def test_an_index_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path)
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(CheckpointError, match=r"index\.json: not a readable index"):
        checkpoint.load(tmp_path)
