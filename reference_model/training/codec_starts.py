"""Trains the mini codec's decoder on recordings that begin anywhere, so that it learns a voice and not its recordings.

``codec_decoder`` sees each recording with one set of codes. Started 40 ms later, the same words fall on other codes,
and a decoder that has never seen those is hard to understand. Here every use of a recording is started anew, at one of
the eight frames of a code, and encoded as it then is; windows of a few seconds are compared. The encoder stays.
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

from reference_model.speech.features import HOP, centred, log_mel
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import FRAMES_PER_CODE, SAMPLES_PER_CODE, FrameNet
from reference_model.speech.source_filter import impulse_train
from reference_model.training.codec_decoder import fill_pitch, spectral_distance, synthesize
from reference_model.training.resumable import one_cycle, restore, stamp, store


@dataclass(frozen=True)
class VoiceRecording:
    """One recording of the voice: (m,) 16-bit samples at 16 kHz, and (m / 160,) pitch in Hz, 0 where unvoiced."""

    samples: npt.NDArray[np.int16]
    f0_hz: npt.NDArray[np.float32]


@dataclass(frozen=True)
class StartsTraining:
    """Settings of the training.

    Attributes:
        batch_size: windows a step.
        window: codes of a window; the outermost, whose neighbors it doesn't hold, are not compared.
        silence: codes of silence behind a recording.
        pitch_weight: of the pitch's error, in octaves.
    """

    steps: int = 2000
    batch_size: int = 6
    window: int = 48
    silence: int = 2
    learning_rate: float = 1e-3
    warm_up_steps: int = 50
    pitch_weight: float = 2.0
    seed: int = 0
    save_every: int = 50


@dataclass(frozen=True)
class Window:
    """A stretch of one recording, started somewhere.

    Attributes:
        codes: (n,) of the stretch.
        wave: (1280 n,) samples.
        f0_hz: (8 n,) pitch.
        train: (1280 n,) impulse train at the true pitch.
        compared: (8 n,) which frames have all their neighbors in the window.
    """

    codes: Tensor
    wave: Tensor
    f0_hz: Tensor
    train: Tensor
    compared: Tensor


def started(recording: VoiceRecording, shift: int, silence: int) -> tuple[Tensor, Tensor]:
    """The recording begun ``shift`` frames later, filled up to whole codes and with ``silence`` codes more.

    Returns:
        (1280 n,) samples and (8 n,) pitch.
    """
    front = shift * HOP
    n = -(-(front + len(recording.samples)) // SAMPLES_PER_CODE) + silence
    wave, f0 = np.zeros(n * SAMPLES_PER_CODE, np.float32), np.zeros(n * FRAMES_PER_CODE, np.float32)
    wave[front : front + len(recording.samples)] = recording.samples.astype(np.float32) / 32767.0
    f0[shift : shift + len(recording.f0_hz)] = recording.f0_hz
    return torch.from_numpy(wave), torch.from_numpy(f0)


def window_of(codec: MiniCodec, recording: VoiceRecording, settings: StartsTraining, rng: torch.Generator) -> Window:
    """Start a recording somewhere, encode all of it, and cut a window out; a short one is filled up with silence."""
    shift = int(torch.randint(FRAMES_PER_CODE, (), generator=rng))
    wave, f0 = started(recording, shift, settings.silence)
    with torch.no_grad():
        values = codec.encoder(centred(log_mel(wave[None])))
        codes = codec.encoder.quantise.indices(values)[0]
    n, length, margin = len(codes), settings.window, FrameNet.lookahead_codes
    train = impulse_train(torch.from_numpy(fill_pitch(f0.numpy())))[0]
    first = int(torch.randint(max(1, n - length + 1), (), generator=rng))
    last = min(n, first + length)
    compared = torch.zeros(length * FRAMES_PER_CODE, dtype=torch.bool)
    low = margin if first else 0
    high = last - first - (margin if last < n else 0)
    compared[low * FRAMES_PER_CODE : high * FRAMES_PER_CODE] = True

    def cut(values: Tensor, unit: int) -> Tensor:
        piece = values[first * unit : last * unit]
        return torch.nn.functional.pad(piece, (0, length * unit - len(piece)))

    filled = torch.cat([codes[first:last], codes[-1:].expand(length - (last - first))])
    return Window(filled, cut(wave, SAMPLES_PER_CODE), cut(f0, FRAMES_PER_CODE), cut(train, SAMPLES_PER_CODE), compared)


def train_on_starts(
    codec: MiniCodec,
    recordings: Sequence[VoiceRecording],
    folder: Path,
    settings: StartsTraining,
    report: Callable[[str], None] = print,
) -> MiniCodec:
    """Train the codec's decoder in place, from the weights it has; goes on from ``folder``.

    Raises:
        CheckpointError: the folder holds a training with other settings or recordings, or a damaged one.
    """
    model = codec.decoder
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98))
    schedule = one_cycle(optimizer, settings.learning_rate, settings.steps, settings.warm_up_steps)
    sizes = [len(recording.samples) for recording in recordings]
    made_of = stamp(codec=codec.config, training=replace(settings, save_every=0), begun=codec.fingerprint, data=sizes)
    first = restore(folder, model, optimizer, schedule, made_of)
    codec.encoder.eval()
    model.train()
    rng = torch.Generator()
    began, sums = time.monotonic(), np.zeros(3)
    for step in range(first, settings.steps):
        rng.manual_seed(settings.seed * 1_000_003 + step)
        picks = torch.randint(len(recordings), (settings.batch_size,), generator=rng).tolist()
        windows = [window_of(codec, recordings[i], settings, rng) for i in picks]
        codes, wave, f0, train, compared = (
            torch.stack([getattr(window, name) for window in windows])
            for name in ("codes", "wave", "f0_hz", "train", "compared")
        )
        with torch.autocast("cpu", torch.bfloat16):
            predicted, harmonic, breath = model(codes)
        hiss = torch.randn(train.shape, generator=rng)
        inside = compared.float().repeat_interleave(HOP, 1)
        spectral = spectral_distance(synthesize(train, hiss, harmonic, breath) * inside, wave * inside)
        voiced = (f0 > 0) & compared
        pitch = (torch.log2(predicted[voiced]) - torch.log2(f0[voiced])).abs().mean()
        optimizer.zero_grad(set_to_none=True)
        (spectral + settings.pitch_weight * pitch).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        sums += (spectral.item(), pitch.item(), 1)
        if (step + 1) % 50 == 0:
            step_s = (time.monotonic() - began) / (step + 1 - first)
            report(
                f"codec step {step + 1}: spectral {sums[0] / sums[2]:.3f} "
                f"pitch {12 * sums[1] / sums[2]:.2f} semitones {step_s:.2f} s/step"
            )
            sums[:] = 0
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            store(folder, model, optimizer, step + 1, made_of)
    model.eval()
    return codec
