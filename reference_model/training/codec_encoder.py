"""Trains the mini codec's encoder: spell what anybody says, and rebuild the spectrum of the voice that will answer.

Takes log-mel frames and texts; knows nothing of how they were made. Noise is added to the frames, not to the
samples, which is nearly the same and far cheaper. Checkpoints are safetensors, and training goes on from the last one.
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

from reference_model.speech.features import HOP, N_MELS, SILENCE, centred, log_mel, mixed, warp
from reference_model.speech.layers import ConvBlock
from reference_model.speech.networks import FRAMES_PER_CODE, SAMPLES_PER_CODE, CodecConfig, Encoder, FrameNet
from reference_model.training.picking import like_long
from reference_model.training.resumable import one_cycle, restore, stamp, store

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
_CTC_RATE = 4  # spelling frames a code: 50 a second


@dataclass(frozen=True)
class Utterance:
    """A recording: (80, 8 n) clean log-mel frames in half precision, the samples' root mean square, what is said."""

    mel: npt.NDArray[np.float16]
    rms: float
    text: str

    @classmethod
    def of(cls, wave: npt.NDArray[np.float32], text: str) -> Utterance:
        """Frames of (m,) samples at 16 kHz, with silence up to a whole code."""
        samples = F.pad(torch.from_numpy(wave), (0, -len(wave) % SAMPLES_PER_CODE))
        return cls(log_mel(samples[None])[0].numpy().astype(np.float16), float(np.sqrt(np.mean(wave**2))), text)


@dataclass(frozen=True)
class EncoderTraining:
    """Settings of the encoder's training.

    Attributes:
        batch_size: utterances of anybody in a step; they are spelt.
        rebuilt: utterances of the answering voice besides; they are spelt, and their spectrum is rebuilt.
        noisy: share of utterances that get noise at 5 to 25 dB.
        shifted: begin the utterances of each step 0 to 7 frames later, so that codes fall on other places of the words.
        width, frame_width: of the heads that only training needs.
    """

    steps: int = 12000
    batch_size: int = 24
    rebuilt: int = 4
    learning_rate: float = 2e-3
    warm_up_steps: int = 200
    noisy: float = 0.5
    shifted: bool = False
    ctc_weight: float = 1.0
    width: int = 192
    frame_width: int = 128
    seed: int = 0
    save_every: int = 500


class EncoderTrainer(nn.Module):
    """The encoder and the two heads that only training needs."""

    def __init__(self, config: CodecConfig, settings: EncoderTraining) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        dims, width = len(config.levels), settings.width
        self.rebuild = FrameNet(dims, width, settings.frame_width, N_MELS)
        self.enter = nn.Conv1d(dims, width, 3, padding=1)
        self.context = nn.Sequential(ConvBlock(width, 7), ConvBlock(width, 7))
        self.spell = nn.Linear(width, _CTC_RATE * (len(LETTERS) + 1))

    def forward(self, frames: Tensor, rebuilt: int) -> tuple[Tensor, Tensor]:
        """The frames, rebuilt and spelt.

        Args:
            frames: (B, 80, 8 n) log-mel frames.
            rebuilt: how many of the first are rebuilt.

        Returns:
            (rebuilt, 80, 8 n) frames, and spelling logits (B, 4 n, letters + blank).
        """
        values = self.encoder(frames)
        spelt = self.spell(self.context(self.enter(values)).transpose(1, 2))
        return self.rebuild(values[:rebuilt]), spelt.reshape(spelt.shape[0], -1, len(LETTERS) + 1)


def spell(text: str) -> list[int]:
    """Letters of ``text`` as CTC labels from 1 (0 is blank); everything but letters, spaces and ``'`` is dropped."""
    return [LETTERS.index(c) + 1 for c in text.lower() if c in LETTERS]


def pink_frames(seconds: int, rng: torch.Generator) -> Tensor:
    """Log-mel frames (80, 100 seconds) of pink noise with a root mean square of 1."""
    white = torch.fft.rfft(torch.randn(seconds * 100 * HOP, generator=rng))
    pink = torch.fft.irfft(white / torch.arange(1, len(white) + 1).sqrt())
    return log_mel((pink / pink.square().mean().sqrt())[None])[0]


def add_noise(mel: Tensor, rms: Tensor, pink: Tensor, snr_db: Tensor, rng: torch.Generator) -> Tensor:
    """Log-mel frames as if pink noise, or the neighbours' speech, had been added to the samples.

    Args:
        mel: (B, 80, T) clean frames.
        rms: (B,) root mean square of their samples.
        pink: (80, P) frames of noise with a root mean square of 1, P at least T.
        snr_db: (B,); inf adds nothing.
        rng: drawn from.
    """
    batch, _, n = mel.shape
    first = torch.randint(pink.shape[1] - n + 1, (batch,), generator=rng)
    hiss = torch.stack([pink[:, i : i + n] for i in first.tolist()])
    babble = mixed(mel.roll(1, 0), mel.roll(2, 0).flip(2))
    loudness = (rms.roll(1).square() + rms.roll(2).square()).sqrt()
    pick = torch.rand(batch, generator=rng) < 0.6
    noise = torch.where(pick[:, None, None], hiss, babble)
    gain = rms / torch.where(pick, 1.0, loudness) * 10 ** (-snr_db / 20)
    return mixed(mel, noise + torch.log(gain)[:, None, None] / 3.0)


def disguise(mel: Tensor, frames: Tensor, rng: torch.Generator) -> Tensor:
    """Speakers and channels that are not in the data.

    (B, 80, T) is warped by up to 15 % (and up to 8 % less at one end of the spectrum than at the other), blurred across
    bands so that single harmonics fade, centred, given up to a fifth more or less contrast, and some bands are missing.
    """
    size, slant, blur, contrast = torch.rand(4, mel.shape[0], 1, generator=rng)
    slope = (slant - 0.5) * 0.16 * (torch.arange(N_MELS) / N_MELS - 0.5)
    mel = warp(mel, (size * 0.3 + 0.85) * (1 + slope))
    for _ in range(2):
        around = F.pad(mel, (0, 0, 1, 1), mode="replicate")
        mel = mel + 0.3 * blur[:, :, None] * (around[:, :-2] + around[:, 2:] - 2 * mel)
    mel = centred(mel, frames) * (contrast[:, :, None] * 0.4 + 0.8)
    first = torch.randint(N_MELS, (mel.shape[0], 1), generator=rng)
    width = torch.randint(13, (mel.shape[0], 1), generator=rng) * (torch.rand(mel.shape[0], 1, generator=rng) < 0.5)
    band = torch.arange(N_MELS)[None]
    return mel.masked_fill(((band >= first) & (band < first + width))[:, :, None], 0.0)


def stretch(mel: Tensor, lengths: Tensor, factor: float) -> tuple[Tensor, Tensor]:
    """Speak more slowly or faster: (B, 80, 8 n) frames and (B,) lengths in codes, both times about ``factor``."""
    n = max(1, round(mel.shape[2] // FRAMES_PER_CODE * factor))
    slower = F.interpolate(mel, n * FRAMES_PER_CODE, mode="linear")
    return slower, torch.ceil(lengths * (slower.shape[2] / mel.shape[2])).long().clamp(1, n)


def later(mel: Tensor, frames: int) -> Tensor:
    """(B, 80, T) frames that begin so many frames later, behind silence; as many are lost at the end."""
    return F.pad(mel, (frames, 0), value=SILENCE)[:, :, : mel.shape[2]]


def train_encoder(
    utterances: Sequence[Utterance],
    voice: Sequence[int],
    folder: Path,
    config: CodecConfig,
    settings: EncoderTraining,
    report: Callable[[str], None] = print,
    begin: Encoder | None = None,
) -> Encoder:
    """Train on ``utterances``, of which ``voice`` lists those of the answering voice; goes on from ``folder``.

    A training that is begun takes the weights of the encoder ``begin``, if there is one, in place of random ones.

    Raises:
        CheckpointError: the folder holds a training with other settings or texts, or a damaged one.
    """
    torch.manual_seed(settings.seed)
    model = EncoderTrainer(config, settings)
    if begin is not None:
        model.encoder.load_state_dict(begin.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = one_cycle(optimizer, settings.learning_rate, settings.steps, settings.warm_up_steps)
    texts = [utterance.text for utterance in utterances]
    begun = [] if begin is None else [float(parameter.detach().sum()) for parameter in begin.parameters()]
    settled = replace(settings, save_every=0)
    made_of = stamp(codec=config, training=settled, utterances=texts, voice=list(voice), begun=begun)
    first = restore(folder, model, optimizer, schedule, made_of)
    sizes = [utterance.mel.shape[1] for utterance in utterances]
    longest = int(1.25 * max(sizes))
    rng = torch.Generator().manual_seed(settings.seed)
    pink = pink_frames(max(60, longest // 100 + 1), rng)
    began, sums = time.monotonic(), np.zeros(3)
    for step in range(first, settings.steps):
        rng.manual_seed(settings.seed * 1_000_003 + step)
        picks = like_long(settings.rebuilt, voice, sizes, step, rng)
        picks += like_long(settings.batch_size, range(len(utterances)), sizes, step, rng)
        batch = [utterances[i] for i in picks]
        clean, lengths = stretch(*_batch(batch), 0.85 + 0.35 * float(torch.rand((), generator=rng)))
        if settings.shifted:
            clean = later(clean, int(torch.randint(FRAMES_PER_CODE, (), generator=rng)))
        snr = torch.rand(len(batch), generator=rng) * 20 + 5
        snr[torch.rand(len(batch), generator=rng) > settings.noisy] = torch.inf
        loud = torch.tensor([utterance.rms for utterance in batch])
        frames = disguise(add_noise(clean, loud, pink, snr, rng), lengths * FRAMES_PER_CODE, rng)
        with torch.autocast("cpu", torch.bfloat16):  # 1.75 times faster where the processor has AVX-512 BF16
            rebuilt, spelt = model(frames, settings.rebuilt)
        rebuilt, spelt, target = rebuilt.float(), spelt.float(), clean[: settings.rebuilt]
        inside = torch.arange(target.shape[2])[None] < lengths[: settings.rebuilt, None] * FRAMES_PER_CODE
        mel_loss = ((rebuilt - target).abs().mean(1) * inside).sum() / inside.sum()
        labels = [spell(utterance.text) for utterance in batch]
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


def _batch(utterances: Sequence[Utterance]) -> tuple[Tensor, Tensor]:
    """(B, 80, 8 n) frames with silence behind the shorter ones, and (B,) lengths in codes."""
    frames = [utterance.mel.shape[1] for utterance in utterances]
    out = torch.full((len(utterances), N_MELS, max(frames)), SILENCE)
    for row, utterance in zip(out, utterances, strict=True):
        row[:, : utterance.mel.shape[1]] = torch.from_numpy(utterance.mel)
    return out, torch.tensor(frames) // FRAMES_PER_CODE
