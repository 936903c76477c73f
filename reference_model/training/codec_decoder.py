"""Trains the mini codec's decoder on one voice: from its codes and its true pitch back to its waveform.

The encoder is done and its codes are fixed. Spectra are compared at several resolutions, so the phase is free; the
source is driven by the true pitch while the network learns to predict it. Takes plain arrays; knows no voice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from reference_model.speech.features import HOP, mel_filters
from reference_model.speech.networks import FRAMES_PER_CODE, CodecConfig, Decoder
from reference_model.speech.source_filter import FRAME, MARGIN, cut, impulse_train, overlap_add, shape
from reference_model.training.picking import like_long
from reference_model.training.resumable import one_cycle, restore, stamp, store

_RESOLUTIONS = ((256, 32), (512, 64), (1024, 80), (2048, 128))  # samples, mel bands


@dataclass(frozen=True)
class Recording:
    """One recording of the voice: (n,) codes, (1280 n,) samples at 16 kHz, (8 n,) pitch in Hz, 0 where unvoiced."""

    codes: npt.NDArray[np.int64]
    wave: npt.NDArray[np.float32]
    f0_hz: npt.NDArray[np.float32]


@dataclass(frozen=True)
class DecoderTraining:
    """Settings of the decoder's training.

    Attributes:
        batch_size: recordings a step.
        often: of those, how many are of the recordings that matter most.
        pitch_weight: of the pitch's error, in octaves.
    """

    steps: int = 5000
    batch_size: int = 8
    often: int = 4
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    pitch_weight: float = 2.0
    seed: int = 0
    save_every: int = 500


def fill_pitch(f0_hz: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Pitch without gaps: unvoiced frames are interpolated, so that the source never stops."""
    voiced = np.flatnonzero(f0_hz > 0)
    if len(voiced) == 0:
        return np.full_like(f0_hz, 120.0)
    return np.interp(np.arange(len(f0_hz)), voiced, f0_hz[voiced]).astype(np.float32)


def spectral_distance(made: Tensor, true: Tensor) -> Tensor:
    """Mean L1 between log-mel and linear-mel spectra of two (B, n) waves over four resolutions."""
    total = torch.zeros((), device=made.device)
    for size, bands in _RESOLUTIONS:
        window = torch.hann_window(size, device=made.device)
        filters = mel_filters(size, bands).to(made.device)
        a, b = (
            filters @ torch.stft(wave, size, size // 4, window=window, return_complex=True).abs().clamp_min(1e-5)
            for wave in (made, true)
        )
        floor = 0.003 * size
        total = total + (torch.log(a + floor / 30) - torch.log(b + floor / 30)).abs().mean()
        total = total + ((a - b).abs().mean() / b.mean().clamp_min(1e-3))
    return total / len(_RESOLUTIONS)


def train_decoder(
    recordings: Sequence[Recording],
    often: Sequence[int],
    folder: Path,
    config: CodecConfig,
    settings: DecoderTraining,
    report: Callable[[str], None] = print,
) -> Decoder:
    """Train on the recordings of one voice, half of the time on ``often``; goes on from ``folder``.

    Raises:
        CheckpointError: the folder holds a training with other settings or codes, or a damaged one.
    """
    torch.manual_seed(settings.seed)
    model = Decoder(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98))
    schedule = one_cycle(optimizer, settings.learning_rate, settings.steps, settings.warm_up_steps)
    data = [recording.codes.tolist() for recording in recordings]
    made_of = stamp(codec=config, training=replace(settings, save_every=0), data=data, often=list(often))
    first = restore(folder, model, optimizer, schedule, made_of)
    sizes = [len(recording.codes) for recording in recordings]
    trains = [impulse_train(torch.from_numpy(fill_pitch(r.f0_hz)))[0] for r in recordings]
    rng = torch.Generator()
    began, sums = time.monotonic(), np.zeros(3)
    for step in range(first, settings.steps):
        rng.manual_seed(settings.seed * 1_000_003 + step)
        picks = like_long(settings.often, often, sizes, step, rng)
        picks += like_long(settings.batch_size - settings.often, range(len(recordings)), sizes, step, rng)
        longest = max(len(recordings[i].codes) for i in picks)
        codes, wave, f0, train = _batch([recordings[i] for i in picks], [trains[i] for i in picks], longest)
        with torch.autocast("cpu", torch.bfloat16):
            predicted, harmonic, breath = model(codes)
        hiss = torch.randn(train.shape, generator=rng)
        made = synthesize(train, hiss, harmonic, breath)
        spectral = spectral_distance(made, wave)
        voiced = f0 > 0
        pitch = (torch.log2(predicted[voiced]) - torch.log2(f0[voiced])).abs().mean()
        optimizer.zero_grad(set_to_none=True)
        (spectral + settings.pitch_weight * pitch).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        sums += (spectral.item(), pitch.item(), 1)
        if (step + 1) % 100 == 0:
            step_s = (time.monotonic() - began) / (step + 1 - first)
            report(
                f"decoder step {step + 1}: spectral {sums[0] / sums[2]:.3f} "
                f"pitch {12 * sums[1] / sums[2]:.2f} semitones {step_s:.2f} s/step"
            )
            sums[:] = 0
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            store(folder, model, optimizer, step + 1, made_of)
    return model.eval()


def synthesize(train: Tensor, hiss: Tensor, harmonic: Tensor, breath: Tensor) -> Tensor:
    """Sources (B, n) and envelopes (B, 80, n / 160) to waves (B, n)."""
    side = (FRAME - HOP) // 2
    sources = torch.nn.functional.pad(torch.stack([train, hiss]), (side, side))
    frames = shape(cut(sources[0]), harmonic) + shape(cut(sources[1]), breath)
    return overlap_add(frames)[:, MARGIN:-MARGIN]


def _batch(
    recordings: Sequence[Recording], trains: Sequence[Tensor], longest: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Codes, waves, pitch and sources of one length; what is short gets its last code (silence) again."""
    n = longest * FRAMES_PER_CODE
    codes = torch.zeros(len(recordings), longest, dtype=torch.int64)
    wave, train = torch.zeros(len(recordings), n * HOP), torch.zeros(len(recordings), n * HOP)
    f0 = torch.zeros(len(recordings), n)
    for i, (recording, source) in enumerate(zip(recordings, trains, strict=True)):
        codes[i] = int(recording.codes[-1])
        codes[i, : len(recording.codes)] = torch.from_numpy(recording.codes)
        wave[i, : len(recording.wave)] = torch.from_numpy(recording.wave)
        f0[i, : len(recording.f0_hz)] = torch.from_numpy(recording.f0_hz)
        train[i, : len(source)] = source
    return codes, wave, f0, train
