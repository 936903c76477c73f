"""Trains the mini codec's encoder: spell what anybody says, and rebuild the spectrum of the voice that will answer.

Takes log-mel frames and texts; knows nothing of how they were made. What is spelt is disguised as other speakers in
other rooms; the answering voice is always itself, so it is rebuilt from windows of its recordings as they are. Noise is
added to the frames, not to the samples, which is nearly the same and far cheaper. Checkpoints are safetensors, and
training goes on from the last one.
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
from reference_model.training.resumable import begun_with, one_cycle, restore, stamp, store
from reference_model.training.unit_levels import UnitLevels

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
_CTC_RATE = 4  # spelling frames a code: 50 a second


def frames_of(wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """(80, 8 n) log-mel frames, half precision, of (m,) samples at 16 kHz with silence up to a whole code."""
    samples = F.pad(torch.from_numpy(wave), (0, -len(wave) % SAMPLES_PER_CODE))
    return log_mel(samples[None])[0].numpy().astype(np.float16)


@dataclass(frozen=True)
class Utterance:
    """A recording: (80, 8 n) clean log-mel frames in half precision, the samples' root mean square, what is said."""

    mel: npt.NDArray[np.float16]
    rms: float
    text: str

    @classmethod
    def of(cls, wave: npt.NDArray[np.float32], text: str) -> Utterance:
        """Frames of (m,) samples at 16 kHz, with silence up to a whole code."""
        return cls(frames_of(wave), float(np.sqrt(np.mean(wave**2))), text)


@dataclass(frozen=True)
class VoiceRecording:
    """A recording of the answering voice.

    Attributes:
        mel: (80, 8 n) log-mel frames in half precision.
        units: (n,) which unit each code is, see ``unit_levels``; -1 where it is none. None: no code is.
    """

    mel: npt.NDArray[np.float16]
    units: npt.NDArray[np.int64] | None = None

    def window(self, codes: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What ``window_of`` cuts out, and (codes,) the units of the codes that are compared."""
        first, *cut, compared = window_of(torch.from_numpy(self.mel).float(), codes, rng)
        units = torch.full((codes,), -1)
        if self.units is not None:
            part = torch.from_numpy(self.units[first : first + codes])
            units[: len(part)] = part
        return cut[0], cut[1], compared, units.masked_fill(compared[::FRAMES_PER_CODE] == 0, -1)


@dataclass(frozen=True)
class EncoderTraining:
    """Settings of the encoder's training.

    Attributes:
        batch_size: utterances of anybody in a step; they are spelt.
        windows: windows of the answering voice besides; their spectrum is rebuilt.
        window: codes of a window; the outermost, whose neighbors it doesn't hold, are not compared.
        noisy: share of utterances that get noise at 5 to 25 dB.
        mel_weight, ctc_weight: of the rebuilt spectrum's error and of the spelling's.
        unit_weight: of how far units of the answering voice are from having one code each.
        width, frame_width: of the heads that only training needs.
    """

    steps: int = 12000
    batch_size: int = 4
    windows: int = 16
    window: int = 24
    learning_rate: float = 1.5e-3
    warm_up_steps: int = 100
    noisy: float = 0.5
    mel_weight: float = 4.0
    ctc_weight: float = 0.3
    unit_weight: float = 0.0
    width: int = 192
    frame_width: int = 128
    seed: int = 0
    save_every: int = 500


class EncoderTrainer(nn.Module):
    """The encoder and the two heads that only training needs."""

    def __init__(self, config: CodecConfig, settings: EncoderTraining, n_units: int) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.units = UnitLevels(n_units, len(config.levels))
        dims, width = len(config.levels), settings.width
        self.rebuild = FrameNet(dims, width, settings.frame_width, N_MELS)
        self.enter = nn.Conv1d(dims, width, 3, padding=1)
        self.context = nn.Sequential(ConvBlock(width, 7), ConvBlock(width, 7))
        self.spell = nn.Linear(width, _CTC_RATE * (len(LETTERS) + 1))

    def rebuilt(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 80, 8 n) centred log-mel frames, rebuilt from their codes, uncentred; and (B, D, n) the codes' levels.

        The levels are not yet rounded.
        """
        projected = self.encoder.projected(frames)
        return self.rebuild(self.encoder.quantise(projected)), self.encoder.quantise.bounded(projected)

    def spelt(self, frames: Tensor) -> Tensor:
        """Spelling logits (B, 4 n, letters + blank) of (B, 80, 8 n) centred log-mel frames."""
        logits: Tensor = self.spell(self.context(self.enter(self.encoder(frames))).transpose(1, 2))
        return logits.reshape(logits.shape[0], -1, len(LETTERS) + 1)


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


def window_of(mel: Tensor, codes: int, rng: torch.Generator) -> tuple[int, Tensor, Tensor, Tensor]:
    """Cut a window out of a recording, from the beginning of some code on.

    Args:
        mel: (80, 8 n) log-mel frames of the recording.
        codes: length of the window.
        rng: drawn from.

    Returns:
        The number of its first code; (80, 8 codes) frames, each band centred over the recording; the same uncentred;
        and (8 codes,) which frames are compared: those of the recording that have their neighbors in the window, and
        two codes of silence behind it.
    """
    length, n = codes * FRAMES_PER_CODE, mel.shape[1]
    first = FRAMES_PER_CODE * int(torch.randint(max(1, (n - length) // FRAMES_PER_CODE + 1), (), generator=rng))
    clean = F.pad(mel[:, first : first + length], (0, max(0, first + length - n)), value=SILENCE)
    compared = torch.zeros(length)
    low = FRAMES_PER_CODE if first else 0
    high = length - FRAMES_PER_CODE if first + length < n else n - first + 2 * FRAMES_PER_CODE
    compared[low:high] = 1.0
    return first // FRAMES_PER_CODE, clean - mel.mean(1, keepdim=True), clean, compared


def train_encoder(
    utterances: Sequence[Utterance],
    voice: Sequence[VoiceRecording],
    folder: Path,
    config: CodecConfig,
    settings: EncoderTraining,
    report: Callable[[str], None] = print,
    begin: Encoder | None = None,
) -> Encoder:
    """Train on ``utterances`` of anybody and on ``voice``, recordings of the answering voice.

    Goes on from ``folder``. A training that is begun takes the weights of the encoder ``begin``, if there is one, in
    place of random ones.

    Raises:
        CheckpointError: the folder holds a training with other settings, texts or recordings, or a damaged one.
    """
    torch.manual_seed(settings.seed)
    n_units = max((int(one.units.max(initial=-1)) + 1 for one in voice if one.units is not None), default=0)
    model = EncoderTrainer(config, settings, n_units)
    if begin is not None:
        model.encoder.load_state_dict(begin.state_dict())
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = one_cycle(optimizer, settings.learning_rate, settings.steps, settings.warm_up_steps)
    texts = [utterance.text for utterance in utterances]
    settled = replace(settings, save_every=0)
    said = [(one.mel.shape[1], *(() if one.units is None else one.units.tolist())) for one in voice]
    made_of = stamp(codec=config, training=settled, utterances=texts, voice=said, begun=begun_with(begin))
    first = restore(folder, model, optimizer, schedule, made_of)
    sizes = [utterance.mel.shape[1] for utterance in utterances]
    rng = torch.Generator().manual_seed(settings.seed)
    pink = pink_frames(max(60, int(1.25 * max(sizes)) // 100 + 1), rng)
    began, sums = time.monotonic(), np.zeros(4)
    for step in range(first, settings.steps):
        rng.manual_seed(settings.seed * 1_000_003 + step)
        mel_loss, unit_loss = _rebuilding(model, voice, settings, rng)
        picks = like_long(settings.batch_size, range(len(utterances)), sizes, step, rng)
        ctc_loss = _spelling(model, [utterances[i] for i in picks], pink, settings, rng)
        optimizer.zero_grad(set_to_none=True)
        parts = ((settings.mel_weight, mel_loss), (settings.ctc_weight, ctc_loss), (settings.unit_weight, unit_loss))
        torch.stack([weight * loss for weight, loss in parts]).sum().backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        sums += (*(loss.item() for _, loss in parts), 1)
        if (step + 1) % 100 == 0:
            speed = (time.monotonic() - began) / (step + 1 - first)
            mel_mean, ctc_mean, unit_mean = sums[:3] / sums[3]
            report(
                f"encoder step {step + 1}: mel {mel_mean:.3f} ctc {ctc_mean:.3f} units {unit_mean:.3f} "
                f"{speed:.2f} s/step"
            )
            sums[:] = 0
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            store(folder, model, optimizer, step + 1, made_of)
    return model.encoder


def _rebuilding(
    model: EncoderTrainer, voice: Sequence[VoiceRecording], settings: EncoderTraining, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mean error of the rebuilt frames of a step's windows, and that of their units' levels; scalars."""
    picks = torch.randint(len(voice), (settings.windows,), generator=rng).tolist()
    cut = [voice[i].window(settings.window, rng) for i in picks]
    centred_frames, clean, compared, units = (torch.stack(parts) for parts in zip(*cut, strict=True))
    with torch.autocast("cpu", torch.bfloat16):  # 1.75 times faster where the processor has AVX-512 BF16
        rebuilt, levels = model.rebuilt(centred_frames)
    mel_loss = ((rebuilt.float() - clean).abs().mean(1) * compared).sum() / compared.sum()
    return mel_loss, model.units.loss(levels.float(), units)


def _spelling(
    model: EncoderTrainer,
    batch: Sequence[Utterance],
    pink: Tensor,
    settings: EncoderTraining,
    rng: torch.Generator,
) -> Tensor:
    """CTC loss of a step's utterances, begun anywhere, disguised and some of them in noise; a scalar."""
    clean, lengths = stretch(*_batch(batch), 0.85 + 0.35 * float(torch.rand((), generator=rng)))
    clean = later(clean, int(torch.randint(FRAMES_PER_CODE, (), generator=rng)))
    snr = torch.rand(len(batch), generator=rng) * 20 + 5
    snr[torch.rand(len(batch), generator=rng) > settings.noisy] = torch.inf
    loud = torch.tensor([utterance.rms for utterance in batch])
    frames = disguise(add_noise(clean, loud, pink, snr, rng), lengths * FRAMES_PER_CODE, rng)
    with torch.autocast("cpu", torch.bfloat16):
        spelt = model.spelt(frames)
    labels = [spell(utterance.text) for utterance in batch]
    loss: Tensor = F.ctc_loss(
        spelt.float().log_softmax(2).transpose(0, 1),
        torch.tensor([letter for label in labels for letter in label]),
        lengths * _CTC_RATE,
        torch.tensor([len(label) for label in labels]),
        zero_infinity=True,
    )
    return loss


def _batch(utterances: Sequence[Utterance]) -> tuple[Tensor, Tensor]:
    """(B, 80, 8 n) frames with silence behind the shorter ones, and (B,) lengths in codes."""
    frames = [utterance.mel.shape[1] for utterance in utterances]
    out = torch.full((len(utterances), N_MELS, max(frames)), SILENCE)
    for row, utterance in zip(out, utterances, strict=True):
        row[:, : utterance.mel.shape[1]] = torch.from_numpy(utterance.mel)
    return out, torch.tensor(frames) // FRAMES_PER_CODE
