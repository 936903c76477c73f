"""One code for one sound: units of a voice are pulled to the levels that they have on average, wherever they stand.

A codec's encoder sees a second around each code, and spends levels on what stands there. Then a word has other codes in
each sentence, and a small model of speech must learn it in all its neighborhoods. Where it is known which unit (a word,
a manner, the place within the word) each code of a training recording is, this loss draws the unit's codes together.
Knows levels and numbers of units; nothing of words and sound.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FORGOTTEN = 0.1
"""Of a unit's mean, at each step in which the unit is seen."""


class UnitLevels(nn.Module):
    """Running means of the units' levels, parameters without a gradient so that a training's state holds them."""

    def __init__(self, n_units: int, dims: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(n_units, dims), requires_grad=False)
        self.seen = nn.Parameter(torch.zeros(n_units), requires_grad=False)

    def loss(self, levels: Tensor, units: Tensor) -> Tensor:
        """Mean square of how far units that were seen before are from the levels nearest to their means, a scalar.

        The means then take the step in.

        Args:
            levels: (B, D, n) of ``FSQ.bounded``: whole numbers are levels.
            units: (B, n) int64, -1 where a code is no unit.
        """
        here = units >= 0
        found, of = levels.transpose(1, 2)[here].float(), units[here]
        known = self.seen[of] > 0
        targets = self.mean[of].round()
        loss = ((found - targets).square() * known[:, None]).sum() / (known.sum() * levels.shape[1]).clamp(min=1)
        self._take_in(found.detach(), of)
        return loss

    @torch.no_grad()
    def _take_in(self, found: Tensor, of: Tensor) -> None:
        sums = torch.zeros_like(self.mean).index_add_(0, of, found)
        counts = torch.zeros_like(self.seen).index_add_(0, of, torch.ones(len(of)))
        now = counts > 0
        means = sums[now] / counts[now, None]
        share = torch.where(self.seen[now] > 0, _FORGOTTEN, 1.0)[:, None]
        self.mean[now] += share * (means - self.mean[now])
        self.seen[now] += counts[now]
