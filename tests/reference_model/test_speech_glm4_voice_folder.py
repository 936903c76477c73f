"""Released folders of GLM-4-Voice's tokenizer: shards, older checkpoints, and damage that is named with its fix."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from reference_model.errors import CheckpointError, ConfigError
from reference_model.speech.codec import load_codec
from reference_model.speech.glm4_voice import Glm4VoiceConfig, Glm4VoiceTokenizer, WhisperVQEncoder

from .glm4_voice_plain import SMALL, random_weights, shapes, sounds, write_folder

WEIGHTS = random_weights(SMALL)
UNUSED = {"ema_count", "ema_weight", "embed_positions2.weight"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "tokenizer")


def edit(path: Path, **values: object) -> None:
    """Change fields of a JSON file; None removes one."""
    raw = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({name: value for name, value in raw.items() if value is not None}))


def store(folder: Path, **changed: np.ndarray | None) -> None:
    """Write the weights anew with some tensors changed; dots are written as ``__``, and None removes one."""
    tensors: dict[str, np.ndarray | None] = {
        **WEIGHTS,
        **{name.replace("__", "."): one for name, one in changed.items()},
    }
    save_file({name: one for name, one in tensors.items() if one is not None}, folder / "model.safetensors")


def test_parameters_have_the_released_names_and_number() -> None:
    sizes = {
        "d_model": 1280,
        "encoder_attention_heads": 20,
        "encoder_ffn_dim": 5120,
        "num_mel_bins": 128,
        "max_source_positions": 1500,
        "pooling_kernel_size": 4,
        "pooling_position": 16,
        "quantize_position": 16,
        "quantize_vocab_size": 16_384,
        "quantize_causal_block_size": 200,
    }
    with torch.device("meta"):
        found = {
            name: tuple(one.shape) for name, one in WhisperVQEncoder(Glm4VoiceConfig(**sizes)).state_dict().items()
        }
    released = shapes(sizes)
    assert len(released) == 249
    assert found == {name: shape for name, shape in released.items() if name not in UNUSED}
    # With the second table of positions, as many numbers as the released file holds beside the training's averages.
    assert sum(map(math.prod, [*found.values(), released["embed_positions2.weight"]])) == 343_599_360


def test_what_only_training_needs_may_lack(folder: Path) -> None:
    whole = Glm4VoiceTokenizer.load(folder)
    store(folder, ema_count=None, ema_weight=None, embed_positions2__weight=None)
    assert Glm4VoiceTokenizer.load(folder).fingerprint == whole.fingerprint


def test_shards_hold_the_same_tokenizer(folder: Path) -> None:
    whole = Glm4VoiceTokenizer.load(folder)
    names = sorted(WEIGHTS)
    files = {f"model-0000{n + 1}-of-00003.safetensors": names[n::3] for n in range(3)}
    for file, held in files.items():
        save_file({name: WEIGHTS[name] for name in held}, folder / file)
    placed = {name: file for file, held in files.items() for name in held}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    (folder / "model.safetensors").unlink()
    sharded = Glm4VoiceTokenizer.load(folder)
    assert sharded.fingerprint == whole.fingerprint
    wave = sounds(9000, 0)
    assert sharded.encode([wave]) == whole.encode([wave])
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model-00002-of-00003\.safetensors: no such file, but model.*names it"):
        Glm4VoiceTokenizer.load(folder)


def test_an_older_checkpoint_of_the_whole_model_holds_it_too(folder: Path) -> None:
    released = Glm4VoiceTokenizer.load(folder)
    later = {
        name.replace("layers.1.", "layers.2."): one for name, one in WEIGHTS.items() if name.startswith("layers.1.")
    }
    norm = {f"layer_norm.{part}": np.ones(16, np.float32) for part in ("weight", "bias")}
    full = {f"model.encoder.{name}": one for name, one in {**WEIGHTS, **later, **norm}.items()}
    rest = {"model.decoder.embed_tokens.weight": np.ones((9, 16), np.float32), "proj_out.weight": WEIGHTS["ema_weight"]}
    save_file({**full, **rest}, folder / "model.safetensors")
    edit(folder / "config.json", architectures=["WhisperVQForConditionalGeneration"])
    found = load_codec(folder)
    assert isinstance(found, Glm4VoiceTokenizer)
    assert found.fingerprint == released.fingerprint


def test_another_weight_or_size_is_another_fingerprint(folder: Path) -> None:
    prints = {Glm4VoiceTokenizer.load(folder).fingerprint}
    edit(folder / "config.json", quantize_causal_block_size=100)
    prints.add(Glm4VoiceTokenizer.load(folder).fingerprint)
    store(folder, conv1__bias=WEIGHTS["conv1.bias"] + 1)
    prints.add(Glm4VoiceTokenizer.load(folder).fingerprint)
    assert len(prints) == 3


def test_half_precision_is_computed_in_float32(folder: Path) -> None:
    save_file({name: one.astype(np.float16) for name, one in WEIGHTS.items()}, folder / "model.safetensors")
    loaded = Glm4VoiceTokenizer.load(folder)
    assert {str(tensor.dtype) for tensor in loaded.encoder.state_dict().values()} == {"torch.float32"}


def test_fields_that_change_no_code_are_passed_over(folder: Path) -> None:
    edit(folder / "config.json", begin_suppress_tokens=[220, 50257], torch_dtype="float32", something_new={"a": 1})
    (folder / "preprocessor_config.json").unlink()
    assert Glm4VoiceTokenizer.load(folder).n_codes == 48


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("quantize_vocab_size", None, "field 'quantize_vocab_size' is missing, so this is no GLM-4-Voice tokenizer"),
        ("d_model", "16", "field 'd_model' is '16', expected a whole number"),
        ("d_model", True, "field 'd_model' is True, expected a whole number"),
        ("encoder_ffn_dim", 0, "field 'encoder_ffn_dim' is 0, expected at least 1"),
        ("encoder_attention_heads", 3, "field 'encoder_attention_heads' is 3, which does not divide d_model = 16"),
        ("pooling_position", 1, "field 'pooling_position' is 1; supported: .*quantize_position = 2"),
        ("max_source_positions", 1000, "field 'max_source_positions' is 1000, but a chunk of 30 s has 1500"),
        ("pooling_kernel_size", 8, "field 'pooling_kernel_size' is 8, which does not divide the 1500 positions"),
        ("pooling_type", "max", "field 'pooling_type' is 'max'; supported: 'avg', as in the released tokenizer"),
        ("pooling_type", None, "field 'pooling_type' is missing, which means 'max'; supported: 'avg'"),
        ("encoder_causal_convolution", None, "field 'encoder_causal_convolution' is missing, which means False"),
        ("encoder_causal_attention", True, "field 'encoder_causal_attention' is True; supported: False"),
        ("quantize_causal_encoder", True, "field 'quantize_causal_encoder' is True; supported: False"),
        ("activation_function", "relu", "field 'activation_function' is 'relu'; supported: 'gelu'"),
    ],
)
def test_a_configuration_of_something_else_is_named(folder: Path, field: str, value: object, says: str) -> None:
    edit(folder / "config.json", **{field: value})
    with pytest.raises(ConfigError, match=rf"tokenizer/config\.json: {says}"):
        load_codec(folder)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("feature_size", 80, "field 'feature_size' is 80, but features are computed with 20"),
        ("hop_length", 320, "field 'hop_length' is 320, but features are computed with 160"),
        ("sampling_rate", 24000, "field 'sampling_rate' is 24000, but features are computed with 16000"),
        ("do_normalize", True, "field 'do_normalize' is True, but features are computed with False"),
    ],
)
def test_features_of_something_else_are_named(folder: Path, field: str, value: object, says: str) -> None:
    edit(folder / "preprocessor_config.json", **{field: value})
    with pytest.raises(ConfigError, match=rf"preprocessor_config\.json: {says}; take the file"):
        load_codec(folder)


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut": (cut_weights, r"model\.safetensors: not a readable safetensors file .*; fetch it again"),
    "absent": (no_weights, "holds neither model.safetensors nor model.safetensors.index.json"),
    "pickled": (pickled, "weights in other formats are not read"),
    "lacking": (
        lambda folder: store(folder, conv1__bias=None, layers__1__fc1__weight=None),
        r"2 of the tokenizer's 36 tensors are missing, the first is 'conv1\.bias'; copy the weights anew",
    ),
    "foreign": (
        lambda folder: store(folder, decoder__weight=np.ones(3, np.float32)),
        r"tensor 'decoder\.weight' belongs to no part of the tokenizer .*; copy both files from one release",
    ),
    "more layers": (
        lambda folder: store(folder, layers__2__fc1__bias=np.ones(24, np.float32)),
        r"tensor 'layers\.2\.fc1\.bias' belongs to no part",
    ),
    "misshapen": (
        lambda folder: store(folder, codebook__weight=np.ones((40, 16), np.float32)),
        r"tensor 'codebook\.weight' has the shape \(40, 16\), config\.json asks for \(48, 16\)",
    ),
    "integers": (
        lambda folder: store(folder, conv1__bias=np.ones(16, np.int64)),
        r"tensor 'conv1\.bias' is stored as torch\.int64, expected a float type",
    ),
    "not finite": (
        lambda folder: store(folder, conv1__bias=np.full(16, np.nan, np.float32)),
        r"tensor 'conv1\.bias' holds NaN or infinity; fetch the file again",
    ),
    "twice": (
        lambda folder: store(folder, model__encoder__conv1__bias=WEIGHTS["conv1.bias"]),
        r"tensor '(model\.encoder\.)?conv1\.bias' is stored twice in the folder; keep one",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_weights_are_named_with_the_fix(folder: Path, kind: str) -> None:
    damage, says = DAMAGE[kind]
    damage(folder)
    with pytest.raises(CheckpointError, match=says) as raised:
        load_codec(folder)
    assert str(folder) in str(raised.value)


@pytest.mark.parametrize("content", ["", "{", "[1]", "\udcff"])
def test_damaged_json_is_named(folder: Path, content: str) -> None:
    raw = content.encode("utf-8", "surrogateescape")
    (folder / "preprocessor_config.json").write_bytes(raw)
    with pytest.raises(ConfigError, match=r"preprocessor_config\.json: .*; copy the file anew"):
        Glm4VoiceTokenizer.load(folder)
    (folder / "config.json").write_bytes(raw)
    with pytest.raises(ConfigError, match=r"tokenizer/config\.json: .*; copy the file anew"):
        Glm4VoiceTokenizer.load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ConfigError, match=r"config\.json: no such file; copy the released folder whole"):
        Glm4VoiceTokenizer.load(folder)
