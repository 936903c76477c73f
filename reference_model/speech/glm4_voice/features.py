"""Log-mel frames as Whisper's feature extractor makes them, in float32. Knows neither chunks nor codes."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

SAMPLE_RATE_HZ = 16_000
HOP = 160  # 100 frames a second
N_FFT = 400

_LINEAR_UP_TO_HZ = 1000.0
_HZ_PER_MEL = 200.0 / 3.0
_MELS_PER_E = 27.0 / np.log(6.4)  # above, 27 mels for each factor of 6.4


def _hz_of_mel(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: linear up to 1 kHz, then logarithmic."""
    corner = _LINEAR_UP_TO_HZ / _HZ_PER_MEL
    above = _LINEAR_UP_TO_HZ * np.exp((np.maximum(mel, corner) - corner) / _MELS_PER_E)
    return np.where(mel < corner, mel * _HZ_PER_MEL, above)


@cache
@torch.inference_mode(False)
def slaney_filters(n_mels: int) -> Tensor:
    """Triangular filters from 0 to 8 kHz on Slaney's scale, each of the same area: (n_mels, 201)."""
    top = _LINEAR_UP_TO_HZ / _HZ_PER_MEL + _MELS_PER_E * np.log(SAMPLE_RATE_HZ / 2 / _LINEAR_UP_TO_HZ)
    edges = _hz_of_mel(np.linspace(0.0, top, n_mels + 2))
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, N_FFT // 2 + 1)
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0.0, np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)))
    return torch.from_numpy((triangles * (2.0 / (high - low))).astype(np.float32))


def whisper_log_mel(samples: Tensor, n_mels: int) -> Tensor:
    """Log-mel frames of one recording, (n,) samples with n a multiple of 160 and at least 320: (n_mels, n / 160).

    Frame t is centered on sample 160 t; the ends are reflected. What is 8 (80 dB) or more below the loudest value of
    the recording is raised to that, so a frame depends on the whole recording.
    """
    window = torch.hann_window(N_FFT, device=samples.device)
    spectrum = torch.stft(samples, N_FFT, HOP, window=window, return_complex=True)[:, :-1]
    mel = slaney_filters(n_mels).to(samples.device) @ spectrum.abs().square()
    decades = mel.clamp_min(1e-10).log10()
    return (torch.maximum(decades, decades.max() - 8.0) + 4.0) / 4.0
