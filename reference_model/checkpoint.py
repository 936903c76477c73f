"""Load and save a checkpoint folder: ``config.json``, safetensors (one or many), ``tokenizer.json``.

Checkpoints that lie side by side may share a tokenizer: without a file of their own, ``config.json`` names one that
stands beside the folder (``"shared_tokenizer": "tokenizer.json"``). What is saved always has its own.
The layout is Hugging Face's, so ``transformers`` opens what is saved here. No pickles, no remote code. Knows files and
tensors' names and shapes; nothing of decoding.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from reference_model import int8_rows
from reference_model.config import INT8_ROWS, SHARED_TOKENIZER, TtTConfig
from reference_model.draft_heads import read_draft_heads
from reference_model.errors import CheckpointError
from reference_model.finite import FiniteWeights
from reference_model.tokens import TtTTokenizer
from reference_model.transformer import TtTModel
from reference_model.whole_file import save_whole

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
"""Names of the dtypes that weights can be computed or stored in."""

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_HEAD = "lm_head.weight"
_FORMAT = {"format": "pt"}


@dataclass(frozen=True)
class Loaded:
    """A checkpoint in memory."""

    model: TtTModel
    tokenizer: TtTTokenizer
    folder: Path


def load(source: str | Path, *, device: str = "cpu", dtype: str = "float32", attention: str = "auto") -> Loaded:
    """Load a checkpoint folder or a Hugging Face hub id, ready for inference.

    Args:
        source: a folder, or an id such as ``owner/name`` (needs ``huggingface_hub``).
        device: where the weights go.
        dtype: what is computed in: ``"float32"``, ``"bfloat16"``, ``"float16"`` or ``"float64"``, whatever is stored.
        attention: attention backend, see ``reference_model.attention``.

    Returns:
        Model (in eval mode), tokenizer and folder.

    Raises:
        CheckpointError, ConfigError, TokenizerError: naming file and tensor, field or token.
    """
    folder = find(source)
    path = tokenizer_file(folder)
    tokenizer = TtTTokenizer.from_file(path)
    config = TtTConfig.from_file(folder / "config.json", tokenizer.ids)
    if tokenizer.vocab_size > config.vocab_size:
        raise CheckpointError(
            f"{path}: holds {tokenizer.vocab_size} tokens, more than vocab_size = {config.vocab_size} of config.json"
        )
    with torch.device("meta"):
        model = TtTModel(config, attention, initialise=False)
    read_weights(model, folder, device=device, dtype=dtype)
    model.draft_heads = read_draft_heads(folder, config.hidden_size, device=device, dtype=_dtype(dtype))
    return Loaded(model.eval().requires_grad_(False), tokenizer, folder)


def save(
    model: TtTModel,
    tokenizer: TtTTokenizer,
    folder: str | Path,
    *,
    dtype: str = "float32",
    shard_bytes: int = 5 * 2**30,
    weights: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint folder.

    Args:
        model: weights and configuration.
        tokenizer: written beside them.
        folder: made if need be.
        dtype: what the weights are stored in: one of those of ``load``, or ``"int8"``: matrices with a scale per row,
            see ``reference_model.int8_rows``.
        shard_bytes: beyond this size the weights are split into several files with an index.
        weights: in place of the model's own, where these are spread over several processes.

    Raises:
        CheckpointError: for an unknown dtype.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    in_int8 = dtype == int8_rows.NAME
    stored = torch.float32 if in_int8 else _dtype(dtype)
    tensors = {
        name: value.detach().to("cpu", stored, copy=True).contiguous()
        for name, value in (model.state_dict() if weights is None else weights).items()
        if not (name == _HEAD and model.config.tie_word_embeddings)
    }
    parts = {name: int8_rows.stored(name, value) if in_int8 else {name: value} for name, value in tensors.items()}
    _write_weights(list(parts.values()), target, shard_bytes)
    config = model.config.to_json("float16", INT8_ROWS) if in_int8 else model.config.to_json(dtype)
    text = json.dumps(config, indent=2) + "\n"
    (target / "config.json").write_text(text, encoding="utf-8")
    tokenizer.save(target / "tokenizer.json")


def find(source: str | Path) -> Path:
    """The folder of a checkpoint; a hub id is fetched into the hub's cache.

    Raises:
        CheckpointError: if there is no such folder and the hub can't be asked.
    """
    folder = Path(source).expanduser()
    if os.path.isdir(folder):
        return folder
    text = str(source)
    if text.startswith((".", "/", "~")) or text.count("/") != 1:
        raise CheckpointError(f"{text}: no such folder (and not of the form owner/name, so not a hub id)")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise CheckpointError(
            f"{text}: no such folder; to fetch it as a hub id, pip install huggingface_hub, "
            "or download it and give the folder"
        ) from None
    try:
        wanted = ["config.json", "tokenizer.json", "*.safetensors", "*.safetensors.index.json"]
        return Path(snapshot_download(text, allow_patterns=wanted))
    except Exception as error:  # no network, no such repository, no permission: the hub's own words say which
        raise CheckpointError(f"{text}: no such folder, and the hub did not give it: {error}") from error


def tokenizer_file(folder: Path) -> Path:
    """The tokenizer of a checkpoint, there or not: its own, or the one beside the folder that ``config.json`` names.

    Raises:
        CheckpointError: if what is named isn't the name of a file there.
    """
    own, config = folder / "tokenizer.json", folder / "config.json"
    if own.exists():
        return own
    try:
        name = json.loads(config.read_text(encoding="utf-8")).get(SHARED_TOKENIZER)
    except (OSError, ValueError, AttributeError):
        return own  # what is wrong with it is said where the configuration is read
    if name is None:
        return own
    shared = folder.resolve().parent / name if isinstance(name, str) and Path(name).name == name else None
    if shared is None or not shared.is_file():
        raise CheckpointError(
            f"{config}: field {SHARED_TOKENIZER!r} is {name!r}, which is no file beside the folder "
            f"{folder.resolve().name!r}; put it there, or its content into {own}"
        )
    return shared


def read_weights(model: TtTModel, folder: Path, *, device: str = "cpu", dtype: str = "float32") -> None:
    """Fill a model (on the meta device or not) from a folder's safetensors, tensor by tensor.

    Raises:
        CheckpointError: naming missing, extra or misshapen tensors, those that hold NaN or infinity, or a damaged file.
    """
    target = _dtype(dtype)
    tied = model.config.tie_word_embeddings
    expected = {name: tuple(p.shape) for name, p in model.state_dict().items() if not (tied and name == _HEAD)}
    weights: dict[str, Tensor] = {}
    finite = FiniteWeights()
    for name, value, path in stored_tensors(folder):
        # A tied head may be stored, too, and is then the embedding once more.
        shape = expected["model.embed_tokens.weight"] if tied and name == _HEAD else expected.get(name)
        if shape is None:
            raise CheckpointError(f"{path}: tensor {name!r} belongs to no part of the model that config.json describes")
        if tuple(value.shape) != shape:
            raise CheckpointError(
                f"{path}: tensor {name!r} has the shape {tuple(value.shape)}, config.json asks for {shape}"
            )
        if not value.is_floating_point():
            raise CheckpointError(f"{path}: tensor {name!r} is stored as {value.dtype}, expected a float type")
        if name in weights:
            raise CheckpointError(f"{path}: tensor {name!r} is stored in another file of the folder, too; keep one")
        if tied and name == _HEAD:
            continue
        weights[name] = value.to(device, target)
        finite.look(name, weights[name], path, stored=value)
    finite.finish()
    missing = sorted(expected.keys() - weights.keys())
    if missing:
        raise CheckpointError(f"{folder}: {len(missing)} tensors are missing, the first is {missing[0]!r}")
    if tied:
        weights[_HEAD] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights, strict=True, assign=model.device.type == "meta")
    if tied:
        model.lm_head.weight = model.model.embed_tokens.weight


def _dtype(name: str) -> torch.dtype:
    if name not in DTYPES:
        raise CheckpointError(f"dtype={name!r} is unknown; choose one of {', '.join(map(repr, DTYPES))}")
    return DTYPES[name]


def stored_tensors(folder: Path) -> Iterator[tuple[str, Tensor, Path]]:
    """Every tensor of the folder with its file, read one at a time; one stored as int8 comes as what it stands for."""
    for path, names in _files(folder).items():
        with ExitStack() as stack:
            try:
                file = stack.enter_context(safe_open(str(path), framework="pt"))
                held = set(file.keys())
            except FileNotFoundError:
                raise CheckpointError(f"{path}: no such file, but {_INDEX} names it") from None
            except (OSError, SafetensorError) as error:
                raise CheckpointError(f"{path}: not a readable safetensors file ({error}); fetch it again") from error
            absent = sorted((names or set()) - held)
            if absent:
                raise CheckpointError(f"{path}: tensor {absent[0]!r} is missing, but {_INDEX} puts it here")
            for name in sorted(held):
                if not int8_rows.is_scale(name, held):
                    scale = file.get_tensor(name + int8_rows.SCALE) if name + int8_rows.SCALE in held else None
                    yield name, int8_rows.restored(name, file.get_tensor(name), scale, path), path


def _files(folder: Path) -> dict[Path, set[str] | None]:
    """The weight files and the tensors to read of each; None means all."""
    single, index = folder / _WEIGHTS, folder / _INDEX
    if single.is_file():
        return {single: None}
    if not index.is_file():
        raise CheckpointError(f"{folder}: holds neither {_WEIGHTS} nor {_INDEX}; weights in other formats are not read")
    try:
        placed = json.loads(index.read_text(encoding="utf-8"))["weight_map"].items()
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{index}: not a readable index with a 'weight_map' ({error!r})") from error
    files: dict[Path, set[str] | None] = {}
    for name, file in placed:
        if not isinstance(file, str) or Path(file).name != file:
            raise CheckpointError(f"{index}: tensor {name!r} points to {file!r}, which is no file name of this folder")
        names = files.setdefault(folder / file, set())
        assert names is not None
        names.add(name)
    return files


def _write_weights(parts: Sequence[Mapping[str, Tensor]], folder: Path, shard_bytes: int) -> None:
    """Write tensors; those of one part stay in one file."""
    before = {*folder.glob("model*.safetensors"), folder / _INDEX}
    shards: list[dict[str, Tensor]] = [{}]
    room = shard_bytes
    for part in parts:
        size = sum(value.nbytes for value in part.values())
        if shards[-1] and size > room:
            shards.append({})
            room = shard_bytes
        shards[-1].update(part)
        room -= size
    if len(shards) == 1:
        save_whole(shards[0], folder / _WEIGHTS, _FORMAT)
        _remove(before - {folder / _WEIGHTS})
        return
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_whole(shard, folder / file, _FORMAT)
        places.update(dict.fromkeys(shard, file))
    total = sum(value.nbytes for part in parts for value in part.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / _INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    _remove(before - {folder / _INDEX, *(folder / file for file in places.values())})


def _remove(paths: set[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
