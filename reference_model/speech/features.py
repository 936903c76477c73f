"""Spectral features of 16 kHz speech: log-mel frames and their filter bank. Knows no model."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor

SAMPLE_RATE_HZ = 16_000
HOP = 160  # 100 frames a second
WINDOW = 512
N_MELS = 80


def _hz_to_mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


@cache
@torch.inference_mode(False)  # not as an inference tensor: a codec that has spoken may be trained again
def mel_filters(n_fft: int = WINDOW, n_mels: int = N_MELS) -> Tensor:
    """Triangular mel filters (HTK scale, 0 to 8 kHz), shape (n_mels, n_fft // 2 + 1), each peak 1."""
    edges_mel = np.linspace(0.0, _hz_to_mel(SAMPLE_RATE_HZ / 2), n_mels + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, n_fft // 2 + 1)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))


def log_mel(wave: Tensor) -> Tensor:
    """Log-mel frames of (B, n) samples, n a multiple of 160: (B, 80, n / 160).

    Frame t is centred on sample 160 t + 80. Values lie near [-1.5, 1.5].
    """
    side = (WINDOW - HOP) // 2
    padded = torch.nn.functional.pad(wave, (side, side))
    spectrum = torch.stft(
        padded, WINDOW, HOP, window=torch.hann_window(WINDOW, device=wave.device), center=False, return_complex=True
    )
    mel = mel_filters().to(wave.device) @ spectrum.abs()
    return (torch.log(mel.clamp_min(1e-3)) + 2.0) / 3.0


SILENCE = (math.log(1e-3) + 2.0) / 3.0
"""The least value of ``log_mel``."""


def mixed(one: Tensor, other: Tensor) -> Tensor:
    """``log_mel`` frames of a sum of independent sounds: powers add up."""
    return (0.5 * torch.logaddexp(6.0 * one - 4.0, 6.0 * other - 4.0) + 2.0) / 3.0


def centred(mel: Tensor, frames: Tensor | None = None) -> Tensor:
    """Subtract each band's mean over time from (B, 80, T): what stays the same through a recording is not speech.

    Args:
        mel: log-mel frames.
        frames: (B,) number of frames that count; None: all. The rest becomes 0.
    """
    if frames is None:
        return mel - mel.mean(2, keepdim=True)
    inside = (torch.arange(mel.shape[2], device=mel.device) < frames[:, None])[:, None]
    mean = (mel * inside).sum(2, keepdim=True) / frames[:, None, None]
    return (mel - mean) * inside


def warp(mel: Tensor, factor: Tensor) -> Tensor:
    """Stretch the frequency axis of (B, 80, T), as other speakers would (Jaitly & Hinton 2013).

    Args:
        mel: log-mel frames.
        factor: (B,), or (B, 80) where it changes along the axis: band b shows what stood at b times its factor.
    """
    if factor.dim() == 1:
        factor = factor[:, None]
    band = (torch.arange(N_MELS, device=mel.device) * factor).clamp(max=N_MELS - 1.001)
    low = band.floor().long()
    share = (band - low)[:, :, None]
    index = low[:, :, None].expand(-1, -1, mel.shape[2])
    return mel.gather(1, index) * (1 - share) + mel.gather(1, index + 1) * share
