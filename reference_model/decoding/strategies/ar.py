"""``ar``: audio token by token, for models trained on next-token prediction alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_model.decoding.strategy import Block, Filling, Look, register_strategy


@register_strategy("ar")
@dataclass(frozen=True)
class Ar:
    """Each block is one token, predicted by the row before it."""

    name: ClassVar[str] = "ar"
    next_token: ClassVar[bool] = True
    takes_steps: ClassVar[bool] = False

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        logits = yield Look(shifted=True)
        block.commit([0], *block.draw(logits[0]))
