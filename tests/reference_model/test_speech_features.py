"""Log-mel frames: how many, where they are centred; centring and warping."""

from __future__ import annotations

import math

import pytest
import torch

from reference_model.speech.features import HOP, N_MELS, SAMPLE_RATE_HZ, centred, log_mel, mel_filters, warp


@pytest.mark.parametrize("n_frames", [1, 7, 100])
def test_one_frame_for_160_samples(n_frames: int) -> None:
    assert log_mel(torch.randn(2, n_frames * HOP)).shape == (2, N_MELS, n_frames)


@pytest.mark.parametrize("frame", [0, 5, 19])
def test_a_frame_is_centred_on_its_own_samples(frame: int) -> None:
    wave = torch.zeros(1, 20 * HOP)
    wave[0, frame * HOP + HOP // 2] = 1.0
    loudness = log_mel(wave)[0].mean(0)
    assert int(loudness.argmax()) == frame
    if 0 < frame < 19:
        assert loudness[frame - 1].item() == pytest.approx(loudness[frame + 1].item(), abs=0.01)


def test_a_tone_is_loudest_in_its_own_band() -> None:
    time = torch.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = torch.sin(2 * math.pi * 1000 * time)[None]
    top = 2595 * math.log10(1 + 8000 / 700)
    band = 2595 * math.log10(1 + 1000 / 700) / top * (N_MELS + 1) - 1
    assert abs(int(log_mel(tone)[0, :, 50].argmax()) - band) <= 1


def test_silence_and_loud_noise_lie_in_the_stated_range() -> None:
    assert log_mel(torch.zeros(1, 1600)).min().item() == pytest.approx((math.log(1e-3) + 2) / 3)
    loud = log_mel(0.05 * torch.randn(1, 16000, generator=torch.Generator().manual_seed(0)))
    assert 0.5 < float(loud.max()) < 1.6


def test_filters_are_triangles_of_height_one_at_most() -> None:
    filters = mel_filters(2048, 40)
    assert filters.shape == (40, 1025)
    assert filters.min() == 0
    assert 0.9 < float(filters.max()) <= 1
    # Neighbours overlap so that between the first and the last peak they add up to one.
    inside = filters.sum(0)[filters[0].argmax() : filters[-1].argmax()]
    torch.testing.assert_close(inside, torch.ones_like(inside))


def test_centred_has_no_mean() -> None:
    mel = torch.randn(2, N_MELS, 30)
    torch.testing.assert_close(centred(mel).mean(2), torch.zeros(2, N_MELS), atol=1e-6, rtol=0)


def test_centred_ignores_padding() -> None:
    mel = torch.randn(2, N_MELS, 30)
    padded = torch.cat([mel, torch.full((2, N_MELS, 10), 9.0)], 2)
    out = centred(padded, torch.tensor([30, 30]))
    torch.testing.assert_close(out[:, :, :30], centred(mel))
    assert (out[:, :, 30:] == 0).all()


def test_centred_takes_a_length_for_each_row() -> None:
    mel = torch.randn(2, N_MELS, 30)
    out = centred(mel, torch.tensor([12, 30]))
    torch.testing.assert_close(out[:1, :, :12], centred(mel[:1, :, :12]))
    torch.testing.assert_close(out[1:], centred(mel[1:]))


def test_warping_by_one_changes_nothing() -> None:
    mel = torch.randn(2, N_MELS, 5)
    torch.testing.assert_close(warp(mel, torch.ones(2))[:, :-1], mel[:, :-1])
    torch.testing.assert_close(warp(mel, torch.ones(2)), mel, atol=5e-3, rtol=0)


def test_warping_reads_each_band_at_a_multiple_of_its_place() -> None:
    ramp = torch.arange(N_MELS, dtype=torch.float32)[None, :, None].expand(2, -1, 3)
    out = warp(ramp, torch.tensor([0.5, 1.5]))
    torch.testing.assert_close(out[0], ramp[0] * 0.5)
    torch.testing.assert_close(out[1, :50], ramp[1, :50] * 1.5)
    assert out[1, 60:].max() < N_MELS
