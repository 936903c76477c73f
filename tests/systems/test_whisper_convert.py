"""The converter against a file written here byte by byte from an openai-whisper model."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from whisper.model import ModelDimensions, Whisper

from tttbench.systems.whisper.ctranslate2 import convert, read_tensors

DIMS = {
    "n_mels": 4,
    "n_audio_ctx": 6,
    "n_audio_state": 8,
    "n_audio_head": 2,
    "n_audio_layer": 1,
    "n_vocab": 11,
    "n_text_ctx": 5,
    "n_text_state": 8,
    "n_text_head": 4,
    "n_text_layer": 2,
}
TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def text(value: str) -> bytes:
    raw = value.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def write_file(tensors: dict[str, np.ndarray], version: int = 6, kind: str = "WhisperSpec") -> bytes:
    out = struct.pack("<I", version) + text(kind) + struct.pack("<II", 3, len(tensors))
    for name, value in tensors.items():
        data = np.ascontiguousarray(value).tobytes()
        out += text(name) + struct.pack("<B", value.ndim) + struct.pack(f"<{value.ndim}I", *value.shape)
        out += struct.pack("<BI", TYPES[value.dtype.name], len(data)) + data
    return out + struct.pack("<I", 0)


def fuse(state: dict[str, np.ndarray], *names: str) -> dict[str, np.ndarray]:
    width = len(state[f"{names[0]}.weight"])
    biases = [state.get(f"{name}.bias", np.zeros(width, state[f"{name}.weight"].dtype)) for name in names]
    return {"weight": np.concatenate([state[f"{name}.weight"] for name in names]), "bias": np.concatenate(biases)}


def as_ctranslate2(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The names and fusions of CTranslate2, from the format's description."""
    out: dict[str, np.ndarray] = {
        "encoder/num_heads": np.array(2, np.int16),
        "decoder/num_heads": np.array(4, np.int16),
        "encoder/position_encodings/encodings": state["encoder.positional_embedding"],
        "decoder/position_encodings/encodings": state["decoder.positional_embedding"],
        "decoder/embeddings/weight": state["decoder.token_embedding.weight"],
    }

    def put(name: str, entry: dict[str, np.ndarray]) -> None:
        out.update({f"{name}/{key}": value for key, value in entry.items()})

    def norm(name: str) -> dict[str, np.ndarray]:
        return {"gamma": state[f"{name}.weight"], "beta": state[f"{name}.bias"]}

    put("encoder/conv1", fuse(state, "encoder.conv1"))
    put("encoder/conv2", fuse(state, "encoder.conv2"))
    put("encoder/layer_norm", norm("encoder.ln_post"))
    put("decoder/layer_norm", norm("decoder.ln"))
    for part, layers in (("encoder", 1), ("decoder", 2)):
        for layer in range(layers):
            new, old = f"{part}/layer_{layer}", f"{part}.blocks.{layer}"
            put(f"{new}/self_attention/linear_0", fuse(state, *(f"{old}.attn.{n}" for n in ("query", "key", "value"))))
            put(f"{new}/self_attention/linear_1", fuse(state, f"{old}.attn.out"))
            put(f"{new}/self_attention/layer_norm", norm(f"{old}.attn_ln"))
            put(f"{new}/ffn/linear_0", fuse(state, f"{old}.mlp.0"))
            put(f"{new}/ffn/linear_1", fuse(state, f"{old}.mlp.2"))
            put(f"{new}/ffn/layer_norm", norm(f"{old}.mlp_ln"))
            if part == "decoder":
                put(f"{new}/attention/linear_0", fuse(state, f"{old}.cross_attn.query"))
                put(f"{new}/attention/linear_1", fuse(state, f"{old}.cross_attn.key", f"{old}.cross_attn.value"))
                put(f"{new}/attention/linear_2", fuse(state, f"{old}.cross_attn.out"))
                put(f"{new}/attention/layer_norm", norm(f"{old}.cross_attn_ln"))
    return out


@pytest.fixture
def state() -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    model = Whisper(ModelDimensions(**DIMS))
    return {name: torch.randn_like(value).numpy() for name, value in model.state_dict().items()}


def test_every_parameter_arrives_where_whisper_looks_for_it(state: dict[str, np.ndarray]) -> None:
    converted = convert(read_tensors(write_file(as_ctranslate2(state))))
    assert converted.dims == DIMS
    assert set(converted.parameters) == set(state)
    for name, value in state.items():
        np.testing.assert_array_equal(converted.parameters[name], value, err_msg=name)


def test_float16_is_kept(state: dict[str, np.ndarray]) -> None:
    halves = {name: value.astype(np.float16) for name, value in state.items()}
    converted = convert(read_tensors(write_file(as_ctranslate2(halves))))
    assert {value.dtype for value in converted.parameters.values()} == {np.dtype(np.float16)}


def test_int8_rows_are_divided_by_their_scales(state: dict[str, np.ndarray]) -> None:
    tensors = as_ctranslate2(state)
    name = "encoder/layer_0/ffn/linear_1"
    stored = np.arange(-128, 128, dtype=np.int8).reshape(8, 32)
    scale = np.array([1, 2, 4, 8, 16, 32, 64, 128], np.float32)
    tensors |= {f"{name}/weight": stored, f"{name}/weight_scale": scale}
    weight = convert(read_tensors(write_file(tensors))).parameters["encoder.blocks.0.mlp.2.weight"]
    assert weight[0, 0] == -128.0  # first row, scale 1
    assert weight[3, 0] == -32 / 8  # fourth row begins with -128 + 3 * 32
    assert weight[7, 31] == 127 / 128


def test_int16_has_one_scale_in_all(state: dict[str, np.ndarray]) -> None:
    tensors = as_ctranslate2(state)
    tensors["decoder/embeddings/weight"] = np.full((11, 8), 300, np.int16)
    tensors["decoder/embeddings/weight_scale"] = np.array(100, np.float32)
    weight = convert(read_tensors(write_file(tensors))).parameters["decoder.token_embedding.weight"]
    np.testing.assert_array_equal(weight, np.full((11, 8), 3.0))


def test_a_key_with_a_bias_is_refused(state: dict[str, np.ndarray]) -> None:
    tensors = as_ctranslate2(state)
    tensors["decoder/layer_1/attention/linear_1/bias"][0] = 0.5  # the first half belongs to the key
    with pytest.raises(ValueError, match="keys a bias"):
        convert(read_tensors(write_file(tensors)))


def test_a_missing_tensor_is_named(state: dict[str, np.ndarray]) -> None:
    tensors = as_ctranslate2(state)
    del tensors["encoder/conv2/bias"]
    with pytest.raises(ValueError, match="encoder/conv2/bias"):
        convert(read_tensors(write_file(tensors)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (write_file({}, version=5), "version 5"),
        (write_file({}, kind="TransformerSpec"), "'TransformerSpec', not a Whisper model"),
        (write_file({"a": np.zeros(4, np.float32)})[:-9], "the file ends at byte"),
    ],
)
def test_other_files_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_tensors(data)
