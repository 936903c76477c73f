"""The codec's training on shifted starts: where a recording begins, what a window holds, killed and resumed alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reference_model.errors import CheckpointError
from reference_model.speech.features import centred, log_mel
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import SAMPLES_PER_CODE, CodecConfig
from reference_model.training.codec_starts import StartsTraining, VoiceRecording, started, train_on_starts, window_of

SIZES = CodecConfig(levels=(4, 3), encoder_width=8, decoder_width=8, frame_width=8)
SETTINGS = StartsTraining(steps=4, batch_size=2, window=16, warm_up_steps=2, save_every=1)


def recording(seed: int, frames: int) -> VoiceRecording:
    rng = np.random.default_rng(seed)
    samples = np.round(rng.normal(0, 3000, 160 * frames)).astype(np.int16)
    return VoiceRecording(samples, np.where(rng.random(frames) < 0.7, 150.0, 0.0).astype(np.float32))


def codec() -> MiniCodec:
    torch.manual_seed(0)
    return MiniCodec(SIZES).eval()


def test_a_start_is_whole_codes_with_silence_on_both_sides() -> None:
    one = recording(0, 13)
    wave, f0 = started(one, 3, silence=2)
    assert len(wave) == 4 * SAMPLES_PER_CODE  # 3 + 13 frames are 2 codes, and 2 of silence
    assert len(f0) == 4 * 8
    assert not wave[: 3 * 160].any()
    assert not wave[16 * 160 :].any()
    np.testing.assert_allclose(wave[3 * 160 : 16 * 160], one.samples / 32767.0, atol=1e-6)
    assert f0[3:16].tolist() == one.f0_hz.tolist()


def test_a_window_of_a_long_recording_holds_its_codes_and_compares_what_has_neighbors() -> None:
    model, one = codec(), recording(1, 400)
    starts = set()
    for seed in range(20):
        window = window_of(model, one, SETTINGS, torch.Generator().manual_seed(seed))
        assert len(window.codes) == 16
        assert len(window.wave) == len(window.train) == 16 * SAMPLES_PER_CODE
        places = np.flatnonzero(window.compared.numpy())
        assert places[0] in (0, 5 * 8)
        assert places[-1] in (16 * 8 - 1, 11 * 8 - 1)
        rng = torch.Generator().manual_seed(seed)
        shift = int(torch.randint(8, (), generator=rng))
        starts.add(shift)
        wave, _ = started(one, shift, SETTINGS.silence)
        with torch.no_grad():
            codes = model.encoder.quantise.indices(model.encoder(centred(log_mel(wave[None]))))[0].tolist()
        assert any(codes[i : i + 16] == window.codes.tolist() for i in range(len(codes) - 15))
    assert len(starts) > 4


def test_a_short_recording_is_filled_up_and_only_it_is_compared() -> None:
    window = window_of(codec(), recording(2, 20), SETTINGS, torch.Generator().manual_seed(0))
    n = int(window.compared.sum()) // 8
    assert 5 <= n <= 6  # 20 frames and up to 7 of the start are 3 or 4 codes, and 2 of silence
    assert window.compared[: n * 8].all()
    assert not window.wave[n * SAMPLES_PER_CODE :].any()
    assert len(set(window.codes[n:].tolist())) == 1


def test_only_the_decoder_learns_and_a_killed_training_goes_on(tmp_path: Path) -> None:
    recordings = [recording(i, 100 + 30 * i) for i in range(3)]
    whole = train_on_starts(codec(), recordings, tmp_path / "whole", SETTINGS, lambda line: None)
    for name, value in codec().encoder.state_dict().items():
        assert torch.equal(value, whole.encoder.state_dict()[name])
    assert any(
        not torch.equal(value, whole.decoder.state_dict()[name]) for name, value in codec().decoder.state_dict().items()
    )
    original, steps = torch.optim.AdamW.step, iter(range(99))

    def killed(self: torch.optim.AdamW) -> object:
        if next(steps) == 2:
            raise KeyboardInterrupt
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            train_on_starts(codec(), recordings, tmp_path / "cut", SETTINGS, lambda line: None)
    torch.manual_seed(7)
    resumed = train_on_starts(codec(), recordings, tmp_path / "cut", SETTINGS, lambda line: None)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_other_recordings_are_refused(tmp_path: Path) -> None:
    train_on_starts(codec(), [recording(0, 90)], tmp_path, SETTINGS, lambda line: None)
    with pytest.raises(CheckpointError, match="other settings"):
        train_on_starts(codec(), [recording(0, 91)], tmp_path, SETTINGS, lambda line: None)
