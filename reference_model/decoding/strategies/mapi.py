"""``mapi``: every step averages the logits of several variants of the block, each with some tokens masked again.

Masked parallel inference, after CaT-TTS: a token that only one particular neighbour supports loses, one that every
view supports wins. The variants share one pass; commits follow ``topk``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategies.topk import commits_per_step
from reference_model.decoding.strategy import MOST, Block, Filling, Look, check_options, register_strategy


@register_strategy("mapi")
@dataclass(frozen=True)
class Mapi:
    """Logits are averaged over variants of the block that are masked at random.

    Attributes:
        variants: views per step, the block as it stands among them.
        share: probability with which a committed token is masked in each other view.
    """

    name: ClassVar[str] = "mapi"
    next_token: ClassVar[bool] = False
    variants: int = 3
    share: float = 0.3

    def __post_init__(self) -> None:
        check_options(self, variants=(1, MOST), share=(0, 1))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        for count in commits_per_step(len(block), block.steps):
            if block.settled:
                return
            rows = block.open
            # Nothing committed, nothing to mask: all views would be the same.
            views = None if len(rows) == len(block) else self._views(block)
            logits = (yield Look(variants=views)).mean(dim=0)
            tokens, confidence = block.draw(logits)
            chosen = confidence.sort(descending=True, stable=True).indices[:count]
            block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])

    def _views(self, block: Block) -> tuple[Tensor, ...]:
        views = [block.tokens.clone()]
        for _ in range(self.variants - 1):
            drawn = torch.rand(len(block), generator=block.generator, device=block.tokens.device)
            views.append(block.tokens.masked_fill(drawn < self.share, block.mask_id))
        return tuple(views)
