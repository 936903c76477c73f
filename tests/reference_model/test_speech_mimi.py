"""Mimi behind the codec's protocol, by transformers' own class with small random weights."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from reference_model.errors import CheckpointError, ConfigError, ReferenceModelError
from reference_model.speech.codec import Codec, load_codec, speak, speaks
from reference_model.speech.mimi import MimiCodec

from .glm4_voice_plain import sounds

transformers = pytest.importorskip("transformers")

SIZE, FRAME = 64, 1920


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as transformers writes one: 6 codebooks of 64 codes."""
    torch.manual_seed(0)
    config = transformers.MimiConfig(
        hidden_size=32, num_filters=4, codebook_size=SIZE, codebook_dim=16, vector_quantization_hidden_dimension=16,
        num_quantizers=6, upsample_groups=32, num_hidden_layers=1, intermediate_size=32, num_attention_heads=2,
        num_key_value_heads=2, head_dim=16, sliding_window=20,
    )  # fmt: skip
    model = transformers.MimiModel(config)
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name.endswith("embed_sum"):  # fresh ones are zero, and all codes alike
                buffer.normal_()
    folder = tmp_path_factory.mktemp("mimi") / "mimi"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "mimi"))


@pytest.fixture(scope="module")
def codec(released: Path) -> MimiCodec:
    return MimiCodec.load(released)


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_released_folder_is_a_codec(released: Path, codec: MimiCodec) -> None:
    found = load_codec(released)
    assert isinstance(found, MimiCodec)
    assert isinstance(found, Codec)
    assert speaks(found)
    assert (found.sample_rate_hz, found.codes_per_s, found.n_codes, found.lookahead_codes) == (24_000, 75.0, 384, 5)
    assert found.fingerprint == codec.fingerprint


def test_codes_of_a_frame_follow_one_another(codec: MimiCodec, released: Path) -> None:
    wave = sounds(10 * FRAME - 500, 1)
    (codes,) = codec.encode([wave])
    model = transformers.MimiModel.from_pretrained(released).eval()
    with torch.inference_mode():
        theirs = model.encode(torch.from_numpy(wave)[None, None]).audio_codes[0]
    assert len(codes) == 60
    assert codes == [int(theirs[book, frame]) + SIZE * book for frame in range(10) for book in range(6)]
    assert len(set(codes)) > 20


def test_codes_of_a_waveform_do_not_depend_on_the_batch(codec: MimiCodec) -> None:
    waves = [sounds(n, n) for n in (0, 1, 1919, 1920, 1921, 9000)]
    found = codec.encode(waves)
    assert [len(codes) for codes in found] == [0, 6, 6, 6, 12, 30]
    assert found == [codec.encode([wave])[0] for wave in waves]


def test_speech_is_what_the_package_decodes(codec: MimiCodec, released: Path) -> None:
    (codes,) = codec.encode([sounds(8 * FRAME, 2)])
    wave = speak(codec, codes)
    assert wave.shape == (8 * FRAME,)
    assert wave.dtype == np.float32
    model = transformers.MimiModel.from_pretrained(released).eval()
    indices = torch.tensor(codes).view(8, 6).T[None] % SIZE
    with torch.inference_mode():
        theirs = model.decode(indices).audio_values[0, 0].clamp(-1, 1)
    np.testing.assert_allclose(wave, theirs.numpy(), atol=1e-6)
    assert float(np.abs(wave).max()) > 1e-3


@pytest.mark.parametrize("size", [1, 4, 6, 13, 48])
def test_a_stream_is_the_same_for_any_split(codec: MimiCodec, size: int) -> None:
    codes = np.random.default_rng(0).integers(0, 384, 100).tolist()
    speaker, parts = codec.speaker(), []
    for at in range(0, 100, size):
        parts.append(speaker.push(codes[at : at + size]))
        # Every frame whose codes are all known is spoken.
        assert sum(map(len, parts)) == min(at + size, 100) // 6 * FRAME
    parts.append(speaker.finish())
    np.testing.assert_allclose(np.concatenate(parts), speak(codec, codes), atol=1e-5)


def test_fewer_codebooks_are_a_prefix_of_each_frame(codec: MimiCodec, folder: Path) -> None:
    edit(folder / "config.json", codebooks=2)
    two = MimiCodec.load(folder)
    assert (two.codes_per_s, two.n_codes, two.lookahead_codes) == (25.0, 128, 1)
    wave = sounds(4 * FRAME, 3)
    by_frame = np.array(codec.encode([wave])[0]).reshape(4, 6)
    assert two.encode([wave])[0] == by_frame[:, :2].ravel().tolist()
    assert two.fingerprint != codec.fingerprint


@pytest.mark.parametrize("codebooks", [0, 7, "2", True, None])
def test_an_impossible_number_of_codebooks_is_named(folder: Path, codebooks: object) -> None:
    edit(folder / "config.json", codebooks=codebooks)
    with pytest.raises(ConfigError, match=r"config\.json: field 'codebooks' is .*whole number in \[1, 6\]"):
        load_codec(folder)


def test_weights_that_lack_are_not_drawn(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = "decoder.layers.0.conv.weight"
    save_file({key: one for key, one in tensors.items() if key != name}, path, {"format": "pt"})
    with pytest.raises(CheckpointError, match=rf"1 tensors are missing by config\.json, one is '{name}'"):
        load_codec(folder)
    save_file({**tensors, name: torch.full_like(tensors[name], torch.nan)}, path, {"format": "pt"})
    with pytest.raises(CheckpointError, match=rf"tensor '{name}' holds NaN or infinity"):
        load_codec(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"holds no weights \(model\.safetensors\)"):
        load_codec(folder)


def test_what_cannot_be_streamed_is_named(folder: Path) -> None:
    edit(folder / "config.json", use_causal_conv=False)
    with pytest.raises(ConfigError, match=r"'use_causal_conv' and 'trim_right_ratio' are False and 1\.0"):
        load_codec(folder)


def test_without_the_package_its_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(CheckpointError, match=r"needs the package transformers .*'tttbench\[transformers\]'"):
        load_codec(folder)


def test_a_damaged_recording_is_refused(codec: MimiCodec) -> None:
    with pytest.raises(ReferenceModelError, match="waveform 0 of the batch holds NaN or infinity"):
        codec.encode([np.full(3000, np.nan, np.float32)])
