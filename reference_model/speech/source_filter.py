"""Harmonics and noise, shaped by two spectral envelopes: the synthesiser behind the mini codec's decoder.

Follows the source-filter model in the form of differentiable signal processing (Engel et al. 2020): an impulse train
at the given pitch and white noise are cut into frames of 40 ms, filtered in the frequency domain, overlapped and added.
Everything is a function of the absolute position, so a stream gives the same samples as one call.
Knows signals; no codes and no networks.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from reference_model.speech.features import HOP, N_MELS, SAMPLE_RATE_HZ

FRAME = 640
FFT = 1024
MARGIN = (FFT - HOP) // 2
"""Samples that a frame reaches beyond its own 160 on either side."""

_OVERLAP_GAIN = FRAME / HOP / 2  # a Hann window's copies at this hop add up to this


@cache
@torch.inference_mode(False)  # not as an inference tensor: a codec that has spoken may be trained again
def _band_to_bin() -> Tensor:
    """Linear interpolation of 80 mel bands to the 513 bins of the filter, shape (80, 513)."""
    top = 2595.0 * math.log10(1.0 + SAMPLE_RATE_HZ / 2 / 700.0)
    hz = torch.linspace(0, SAMPLE_RATE_HZ / 2, FFT // 2 + 1)
    band = (2595.0 * torch.log10(1.0 + hz / 700.0) / top * (N_MELS + 1) - 1).clamp(0, N_MELS - 1)
    low = band.floor().long().clamp(max=N_MELS - 2)
    share = band - low
    table = torch.zeros(N_MELS, FFT // 2 + 1)
    table[low, torch.arange(len(hz))] = 1 - share
    table[low + 1, torch.arange(len(hz))] += share
    return table


def impulse_train(f0_hz: Tensor, phase: float = 0.0) -> tuple[Tensor, float]:
    """Equal harmonics up to 8 kHz, of unit power.

    Args:
        f0_hz: (T,) pitch of each frame of 160 samples, above 40 Hz everywhere.
        phase: turns (0 to 1) that have passed before the first sample.

    Returns:
        (160 T,) samples, and the phase behind the last one.
    """
    pitch = f0_hz.double().repeat_interleave(HOP)
    turns = phase + torch.cumsum(pitch / SAMPLE_RATE_HZ, 0)
    harmonics = torch.floor(SAMPLE_RATE_HZ / 2 / pitch)
    half = math.pi * (turns - torch.floor(turns))
    sine = torch.sin(half)
    # Dirichlet's closed form of sum cos(2 k half), k = 1 .. harmonics; its limit at a pulse is the number of terms.
    near = sine.abs() < 1e-6
    closed = torch.sin(harmonics * half) * torch.cos((harmonics + 1) * half) / torch.where(near, 1.0, sine)
    train = torch.where(near, harmonics, closed) / torch.sqrt(harmonics / 2)
    last = float(turns[-1]) if len(turns) else phase
    return train.float(), last - math.floor(last)


def noise(first: int, last: int) -> Tensor:
    """White noise of unit power for the frames ``[first, last)``: the same samples whenever a frame is asked for."""
    pieces = [torch.randn(HOP, generator=torch.Generator().manual_seed(frame + 2**20)) for frame in range(first, last)]
    return torch.cat(pieces) if pieces else torch.zeros(0)


def cut(source: Tensor) -> Tensor:
    """Overlapping windowed frames of (..., n) samples, n a multiple of 160: spectra (..., n / 160 - 3, 513).

    Frame t covers samples 160 t to 160 t + 640. For a frame every 160 samples put 240 samples before and behind.
    """
    frames = source.unfold(-1, FRAME, HOP) * torch.hann_window(FRAME, device=source.device)
    side = (FFT - FRAME) // 2
    spectra: Tensor = torch.fft.rfft(torch.nn.functional.pad(frames, (side, side)))
    return spectra


def shape(spectra: Tensor, envelope: Tensor) -> Tensor:
    """Filter spectra (..., T, 513) with natural-log amplitudes (..., 80, T): filtered frames (..., T, 1024)."""
    gain = torch.exp(envelope.transpose(-1, -2) @ _band_to_bin().to(envelope.device))
    frames: Tensor = torch.fft.irfft(spectra * gain, FFT)
    return frames / _OVERLAP_GAIN


def overlap_add(frames: Tensor) -> Tensor:
    """Add frames (B, T, 1024) up at a hop of 160: (B, 160 (T - 1) + 1024) samples, 432 of margin on either side."""
    length = HOP * (frames.shape[1] - 1) + FFT
    folded = torch.nn.functional.fold(frames.transpose(1, 2), (1, length), (1, FFT), stride=(1, HOP))
    return folded[:, 0, 0]
