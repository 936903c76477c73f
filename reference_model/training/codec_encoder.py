"""Trains the mini codec's encoder: spell the sentence, and rebuild the clean spectrum given the speaker's timbre.

Takes recordings and their texts as plain arrays; knows nothing of how they were made. Checkpoints are safetensors,
and training goes on from the last one.
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

from reference_model.speech.features import N_MELS, centred, log_mel, warp
from reference_model.speech.layers import ConvBlock
from reference_model.speech.networks import FRAMES_PER_CODE, SAMPLES_PER_CODE, CodecConfig, Encoder, FrameNet
from reference_model.training.resumable import restore, stamp, store

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
_CTC_RATE = 4  # spelling frames a code: 50 a second


@dataclass(frozen=True)
class EncoderTraining:
    """Settings of the encoder's training.

    Attributes:
        noisy: share of recordings that get noise at 5 to 25 dB.
        rebuilt: share of a batch whose spectrum is rebuilt; the whole batch is spelt.
    """

    steps: int = 9000
    batch_size: int = 24
    learning_rate: float = 2e-3
    warm_up_steps: int = 200
    noisy: float = 0.5
    rebuilt: float = 1 / 3
    ctc_weight: float = 1.0
    seed: int = 0
    save_every: int = 500


class EncoderTrainer(nn.Module):
    """The encoder and the two heads that only training needs."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        dims, width = len(config.levels), config.decoder_width
        self.rebuild = FrameNet(dims, width, config.frame_width, N_MELS)
        self.timbre = nn.Sequential(nn.Linear(2 * N_MELS, 32), nn.Tanh(), nn.Linear(32, width))
        self.enter = nn.Conv1d(dims, width, 3, padding=1)
        self.context = ConvBlock(width, 5)
        self.spell = nn.Linear(width, _CTC_RATE * (len(LETTERS) + 1))

    def forward(self, heard: Tensor, clean: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """What is heard, rebuilt and spelt.

        Args:
            heard: (B, 80, 8 n) log-mel frames.
            clean: (R, 80, 8 n) frames of some of the batch without noise, for the speaker's timbre.
            rows: (R,) which of the batch these are.

        Returns:
            (R, 80, 8 n) rebuilt frames, and spelling logits (B, 4 n, letters + blank).
        """
        values = self.encoder(heard)
        who = torch.cat([clean.mean(2), clean.std(2)], 1)
        rebuilt = self.rebuild(values[rows], self.timbre(who))
        spelt = self.spell(self.context(self.enter(values)).transpose(1, 2))
        return rebuilt, spelt.reshape(spelt.shape[0], -1, len(LETTERS) + 1)


def spell(text: str) -> list[int]:
    """Letters of ``text`` as CTC labels from 1 (0 is blank); everything but letters, spaces and ``'`` is dropped."""
    return [LETTERS.index(c) + 1 for c in text.lower() if c in LETTERS]


def add_noise(waves: Tensor, snr_db: Tensor, rng: torch.Generator) -> Tensor:
    """Adds to each of (B, n) waves pink noise or its neighbours' speech, at (B,) ``snr_db``; inf adds nothing."""
    batch, n = waves.shape
    white = torch.fft.rfft(torch.randn(batch, n, generator=rng))
    pink = torch.fft.irfft(white / torch.arange(1, white.shape[1] + 1).sqrt(), n)
    babble = waves.roll(1, 0) + waves.roll(2, 0).flip(1)
    noise = torch.where(torch.rand(batch, 1, generator=rng) < 0.6, pink, babble)
    power = waves.square().mean(1, keepdim=True)
    scale = (power / noise.square().mean(1, keepdim=True).clamp_min(1e-9)).sqrt() * 10 ** (-snr_db[:, None] / 20)
    return waves + noise * scale


def disguise(mel: Tensor, frames: Tensor, rng: torch.Generator) -> Tensor:
    """Speakers and channels that are not in the data.

    (B, 80, T) warped by up to 15 %, centred, of up to a fifth more or less contrast, and some bands missing.
    """
    factor = torch.rand(mel.shape[0], generator=rng) * 0.3 + 0.85
    contrast = torch.rand(mel.shape[0], 1, 1, generator=rng) * 0.4 + 0.8
    mel = centred(warp(mel, factor), frames) * contrast
    first = torch.randint(N_MELS, (mel.shape[0], 1), generator=rng)
    width = torch.randint(13, (mel.shape[0], 1), generator=rng) * (torch.rand(mel.shape[0], 1, generator=rng) < 0.5)
    band = torch.arange(N_MELS)[None]
    return mel.masked_fill(((band >= first) & (band < first + width))[:, :, None], 0.0)


def train_encoder(
    wave: Callable[[int], npt.NDArray[np.float32]],
    texts: Sequence[str],
    folder: Path,
    config: CodecConfig,
    settings: EncoderTraining,
    report: Callable[[str], None] = print,
) -> Encoder:
    """Train on recordings ``wave(i)`` (16 kHz) that say ``texts[i]``; goes on from ``folder`` if a training is there.

    Raises:
        CheckpointError: the folder holds a training with other settings or texts, or a damaged one.
    """
    torch.manual_seed(settings.seed)
    model = EncoderTrainer(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        settings.learning_rate,
        settings.steps,
        pct_start=settings.warm_up_steps / settings.steps,
        cycle_momentum=False,
    )
    made_of = stamp(config, replace(settings, save_every=0), texts)
    first = restore(folder, model, optimizer, schedule, made_of)
    rng = torch.Generator()
    began, sums = time.monotonic(), np.zeros(3)
    for step in range(first, settings.steps):
        rng.manual_seed(settings.seed * 1_000_003 + step)
        picks = _like_long(torch.randint(len(texts), (4 * settings.batch_size,), generator=rng).tolist(), wave, step)
        clean, lengths = _batch([wave(i) for i in picks])
        snr = torch.rand(len(picks), generator=rng) * 20 + 5
        snr[torch.rand(len(picks), generator=rng) > settings.noisy] = torch.inf
        heard = disguise(log_mel(add_noise(clean, snr, rng)), lengths * FRAMES_PER_CODE, rng)
        rows = torch.randperm(len(picks), generator=rng)[: max(1, round(settings.rebuilt * len(picks)))]
        target = log_mel(clean[rows])
        with torch.autocast("cpu", torch.bfloat16):  # 1.75 times faster where the processor has AVX-512 BF16
            rebuilt, spelt = model(heard, target, rows)
        rebuilt, spelt = rebuilt.float(), spelt.float()
        inside = torch.arange(target.shape[2])[None] < lengths[rows, None] * FRAMES_PER_CODE
        mel_loss = ((rebuilt - target).abs().mean(1) * inside).sum() / inside.sum()
        labels = [spell(texts[i]) for i in picks]
        ctc_loss = F.ctc_loss(
            spelt.log_softmax(2).transpose(0, 1),
            torch.tensor([letter for label in labels for letter in label]),
            lengths * _CTC_RATE,
            torch.tensor([len(label) for label in labels]),
            zero_infinity=True,
        )
        optimizer.zero_grad(set_to_none=True)
        (mel_loss + settings.ctc_weight * ctc_loss).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        sums += (mel_loss.item(), ctc_loss.item(), 1)
        if (step + 1) % 100 == 0:
            speed = (time.monotonic() - began) / (step + 1 - first)
            report(
                f"encoder step {step + 1}: mel {sums[0] / sums[2]:.3f} ctc {sums[1] / sums[2]:.3f} {speed:.2f} s/step"
            )
            sums[:] = 0
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            store(folder, model, optimizer, step + 1, made_of)
    return model.encoder


def _like_long(picks: list[int], wave: Callable[[int], npt.NDArray[np.float32]], step: int) -> list[int]:
    """A quarter of the picks, of like length, so that little is padded; the quarters take turns."""
    quarter = len(picks) // 4
    return sorted(picks, key=lambda i: len(wave(i)))[step % 4 * quarter :][:quarter]


def _batch(waves: Sequence[npt.NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    codes = [-(-len(w) // SAMPLES_PER_CODE) for w in waves]
    out = torch.zeros(len(waves), max(codes) * SAMPLES_PER_CODE)
    for row, w in zip(out, waves, strict=True):
        row[: len(w)] = torch.from_numpy(w)
    return out, torch.tensor(codes)
