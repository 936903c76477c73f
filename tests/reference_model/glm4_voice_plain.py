"""GLM-4-Voice's tokenizer once more, slowly: one recording, one row, one key at a time, in float64, from the formulas.

Shares no code with the product, and no library but NumPy. Also writes small random folders in the released form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

Array = npt.NDArray[np.float64]
Weights = Mapping[str, npt.NDArray[np.float32]]

CHUNK = 480_000

SMALL: dict[str, Any] = {
    "architectures": ["WhisperVQEncoder"],
    "model_type": "whisper",
    "activation_function": "gelu",
    "d_model": 16,
    "encoder_layers": 4,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "num_mel_bins": 20,
    "max_source_positions": 1500,
    "dropout": 0.0,
    "pooling_kernel_size": 4,
    "pooling_type": "avg",
    "pooling_position": 2,
    "quantize_position": 2,
    "quantize_vocab_size": 48,
    "quantize_causal_block_size": 200,
    "quantize_causal_encoder": False,
    "quantize_commit_coefficient": 0.25,
    "quantize_ema_decay": 0.99,
    "quantize_encoder_only": True,
    "encoder_causal_attention": False,
    "encoder_causal_convolution": True,
    "skip_language_detection": True,
}
"""A ``config.json`` with all fields of the released one that matter, and some that don't."""


def shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the released tensors."""
    width, inner, words = config["d_model"], config["encoder_ffn_dim"], config["quantize_vocab_size"]
    found: dict[str, tuple[int, ...]] = {
        "conv1.weight": (width, config["num_mel_bins"], 3),
        "conv1.bias": (width,),
        "conv2.weight": (width, width, 3),
        "conv2.bias": (width,),
        "embed_positions.weight": (config["max_source_positions"], width),
        "codebook.weight": (words, width),
        "embed_positions2.weight": (config["max_source_positions"] // config["pooling_kernel_size"], width),
        "ema_count": (words,),
        "ema_weight": (words, width),
    }
    for layer in range(config["quantize_position"]):
        at = f"layers.{layer}."
        for part in ("q", "k", "v", "out"):
            found[f"{at}self_attn.{part}_proj.weight"] = (width, width)
            if part != "k":
                found[f"{at}self_attn.{part}_proj.bias"] = (width,)
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            found |= {f"{at}{norm}.weight": (width,), f"{at}{norm}.bias": (width,)}
        found |= {f"{at}fc1.weight": (inner, width), f"{at}fc1.bias": (inner,)}
        found |= {f"{at}fc2.weight": (width, inner), f"{at}fc2.bias": (width,)}
    return found


def random_weights(config: Mapping[str, Any], seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Weights under which the sound decides the codes, and many codes occur."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in shapes(config).items():
        scale = 0.1 if len(shape) == 1 else 1.5 / math.sqrt(math.prod(shape[1:]))
        if name == "embed_positions.weight":
            scale = 0.3
        if name in ("codebook.weight", "ema_weight"):
            scale = 1.0
        values = scale * rng.standard_normal(shape)
        found[name] = (values + (name.endswith("norm.weight"))).astype(np.float32)
    return found


def write_folder(folder: Path, config: Mapping[str, Any] = SMALL, weights: Weights | None = None) -> Path:
    """Write ``config.json``, ``preprocessor_config.json`` and ``model.safetensors``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    preprocessor = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": config["num_mel_bins"],
        "sampling_rate": 16000,
        "chunk_length": 30,
        "n_samples": CHUNK,
        "nb_max_frames": 3000,
        "hop_length": 160,
        "n_fft": 400,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    save_file(dict(random_weights(config) if weights is None else weights), folder / "model.safetensors")
    return folder


def mel_of_hz(hz: float) -> float:
    """Slaney: 3 mels for 200 Hz up to 1 kHz, above 27 for each factor of 6.4."""
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def hz_of_mel(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def filters(n_mels: int) -> Array:
    """(n_mels, 201), each triangle of area 1 over Hz, a bin after the other."""
    edges = [hz_of_mel(mel_of_hz(8000) * i / (n_mels + 1)) for i in range(n_mels + 2)]
    found = np.zeros((n_mels, 201))
    for band in range(n_mels):
        low, peak, high = edges[band : band + 3]
        for number in range(201):
            hz = number * 40.0
            height = (hz - low) / (peak - low) if hz <= peak else (high - hz) / (high - peak)
            found[band, number] = max(0.0, height) * 2 / (high - low)
    return found


def log_mel(samples: Array, n_mels: int) -> Array:
    """(frames, n_mels) of samples that are padded already."""
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * i / 400) for i in range(400)])
    reflected = np.concatenate([samples[200:0:-1], samples, samples[-2:-202:-1]])
    bank = filters(n_mels)
    frames = []
    for t in range(len(samples) // 160):
        power = np.abs(np.fft.rfft(window * reflected[160 * t : 160 * t + 400])) ** 2
        frames.append(np.log10(np.maximum(bank @ power, 1e-10)))
    top = max(float(frame.max()) for frame in frames)
    return np.array([(np.maximum(frame, top - 8) + 4) / 4 for frame in frames])


def gelu(x: Array) -> Array:
    return np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x.ravel().tolist()]).reshape(x.shape)


def norm(x: Array, weights: Weights, name: str) -> Array:
    scaled = (x - x.mean()) / math.sqrt(x.var() + 1e-5)
    out: Array = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return out


def conv(rows: list[Array], weights: Weights, name: str, stride: int) -> list[Array]:
    """Three taps: the row itself and the two before it, which are zero before the first."""
    kernel, bias = weights[f"{name}.weight"].astype(np.float64), weights[f"{name}.bias"]
    out = []
    for t in range(0, len(rows), stride):
        total = bias.astype(np.float64)
        for tap in range(3):
            if t - 2 + tap >= 0:
                total = total + kernel[:, :, tap] @ rows[t - 2 + tap]
        out.append(gelu(total))
    return out


@cache
def visible(n_rows: int, block: int, n_real: int) -> list[list[int]]:
    """The keys that each row sees: those that are no padding, and are not later or are in the same block."""
    return [[j for j in range(n_real) if j <= i or j // block == i // block] for i in range(n_rows)]


def attention(rows: list[Array], weights: Weights, at: str, n_heads: int, block: int, n_real: int) -> list[Array]:
    def linear(name: str, x: Array) -> Array:
        product: Array = weights[f"{at}{name}_proj.weight"].astype(np.float64) @ x
        return product if name == "k" else product + weights[f"{at}{name}_proj.bias"]

    size = len(rows[0]) // n_heads
    keys = np.array([linear("k", row) for row in rows])
    values = np.array([linear("v", row) for row in rows])
    seen_by = visible(len(rows), block, n_real)
    out = []
    for row, seen in zip(rows, seen_by, strict=True):
        query = linear("q", row)
        heads = []
        for head in range(n_heads):
            cut = slice(head * size, (head + 1) * size)
            scores = keys[seen][:, cut] @ query[cut] / math.sqrt(size)
            shares = np.exp(scores - scores.max())
            heads.append(shares / shares.sum() @ values[seen][:, cut])
        out.append(linear("out", np.concatenate(heads)))
    return out


def chunk_codes(samples: Array, padded: int, config: Mapping[str, Any], weights: Weights) -> list[int]:
    """Codes of one chunk that is padded with zeros to so many samples."""
    pool, block = config["pooling_kernel_size"], config["quantize_causal_block_size"]
    n_codes = math.ceil(len(samples) / (320 * pool))
    frames = log_mel(np.concatenate([samples, np.zeros(padded - len(samples))]), config["num_mel_bins"])
    # Rows behind the last code that counts see much and are seen by none.
    rows = list(frames[: 2 * pool * n_codes])
    rows = conv(conv(rows, weights, "conv1", 1), weights, "conv2", 2)
    rows = [row + weights["embed_positions.weight"][p] for p, row in enumerate(rows)]
    n_real = sum(1 for p in range(len(rows)) if 320 * p < len(samples))
    for layer in range(config["quantize_position"]):
        at = f"layers.{layer}."
        normed = [norm(row, weights, f"{at}self_attn_layer_norm") for row in rows]
        attended = attention(normed, weights, f"{at}self_attn.", config["encoder_attention_heads"], block, n_real)
        rows = [row + more for row, more in zip(rows, attended, strict=True)]
        for i, row in enumerate(rows):
            inner = weights[f"{at}fc1.weight"] @ norm(row, weights, f"{at}final_layer_norm") + weights[f"{at}fc1.bias"]
            rows[i] = row + weights[f"{at}fc2.weight"] @ gelu(inner) + weights[f"{at}fc2.bias"]
    codes = []
    for code in range(n_codes):
        mean = sum(rows[pool * code : pool * code + pool]) / pool
        distances = [float(((word - mean) ** 2).sum()) for word in weights["codebook.weight"].astype(np.float64)]
        codes.append(distances.index(min(distances)))
    return codes


def plain_codes(wave: npt.NDArray[np.float32], config: Mapping[str, Any], weights: Weights) -> list[int]:
    """Codes of one recording of at most 128 chunks."""
    step = 320 * config["pooling_kernel_size"]
    longest = math.ceil(min(len(wave), CHUNK) / step) * step
    codes: list[int] = []
    for at in range(0, len(wave), CHUNK):
        codes += chunk_codes(wave[at : at + CHUNK].astype(np.float64), longest, config, weights)
    return codes


def sounds(n_samples: int, seed: int) -> npt.NDArray[np.float32]:
    """Noise and two tones that rise and fall, here and there silence."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) / 16000
    wave = 0.05 * rng.standard_normal(n_samples) * (1 + np.sin(2 * np.pi * rng.uniform(0.5, 3) * time))
    for _ in range(2):
        hz, rate = rng.uniform(80, 6000), rng.uniform(1, 6)
        wave += 0.2 * np.sin(2 * np.pi * hz * time) * np.maximum(0, np.sin(2 * np.pi * rate * time + rng.uniform(0, 6)))
    if seed % 3 == 0 and n_samples > 5000:
        start = int(rng.integers(0, n_samples - 3000))
        wave[start : start + 3000] = 0
    return np.asarray(wave, np.float32)
