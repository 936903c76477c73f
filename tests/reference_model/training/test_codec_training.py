"""The codec's trainings: killed and resumed gives the same weights, and other data is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from reference_model.errors import CheckpointError, ReferenceModelError
from reference_model.speech.features import log_mel, mixed
from reference_model.speech.networks import SAMPLES_PER_CODE, CodecConfig, Decoder, Encoder
from reference_model.training.codec_decoder import DecoderTraining, Part, Recording, train_decoder
from reference_model.training.codec_encoder import (
    EncoderTraining,
    Utterance,
    VoiceRecording,
    add_noise,
    disguise,
    later,
    pink_frames,
    spell,
    stretch,
    train_encoder,
    window_of,
)

SIZES = CodecConfig(levels=(4, 3), encoder_width=8, decoder_width=8, frame_width=8)
ENCODER = EncoderTraining(steps=4, batch_size=3, windows=2, window=5, unit_weight=1.0, warm_up_steps=2, save_every=1)
DECODER = DecoderTraining(steps=4, batch_size=2, often=1, window=11, warm_up_steps=2, mel_weight=1.0, save_every=1)
TEXTS = ["one two", "blue", "three's"]


class KilledError(Exception):
    """Stands for the end of the process."""


def wave(i: int) -> np.ndarray:
    rng = np.random.default_rng(i)
    return rng.normal(0, 0.1, SAMPLES_PER_CODE * (6 + i)).astype(np.float32)


def encoder(folder: Path, settings: EncoderTraining = ENCODER, texts: list[str] = TEXTS) -> Encoder:
    utterances = [Utterance.of(wave(i), text) for i, text in enumerate(texts)]
    voice = [VoiceRecording(one.mel, np.arange(one.mel.shape[1] // 8) // 2) for one in utterances[1:]]
    return train_encoder(utterances, voice, folder, SIZES, settings, lambda line: None)


def decoder(folder: Path, settings: DecoderTraining = DECODER, first: int = 0) -> nn.Module:
    recordings = [
        Recording(
            np.random.default_rng(i).integers(0, 12, 11 + i),
            np.resize(wave(i), SAMPLES_PER_CODE * (11 + i)),
            np.full(8 * (11 + i), 150.0, np.float32),
        )
        for i in range(first, first + 3)
    ]
    return train_decoder(recordings, [0, 2], folder, SIZES, settings, lambda line: None)


@pytest.mark.parametrize("training", [encoder, decoder])
def test_killed_and_resumed_gives_the_same_weights(
    training: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(training)
    whole = training(tmp_path / "whole")
    step, steps = torch.optim.AdamW.step, iter(range(99))

    def killed_at_the_third(self: torch.optim.AdamW) -> None:
        if next(steps) == 2:
            raise KilledError
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", killed_at_the_third)
        with pytest.raises(KilledError):
            training(tmp_path / "cut")
    torch.manual_seed(99)
    resumed = training(tmp_path / "cut")
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_other_settings_and_data_are_refused(tmp_path: Path) -> None:
    encoder(tmp_path / "encoder")
    decoder(tmp_path / "decoder")
    others: tuple[Callable[[], object], ...] = (
        lambda: encoder(tmp_path / "encoder", replace(ENCODER, learning_rate=1e-4)),
        lambda: encoder(tmp_path / "encoder", texts=[*TEXTS[1:], "four"]),
        lambda: decoder(tmp_path / "decoder", replace(DECODER, seed=5)),
        lambda: decoder(tmp_path / "decoder", first=1),
    )
    for again in others:
        with pytest.raises(CheckpointError, match="holds a training with other settings"):
            again()
    encoder(tmp_path / "encoder", replace(ENCODER, save_every=3))


def test_a_window_in_which_nothing_can_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceModelError, match="window = 10: must be 0, or more than 10 codes"):
        decoder(tmp_path, replace(DECODER, window=10))


def test_spelling_drops_what_is_no_letter() -> None:
    assert spell("A b, it's!") == [2, 1, 3, 1, 10, 21, 28, 20]


def test_a_disguise_keeps_padding_silent_and_centres_each_band() -> None:
    mel = torch.randn(2, 80, 40) + 3
    out = disguise(mel, torch.tensor([40, 24]), torch.Generator().manual_seed(1))
    assert torch.equal(out[1, :, 24:], torch.zeros(80, 16))
    assert float(out.mean(2).abs().max()) < 1e-4


@pytest.mark.parametrize("gain", [0.1, 1.0, 5.0])
def test_frames_are_mixed_as_samples_are(gain: float) -> None:
    rng = torch.Generator().manual_seed(0)
    one, other = 0.1 * torch.randn(2, 1, 160_000, generator=rng)
    one[:, 80_000:] = 0
    expected = log_mel(one + gain * other).mean(0)
    made = mixed(log_mel(one), log_mel(gain * other)).mean(0)
    # Single frames differ by the phase; their means over a second don't.
    halves = [
        (expected[:, part].mean(1) - made[:, part].mean(1)).abs().max() for part in (slice(0, 490), slice(510, 1000))
    ]
    assert float(max(halves)) < 0.08


def test_noise_has_the_level_asked_for() -> None:
    rng = torch.Generator().manual_seed(0)
    pink = pink_frames(30, rng)
    mel, rms = log_mel(0.05 * torch.randn(40, 32_000, generator=rng)), torch.full((40,), 0.05)
    silent = torch.full_like(mel, -20.0)
    assert torch.allclose(add_noise(mel, rms, pink, torch.full((40,), torch.inf), rng), mel, atol=1e-5)
    for snr_db in (0.0, 20.0):
        added = add_noise(silent, rms, pink, torch.full((40,), snr_db), rng)
        hissed = added[added.mean((1, 2)) > -10]
        expected = pink.mean() + np.log(0.05 * 10 ** (-snr_db / 20)) / 3
        assert len(hissed) > 10
        assert float(hissed.mean()) == pytest.approx(float(expected), abs=0.05)


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_stretched_frames_are_whole_codes_and_say_the_same(factor: float) -> None:
    mel = torch.linspace(-1, 1, 160).expand(2, 80, 160).contiguous()
    slower, lengths = stretch(mel, torch.tensor([20, 11]), factor)
    assert slower.shape == (2, 80, 8 * round(20 * factor))
    assert lengths.tolist() == [round(20 * factor), int(np.ceil(11 * round(20 * factor) / 20))]
    assert float((slower[0, 0] - torch.linspace(-1, 1, slower.shape[2])).abs().max()) < 0.02


def test_trainings_begin_with_the_weights_given(tmp_path: Path) -> None:
    utterances = [Utterance.of(wave(i), text) for i, text in enumerate(TEXTS)]
    voice = [VoiceRecording(one.mel) for one in utterances]
    still = replace(ENCODER, learning_rate=1e-12)
    begin = encoder(tmp_path / "begin")
    after = train_encoder(utterances, voice, tmp_path / "on", SIZES, still, lambda line: None, begin)
    for one, other in zip(begin.parameters(), after.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    recordings = [Recording(np.zeros(6, np.int64), wave(0), np.full(48, 150.0, np.float32))]
    torch.manual_seed(5)
    speaks = Decoder(SIZES)
    unmoved = replace(DECODER, learning_rate=1e-12, often=0)
    made = train_decoder(recordings, (), tmp_path / "decoder", SIZES, unmoved, lambda line: None, speaks)
    for one, other in zip(speaks.parameters(), made.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    for again in (begin, None):
        with pytest.raises(CheckpointError, match="other settings"):
            train_encoder(utterances, voice[1:] if again else voice, tmp_path / "on", SIZES, still, begin=again)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32))
def test_a_window_begins_on_a_code_and_compares_what_has_its_neighbors(n: int, codes: int, seed: int) -> None:
    mel = torch.arange(8.0 * n).expand(80, 8 * n) + 1
    code, around, clean, compared = window_of(mel, codes, torch.Generator().manual_seed(seed))
    first = int(clean[0, 0]) - 1
    assert first == 8 * code
    inside = min(8 * codes, 8 * n - first)
    assert torch.equal(clean[:, :inside], mel[:, first : first + inside])
    assert (clean[:, inside:] < -1).all()
    assert torch.allclose(around, clean - mel.mean(1, keepdim=True))
    places = set(np.flatnonzero(compared.numpy()).tolist())
    low = 8 if first else 0
    high = 8 * codes - 8 if first + 8 * codes < 8 * n else min(8 * codes, inside + 16)
    assert places == set(range(low, high))


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32))
def test_a_window_has_the_units_of_the_codes_that_are_compared(n: int, codes: int, seed: int) -> None:
    mel = (np.arange(8.0 * n, dtype=np.float16) + 1) * np.ones((80, 1), np.float16)
    with_units, without = (
        VoiceRecording(mel, units).window(codes, torch.Generator().manual_seed(seed)) for units in (np.arange(n), None)
    )
    _, clean, compared, units = with_units
    assert without[3].tolist() == [-1] * codes
    first = int(clean[0, 0] - 1) // 8
    expected = [first + i if bool(compared[8 * i]) and first + i < n else -1 for i in range(codes)]
    assert units.tolist() == expected


@given(st.integers(1, 60), st.integers(0, 30), st.integers(0, 2**32))
def test_a_part_of_a_recording_is_one_stretch_of_all_it_holds(n: int, length: int, seed: int) -> None:
    recording = Recording(np.arange(n), np.arange(1280.0 * n, dtype=np.float32), np.arange(8.0 * n, dtype=np.float32))
    part = Part.of(recording, torch.arange(1280.0 * n)).cut(length, torch.Generator().manual_seed(seed))
    m, first = len(part.codes), int(part.codes[0])
    assert m == (length if 0 < length < n else n)
    assert part.codes.tolist() == list(range(first, first + m))
    assert part.f0_hz.tolist() == list(range(8 * first, 8 * (first + m)))
    for samples in (part.wave, part.train):
        assert torch.equal(samples, torch.arange(1280.0 * first, 1280.0 * (first + m)))
    margin = 8 * 5
    low, high = (margin if first else 0), 8 * m - (margin if first + m < n else 0)
    assert np.flatnonzero(part.compared.numpy()).tolist() == list(range(low, high))


def test_later_frames_begin_with_silence() -> None:
    mel = torch.arange(6.0).reshape(1, 1, 6)
    assert torch.equal(later(mel, 0), mel)
    shifted = later(mel, 2)[0, 0]
    assert shifted[2:].tolist() == [0, 1, 2, 3]
    assert shifted[0] == shifted[1] < -1
