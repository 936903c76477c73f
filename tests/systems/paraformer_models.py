"""A model in Paraformer's form whose texts can be told beforehand: a letter for each frame, by where its energy lies.

It has the inputs, outputs, metadata and tokens that sherpa-onnx expects of a Paraformer, and one matrix in place of
encoder, predictor and decoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.exchange import Waveform

SAMPLE_RATE_HZ = 16_000
TOKENS = ("<blank>", "<s>", "</s>", "低", "高", "hi")
LOW, HIGH = 3, 4
FEATURES, WINDOW, SHIFT = 80, 7, 6
METADATA: Mapping[str, str] = {
    "model_type": "paraformer",
    "vocab_size": str(len(TOKENS)),
    "lfr_window_size": str(WINDOW),
    "lfr_window_shift": str(SHIFT),
    "neg_mean": ",".join(["0"] * FEATURES * WINDOW),
    "inv_stddev": ",".join(["1"] * FEATURES * WINDOW),
}


def write_paraformer(folder: Path, metadata: Mapping[str, str] = METADATA, name: str = "model.onnx") -> Path:
    """Write the model and its tokens. Frames of low tones are ``低``, those of high ones ``高``."""
    pytest.importorskip("onnx", reason="needs pip install onnx")
    from onnx import TensorProto, helper, numpy_helper, save

    bands = np.zeros((WINDOW, FEATURES, len(TOKENS)), np.float32)
    bands[:, :20, LOW] = 1 / (WINDOW * 20)
    bands[:, 40:, HIGH] = 1 / (WINDOW * 40)
    bias = np.full(len(TOKENS), -50, np.float32)
    bias[[LOW, HIGH]] = 0
    wide = FEATURES * WINDOW
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["speech", "bands"], ["energies"]),
            helper.make_node("Add", ["energies", "bias"], ["logits"]),
            helper.make_node("Cast", ["speech_lengths"], ["token_num"], to=TensorProto.INT64),
        ],
        "tones",
        [
            helper.make_tensor_value_info("speech", TensorProto.FLOAT, ["N", "T", wide]),
            helper.make_tensor_value_info("speech_lengths", TensorProto.INT32, ["N"]),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", len(TOKENS)]),
            helper.make_tensor_value_info("token_num", TensorProto.INT64, ["N"]),
        ],
        [numpy_helper.from_array(bands.reshape(wide, -1), "bands"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    folder.mkdir(parents=True, exist_ok=True)
    save(model, folder / name)
    write_tokens(folder, TOKENS)
    return folder


def write_tokens(folder: Path, tokens: tuple[str, ...]) -> None:
    """Write ``tokens.txt``: a token and its number a line."""
    lines = "".join(f"{token} {at}\n" for at, token in enumerate(tokens))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")


def tones(*heights_hz: float, seconds: float = 0.36, rate: int = SAMPLE_RATE_HZ) -> Waveform:
    """Tones one after the other, each of six frames of the model."""
    t = np.arange(round(seconds * rate)) / rate
    return np.concatenate([0.3 * np.sin(2 * np.pi * height * t) for height in heights_hz]).astype(np.float32)
