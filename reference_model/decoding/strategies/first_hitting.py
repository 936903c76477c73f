"""``first_hitting``: one position at a time, in random order: as many passes as tokens, the quality oracle.

A masked-diffusion model that isn't told the time unmasks each position equally likely next, so the first-hitting
sampler of BD3-LM (arXiv 2503.09573) comes down to a random order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from reference_model.decoding.strategy import Block, Filling, Look, register_strategy


@register_strategy("first_hitting")
@dataclass(frozen=True)
class FirstHitting:
    """One position at a time in random order, each drawn with all earlier choices in view."""

    name: ClassVar[str] = "first_hitting"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        for _ in range(len(block)):
            if block.settled:
                return
            rows = block.open
            pick = torch.randint(len(rows), (1,), generator=block.generator, device=block.tokens.device)
            position = rows[int(pick)]
            logits = yield Look(rows=(position,))
            block.commit([position], *block.draw(logits[0]))
