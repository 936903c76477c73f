"""The mini codec's networks: log-mel frames to quantised values, and those to frames of pitch and envelopes.

Knows shapes and rates; nothing of files, streams and waveforms (``mini.py`` puts it together).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reference_model.speech.features import HOP, N_MELS
from reference_model.speech.layers import FSQ, ConvBlock

SAMPLES_PER_CODE = 1280  # 12.5 codes a second at 16 kHz
FRAMES_PER_CODE = SAMPLES_PER_CODE // HOP


@dataclass(frozen=True)
class CodecConfig:
    """Sizes of the mini codec. ``levels``: FSQ levels, their product is the codebook size."""

    levels: tuple[int, ...] = (8, 5, 5, 5)
    encoder_width: int = 160
    decoder_width: int = 256
    frame_width: int = 160


class Encoder(nn.Module):
    """Log-mel frames at 100 Hz to quantised values at 12.5 Hz."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        width = config.encoder_width
        self.stages = nn.Sequential(
            nn.Conv1d(N_MELS, width, 5, stride=2, padding=2),
            ConvBlock(width, 7),
            ConvBlock(width, 7),
            nn.Conv1d(width, width, 4, stride=2, padding=1),
            ConvBlock(width, 7),
            ConvBlock(width, 7),
            nn.Conv1d(width, width, 4, stride=2, padding=1),
            ConvBlock(width, 5),
            ConvBlock(width, 5),
        )
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, len(config.levels))
        self.quantise = FSQ(config.levels)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 80, 8 n) frames to (B, D, n) quantised values in [-1, 1]."""
        values: Tensor = self.quantise(self.projected(mel))
        return values

    def projected(self, mel: Tensor) -> Tensor:
        """(B, 80, 8 n) frames to (B, D, n), what is quantised."""
        x = self.norm(self.stages(mel).transpose(1, 2))
        out: Tensor = self.project(x).transpose(1, 2).float()
        return out


class FrameNet(nn.Module):
    """Quantised values at 12.5 Hz to features at 100 Hz. Sees ``lookahead_codes`` codes ahead and as many back."""

    lookahead_codes = 5  # 1 + 1 + 1 at the code rate; up to 5 x 3 frames at the frame rate round up to 2 codes

    def __init__(self, n_inputs: int, width: int, frame_width: int, n_outputs: int, n_fast: int = 3) -> None:
        super().__init__()
        self.enter = nn.Conv1d(n_inputs, width, 3, padding=1)
        self.slow = nn.Sequential(ConvBlock(width, 3), ConvBlock(width, 3))
        self.spread = nn.Conv1d(width, FRAMES_PER_CODE * frame_width, 1)
        self.fast = nn.Sequential(*(ConvBlock(frame_width, 7) for _ in range(n_fast)))
        self.norm = nn.LayerNorm(frame_width)
        self.leave = nn.Linear(frame_width, n_outputs)

    def forward(self, values: Tensor, condition: Tensor | None = None) -> Tensor:
        """(B, D, n) values, and (B, width) added at every position, to (B, outputs, 8 n)."""
        x = self.enter(values)
        if condition is not None:
            x = x + condition[:, :, None]
        x = self.spread(self.slow(x))
        batch, _, n = x.shape
        x = x.view(batch, -1, FRAMES_PER_CODE, n).transpose(2, 3).reshape(batch, -1, FRAMES_PER_CODE * n)
        x = self.norm(self.fast(x).transpose(1, 2))
        out: Tensor = self.leave(x).transpose(1, 2)
        return out


class Decoder(nn.Module):
    """Codes to pitch and two envelopes at 100 Hz, and those to the answer voice's waveform."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.quantise = FSQ(config.levels)
        n_outputs = 1 + 2 * N_MELS
        self.frames = FrameNet(len(config.levels), config.decoder_width, config.frame_width, n_outputs, n_fast=5)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, n) codes to pitch in Hz (B, 8 n) and the log envelopes of harmonics and noise, each (B, 80, 8 n)."""
        out = self.frames(self.quantise.values(codes)).float()
        f0_hz = 120.0 * torch.exp2(out[:, 0]).clamp(0.4, 4.0)
        return f0_hz, out[:, 1 : 1 + N_MELS] - 4.0, out[:, 1 + N_MELS :] - 5.0
