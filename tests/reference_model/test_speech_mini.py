"""The mini codec: lengths, streams of any split, save and load, damage that is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.errors import CheckpointError
from reference_model.speech.codec import Codec, speak
from reference_model.speech.features import HOP
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import FRAMES_PER_CODE, CodecConfig, Decoder, Encoder, FrameNet
from reference_model.speech.source_filter import FRAME, MARGIN, cut, impulse_train, noise, overlap_add, shape

SIZES = CodecConfig(levels=(4, 3), encoder_width=16, decoder_width=16, frame_width=16)


def loud_codec() -> MiniCodec:
    """Fresh weights, made loud enough to be compared: peaks near a half."""
    torch.manual_seed(3)
    codec = MiniCodec(SIZES).eval()
    with torch.no_grad():
        codec.decoder.frames.leave.bias[1:].add_(0.7)
    return codec


CODEC = loud_codec()
code_lists = st.lists(st.integers(0, CODEC.n_codes - 1), max_size=24)


def spoken_at_once(codes: list[int]) -> np.ndarray:
    """What ``decode`` should give, from the networks' output in one piece."""
    with torch.inference_mode():
        f0_hz, harmonic, breath = CODEC.decoder(torch.tensor([codes]))
        side, n_frames = (FRAME - HOP) // 2, len(codes) * FRAMES_PER_CODE
        train = torch.nn.functional.pad(impulse_train(f0_hz[0])[0], (side, side))
        hiss = noise(-2, n_frames + 2)[2 * HOP - side : (n_frames + 2) * HOP + side]
        frames = shape(cut(train), harmonic[0]) + shape(cut(hiss), breath[0])
        return overlap_add(frames[None])[0, MARGIN:-MARGIN].clamp(-1, 1).numpy()


def test_decode_is_the_networks_output_in_one_piece() -> None:
    codes = [int(code) for code in np.random.default_rng(0).integers(0, 12, 30)]
    wave = speak(CODEC, codes)
    assert 0.2 < float(np.abs(wave).max()) < 1
    np.testing.assert_allclose(wave, spoken_at_once(codes), atol=2e-3)


@settings(max_examples=25)
@given(code_lists, st.lists(st.integers(0, 9), max_size=12))
def test_a_stream_is_the_same_for_any_split(codes: list[int], sizes: list[int]) -> None:
    blocks, at = [], 0
    for size in sizes:
        blocks.append(codes[at : at + size])
        at += size
    blocks.append(codes[at:])
    speaker = CODEC.speaker()
    wave = np.concatenate([*(speaker.push(block) for block in blocks), speaker.finish()])
    assert wave.shape == (1280 * len(codes),)
    assert wave.dtype == np.float32
    np.testing.assert_allclose(wave, speak(CODEC, codes), atol=2e-3)


def test_a_stream_speaks_as_soon_as_the_look_ahead_is_known() -> None:
    speaker = CODEC.speaker()
    lengths = [len(speaker.push([code % 12])) for code in range(20)]
    # Fifteen of the twenty codes can be spoken before the end; the end gives the rest.
    assert [length > 0 for length in lengths] == [False] * 5 + [True] * 15
    assert sum(lengths) + len(speaker.finish()) == 20 * 1280


def test_later_codes_do_not_change_what_was_spoken() -> None:
    first = CODEC.speaker().push([1] * 10)
    assert len(first) > 0
    np.testing.assert_allclose(first, speak(CODEC, [1] * 10 + [5] * 6)[: len(first)], atol=2e-3)


@pytest.mark.parametrize(("n_samples", "n_codes"), [(0, 0), (1, 1), (1280, 1), (1281, 2), (16000, 13)])
def test_a_code_for_each_1280_samples_begun(n_samples: int, n_codes: int) -> None:
    wave = np.random.default_rng(0).normal(size=n_samples).astype(np.float32) * 0.1
    (codes,) = CODEC.encode([wave])
    assert len(codes) == n_codes
    assert all(0 <= code < 12 for code in codes)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 6000), max_size=5), st.integers(0, 99))
def test_a_batch_is_encoded_as_its_waveforms_one_by_one(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    batch = [rng.normal(size=size).astype(np.float32) * 0.1 for size in sizes]
    assert CODEC.encode(batch) == [CODEC.encode([wave])[0] for wave in batch]


def test_it_is_a_codec() -> None:
    assert isinstance(CODEC, Codec)
    assert (CODEC.sample_rate_hz, CODEC.codes_per_s, CODEC.n_codes, CODEC.lookahead_codes) == (16_000, 12.5, 12, 5)


def test_two_speakers_of_one_codec_know_nothing_of_each_other() -> None:
    one, other = CODEC.speaker(), CODEC.speaker()
    parts: list[list[np.ndarray]] = [[], []]
    for code in range(12):
        parts[0].append(one.push([code]))
        parts[1].append(other.push([11 - code]))
    ends = (one.finish(), other.finish())
    for made, end, codes in zip(parts, ends, (range(12), range(11, -1, -1)), strict=True):
        np.testing.assert_allclose(np.concatenate([*made, end]), speak(CODEC, list(codes)), atol=2e-3)


def test_encoding_ignores_trailing_silence_up_to_a_whole_code() -> None:
    wave = np.random.default_rng(0).normal(size=3000).astype(np.float32) * 0.1
    one, other = CODEC.encode([wave, np.concatenate([wave, np.zeros(840, np.float32)])])
    assert one == other


def test_nothing_is_silent() -> None:
    assert speak(CODEC, []).shape == (0,)
    speaker = CODEC.speaker()
    assert [len(speaker.push([])), len(speaker.push([])), len(speaker.finish())] == [0, 0, 0]


def test_speech_stays_within_full_scale() -> None:
    codec = loud_codec()
    with torch.no_grad():
        codec.decoder.frames.leave.bias[1:].add_(4)
    wave = speak(codec, [3, 7, 11, 2, 5, 9])
    assert float(np.abs(wave).max()) == 1.0


def test_the_frame_net_sees_no_further_than_it_says() -> None:
    torch.manual_seed(0)
    net = FrameNet(2, 16, 16, 3, n_fast=5)
    values = torch.randn(1, 2, 21)
    changed = values.clone()
    changed[:, :, 10] += 1
    moved = ((net(values) - net(changed)).abs().sum((0, 1)) > 1e-7).nonzero().flatten()
    assert int(moved.min()) >= (10 - FrameNet.lookahead_codes) * FRAMES_PER_CODE
    assert int(moved.max()) < (11 + FrameNet.lookahead_codes) * FRAMES_PER_CODE
    # And no less: a smaller number would cut it off.
    assert int(moved.min()) < (11 - FrameNet.lookahead_codes) * FRAMES_PER_CODE


def test_pitch_stays_where_the_source_can_follow() -> None:
    decoder = Decoder(SIZES)
    with torch.no_grad():
        decoder.frames.leave.weight.mul_(1000)
        f0_hz, harmonic, breath = decoder(torch.arange(12)[None])
    assert f0_hz.shape == (1, 96)
    assert harmonic.shape == breath.shape == (1, 80, 96)
    assert 40 < float(f0_hz.min()) <= float(f0_hz.max()) <= 480 + 1e-3


def test_encoder_rate() -> None:
    assert Encoder(SIZES)(torch.randn(2, 80, 48)).shape == (2, 2, 6)


def test_round_trip(tmp_path: Path) -> None:
    CODEC.save(tmp_path)
    loaded = MiniCodec.load(tmp_path)
    assert loaded.config == SIZES
    for name, value in CODEC.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name
    assert len(loaded.fingerprint) == 64
    assert loaded.n_codes == 12
    loaded.save(tmp_path / "again")
    again = MiniCodec.load(tmp_path / "again")
    assert again.fingerprint == loaded.fingerprint
    assert speak(again, [1, 2, 3]).tolist() == speak(loaded, [1, 2, 3]).tolist()


def test_the_codec_as_shipped_is_small() -> None:
    n_parameters = sum(parameter.numel() for parameter in MiniCodec(CodecConfig()).parameters())
    assert n_parameters * 2 < 10e6


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    CODEC.save(tmp_path)
    return tmp_path


def test_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: not the configuration of a mini codec"):
        MiniCodec.load(tmp_path)


@pytest.mark.parametrize(
    "content", ["{", "[1]", '{"levels": 5}', '{"levels": ["a"]}', '{"levels": [4, 3], "depth": 1}', "{}"]
)
def test_a_damaged_configuration_is_named(saved: Path, content: str) -> None:
    (saved / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json: not the configuration of a mini codec"):
        MiniCodec.load(saved)


def test_damaged_weights_are_named(saved: Path) -> None:
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged .*copy the file anew"):
        MiniCodec.load(saved)


def test_missing_weights_are_named(saved: Path) -> None:
    (saved / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        MiniCodec.load(saved)


def test_weights_of_another_shape_are_named(saved: Path) -> None:
    raw = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**raw, "decoder_width": 24}))
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged or of another shape"):
        MiniCodec.load(saved)
