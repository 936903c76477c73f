"""The two building blocks of the mini codec: a convolutional block and finite scalar quantisation.

Knows shapes and nothing of speech. Time is the last axis everywhere: (batch, channels, time).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvBlock(nn.Module):
    """ConvNeXt block in one dimension (Liu et al. 2022): depthwise convolution, norm, two pointwise layers, residual.

    Args:
        channels: width of input and output.
        kernel: odd number of frames that the depthwise convolution sees, half of them ahead.
        expansion: how many times wider the inner layer is.
    """

    def __init__(self, channels: int, kernel: int, expansion: int = 3) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, expansion * channels)
        self.narrow = nn.Linear(expansion * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C, T)."""
        y = self.norm(self.depthwise(x).transpose(1, 2))
        changed: Tensor = self.narrow(F.gelu(self.widen(y))).transpose(1, 2)
        return x + changed


class FSQ(nn.Module):
    """Finite scalar quantisation (Mentzer et al. 2023): every dimension is rounded to a few levels.

    The codebook is the product of the levels; a code's index is a mixed-radix number, first dimension fastest.
    """

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.register_buffer("_levels", torch.tensor(self.levels, dtype=torch.float32), persistent=False)
        basis = torch.cumprod(torch.tensor([1, *self.levels[:-1]]), 0)
        self.register_buffer("_basis", basis, persistent=False)
        self._levels: Tensor
        self._basis: Tensor

    @property
    def size(self) -> int:
        """Number of codes."""
        return int(torch.prod(self._levels).item())

    def forward(self, z: Tensor) -> Tensor:
        """Quantise (B, D, T) to values in [-1, 1]; the gradient passes straight through the rounding."""
        half, offset = self._half_and_offset()
        bounded = self.bounded(z)
        rounded = bounded + (bounded.round() - bounded).detach()
        return (rounded + offset) / half

    def bounded(self, z: Tensor) -> Tensor:
        """(B, D, T), before it is rounded: whole numbers are levels."""
        half, offset = self._half_and_offset()
        return torch.tanh(z + torch.atanh(offset / half)) * half - offset

    def _half_and_offset(self) -> tuple[Tensor, Tensor]:
        levels = self._levels[:, None]
        # An even number of levels has no level at zero: shift by half a step, and undo it after rounding.
        return (levels - 1) / 2, torch.where(levels % 2 == 0, 0.5, 0.0)

    def indices(self, quantised: Tensor) -> Tensor:
        """Values (B, D, T) to code indices (B, T), int64."""
        half = (self._levels[:, None] - 1) / 2
        digits = torch.round(quantised * half + half).long()
        return (digits * self._basis[:, None]).sum(1)

    def values(self, indices: Tensor) -> Tensor:
        """Code indices (B, T) to values (B, D, T)."""
        levels = self._levels.long()[:, None]
        half = (self._levels[:, None] - 1) / 2
        digits = (indices[:, None, :] // self._basis[:, None]) % levels
        return (digits.float() - half) / half
