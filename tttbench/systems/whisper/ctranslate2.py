"""A Whisper model in CTranslate2's ``model.bin`` form, turned into openai-whisper's parameters.

Pure: bytes in, NumPy arrays by openai-whisper's names out. Knows no package, no cache and no network.
The file is a list of named tensors (little endian): u32 format version, name of the model's kind, u32 revision, u32
number of tensors; for each its name, u8 rank, u32 dimensions, u8 type, u32 size in bytes, data; then aliases. Names
are preceded by their u16 length and end in a zero byte.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[np.generic]

_DTYPES: tuple[str, ...] = ("<f4", "<i1", "<i2", "<i4", "<f2")
_FORMAT_VERSION = 6


@dataclass(frozen=True)
class ConvertedWhisper:
    """Parameters by openai-whisper's names, float16 or float32, and what ``whisper.model.ModelDimensions`` asks for."""

    parameters: Mapping[str, Tensor]
    dims: Mapping[str, int]


def read_tensors(data: bytes) -> dict[str, Tensor]:
    """Read a ``model.bin`` of a Whisper model.

    Returns:
        Arrays by CTranslate2's names, in the types they are stored in; they share memory with ``data``.

    Raises:
        ValueError: another version, another kind of model, or a file that ends too early.
    """
    reader = _Reader(data)
    version = reader.number("I")
    if version != _FORMAT_VERSION:
        raise ValueError(f"CTranslate2 format version {version}; only {_FORMAT_VERSION} is understood")
    kind = reader.text()
    if kind != "WhisperSpec":
        raise ValueError(f"holds a {kind!r}, not a Whisper model")
    reader.number("I")
    tensors = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = tuple(reader.number("I") for _ in range(reader.number("B")))
        dtype_id = reader.number("B")
        if dtype_id >= len(_DTYPES):
            raise ValueError(f"tensor {name!r} has the unknown type {dtype_id}")
        size = reader.number("I")
        tensors[name] = np.frombuffer(reader.take(size), dtype=_DTYPES[dtype_id]).reshape(shape)
    return tensors


def convert(tensors: Mapping[str, Tensor]) -> ConvertedWhisper:
    """Turn CTranslate2's tensors into openai-whisper's parameters.

    Int8 and int16 weights are multiplied out with their scales. The rows of fused projections are split:
    self-attention holds query, key, value; cross-attention ``linear_1`` holds key, value. Whisper's keys have no
    bias, so that part must be zero.

    Raises:
        ValueError: a tensor is missing, or a key has a bias.
    """
    source = _Source(tensors)
    state: dict[str, Tensor] = {}
    encoder_layers, decoder_layers = source.layers("encoder"), source.layers("decoder")
    for conv in ("conv1", "conv2"):
        state[f"encoder.{conv}.weight"] = source.weight(f"encoder/{conv}")
        state[f"encoder.{conv}.bias"] = source.get(f"encoder/{conv}/bias")
    state["encoder.positional_embedding"] = source.get("encoder/position_encodings/encodings")
    state["decoder.positional_embedding"] = source.get("decoder/position_encodings/encodings")
    state["decoder.token_embedding.weight"] = source.weight("decoder/embeddings")
    for part, layers, final_norm in (("encoder", encoder_layers, "ln_post"), ("decoder", decoder_layers, "ln")):
        for layer in range(layers):
            _convert_layer(source, f"{part}/layer_{layer}", f"{part}.blocks.{layer}", part == "decoder", state)
        _convert_norm(source, f"{part}/layer_norm", f"{part}.{final_norm}", state)

    audio_state, n_mels, _ = state["encoder.conv1.weight"].shape
    n_vocab, text_state = state["decoder.token_embedding.weight"].shape
    dims = {
        "n_mels": n_mels,
        "n_audio_ctx": state["encoder.positional_embedding"].shape[0],
        "n_audio_state": audio_state,
        "n_audio_head": int(source.get("encoder/num_heads")),
        "n_audio_layer": encoder_layers,
        "n_vocab": n_vocab,
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": text_state,
        "n_text_head": int(source.get("decoder/num_heads")),
        "n_text_layer": decoder_layers,
    }
    return ConvertedWhisper(state, dims)


class _Reader:
    """Walks through the bytes of a file and complains when they end."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._offset = 0

    def take(self, size: int) -> memoryview:
        end = self._offset + size
        if end > len(self._data):
            raise ValueError(f"the file ends at byte {len(self._data)}, byte {end} is needed")
        chunk = self._data[self._offset : end]
        self._offset = end
        return chunk

    def number(self, code: str) -> int:
        return int(struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0])

    def text(self) -> str:
        return bytes(self.take(self.number("H"))).rstrip(b"\0").decode()


class _Source:
    """CTranslate2's tensors, with scales multiplied out."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    def get(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise ValueError(f"the model has no tensor {name!r}")
        return self._tensors[name]

    def weight(self, name: str) -> Tensor:
        """``name/weight``; for integer weights divided by ``name/weight_scale``, one scale a row (or one in all)."""
        weight = self.get(f"{name}/weight")
        if weight.dtype.kind == "f":
            return weight
        scale = np.asarray(self.get(f"{name}/weight_scale"), dtype=np.float32)
        scale = scale.reshape(-1, *[1] * (weight.ndim - 1))
        return weight.astype(np.float32) / scale

    def layers(self, part: str) -> int:
        count = 0
        while f"{part}/layer_{count}/ffn/layer_norm/gamma" in self._tensors:
            count += 1
        return count


def _convert_norm(source: _Source, old: str, new: str, state: dict[str, Tensor]) -> None:
    state[f"{new}.weight"] = source.get(f"{old}/gamma")
    state[f"{new}.bias"] = source.get(f"{old}/beta")


def _convert_linear(source: _Source, old: str, new: tuple[str, ...], state: dict[str, Tensor]) -> None:
    """Split one stored projection into the ``new`` ones, by rows."""
    weights = np.split(source.weight(old), len(new))
    biases = np.split(source.get(f"{old}/bias"), len(new))
    for name, weight, bias in zip(new, weights, biases, strict=True):
        state[f"{name}.weight"] = weight
        if name.endswith(".key"):
            if np.any(np.asarray(bias)):
                raise ValueError(f"{old!r} gives the keys a bias, which Whisper has no place for")
        else:
            state[f"{name}.bias"] = bias


def _convert_layer(source: _Source, old: str, new: str, is_decoder: bool, state: dict[str, Tensor]) -> None:
    fused = (f"{new}.attn.query", f"{new}.attn.key", f"{new}.attn.value")
    _convert_linear(source, f"{old}/self_attention/linear_0", fused, state)
    _convert_linear(source, f"{old}/self_attention/linear_1", (f"{new}.attn.out",), state)
    _convert_norm(source, f"{old}/self_attention/layer_norm", f"{new}.attn_ln", state)
    if is_decoder:
        cross = f"{new}.cross_attn"
        _convert_linear(source, f"{old}/attention/linear_0", (f"{cross}.query",), state)
        _convert_linear(source, f"{old}/attention/linear_1", (f"{cross}.key", f"{cross}.value"), state)
        _convert_linear(source, f"{old}/attention/linear_2", (f"{cross}.out",), state)
        _convert_norm(source, f"{old}/attention/layer_norm", f"{new}.cross_attn_ln", state)
    _convert_linear(source, f"{old}/ffn/linear_0", (f"{new}.mlp.0",), state)
    _convert_linear(source, f"{old}/ffn/linear_1", (f"{new}.mlp.2",), state)
    _convert_norm(source, f"{old}/ffn/layer_norm", f"{new}.mlp_ln", state)
