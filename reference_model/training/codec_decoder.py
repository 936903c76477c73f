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
import torch.nn.functional as F
from torch import Tensor, nn

from reference_model.errors import ReferenceModelError
from reference_model.speech.features import HOP, log_mel, mel_filters
from reference_model.speech.networks import FRAMES_PER_CODE, CodecConfig, Decoder, FrameNet
from reference_model.speech.source_filter import FRAME, MARGIN, cut, impulse_train, overlap_add, shape
from reference_model.training.picking import like_long
from reference_model.training.resumable import begun_with, one_cycle, restore, stamp, store

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
        window: codes of each recording that a step sees; 0: all of it. The outermost codes of a window, whose neighbors
            it doesn't hold, are not compared, so it must hold more than twice the decoder's lookahead.
        pitch_weight: of the pitch's error, in octaves.
        mel_weight: of the error of log-mel frames, in which quiet consonants count as much as loud vowels.
    """

    steps: int = 5000
    batch_size: int = 8
    often: int = 4
    window: int = 0
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    pitch_weight: float = 2.0
    mel_weight: float = 0.0
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
    begin: Decoder | None = None,
) -> Decoder:
    """Train on the recordings of one voice, and as often as is set on ``often``; goes on from ``folder``.

    A training that is begun takes the weights of the decoder ``begin``, if there is one, in place of random ones.

    Raises:
        ReferenceModelError: a window in which nothing could be compared.
        CheckpointError: the folder holds a training with other settings or codes, or a damaged one.
    """
    if 0 < settings.window <= 2 * FrameNet.lookahead_codes:
        least = 2 * FrameNet.lookahead_codes
        raise ReferenceModelError(f"window = {settings.window}: must be 0, or more than {least} codes")
    torch.manual_seed(settings.seed)
    model = Decoder(config)
    if begin is not None:
        model.load_state_dict(begin.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98))
    schedule = one_cycle(optimizer, settings.learning_rate, settings.steps, settings.warm_up_steps)
    data = [recording.codes.tolist() for recording in recordings]
    settled = replace(settings, save_every=0)
    made_of = stamp(codec=config, training=settled, data=data, often=list(often), begun=begun_with(begin))
    first = restore(folder, model, optimizer, schedule, made_of)
    sizes = [len(recording.codes) for recording in recordings]
    trains = [impulse_train(torch.from_numpy(fill_pitch(r.f0_hz)))[0] for r in recordings]
    rng = torch.Generator()
    began, sums = time.monotonic(), np.zeros(3)
    for step in range(first, settings.steps):
        rng.manual_seed(settings.seed * 1_000_003 + step)
        picks = like_long(settings.often, often, sizes, step, rng)
        picks += like_long(settings.batch_size - settings.often, range(len(recordings)), sizes, step, rng)
        parts = [Part.of(recordings[i], trains[i]).cut(settings.window, rng) for i in picks]
        codes, wave, f0, train, compared = _batch(parts)
        with torch.autocast("cpu", torch.bfloat16):
            predicted, harmonic, breath = model(codes)
        hiss = torch.randn(train.shape, generator=rng)
        inside = compared.float().repeat_interleave(HOP, 1)
        made = synthesize(train, hiss, harmonic, breath)
        spectral = spectral_distance(made * inside, wave * inside)
        voiced = (f0 > 0) & compared
        octaves = (torch.log2(predicted[voiced]) - torch.log2(f0[voiced])).abs()
        pitch = octaves.sum() / max(1, len(octaves))
        loss = spectral + settings.pitch_weight * pitch
        if settings.mel_weight:
            errors = (log_mel(made) - log_mel(wave)).abs().mean(1)
            loss = loss + settings.mel_weight * (errors * compared).sum() / compared.sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
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


@dataclass(frozen=True)
class Part:
    """Codes of a recording, their samples, pitch and source, and (8 n,) which frames have all their neighbors."""

    codes: Tensor
    wave: Tensor
    f0_hz: Tensor
    train: Tensor
    compared: Tensor

    @classmethod
    def of(cls, recording: Recording, train: Tensor) -> Part:
        """All of a recording."""
        codes, wave, f0 = (torch.from_numpy(one) for one in (recording.codes, recording.wave, recording.f0_hz))
        return cls(codes, wave, f0, train, torch.ones(len(f0), dtype=torch.bool))

    def cut(self, length: int, rng: torch.Generator) -> Part:
        """Some window of so many codes; all of it where it is no longer, or ``length`` is 0."""
        n = len(self.codes)
        if not 0 < length < n:
            return self
        first = int(torch.randint(n - length + 1, (), generator=rng))
        codes, frames, samples = (
            slice(first * u, (first + length) * u) for u in (1, FRAMES_PER_CODE, FRAMES_PER_CODE * HOP)
        )
        compared = self.compared[frames].clone()
        margin = FrameNet.lookahead_codes * FRAMES_PER_CODE
        if first:
            compared[:margin] = False
        if first + length < n:
            compared[-margin:] = False
        return Part(self.codes[codes], self.wave[samples], self.f0_hz[frames], self.train[samples], compared)


def _batch(parts: Sequence[Part]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Codes, waves, pitch, sources and what is compared, of one length; a short one gets its last code again."""
    longest = max(len(part.codes) for part in parts)
    n = longest * FRAMES_PER_CODE
    codes = torch.stack([torch.cat([p.codes, p.codes[-1:].expand(longest - len(p.codes))]) for p in parts])
    compared = torch.stack([F.pad(p.compared, (0, n - len(p.compared)), value=True) for p in parts])
    wave, train, f0 = (
        torch.stack([F.pad(one, (0, size - len(one))) for one in values])
        for values, size in (
            ([p.wave for p in parts], n * HOP),
            ([p.train for p in parts], n * HOP),
            ([p.f0_hz for p in parts], n),
        )
    )
    return codes, wave, f0, train, compared
