"""``topk``: each step commits a fixed number of tokens, the most confident first (the released strategy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_model.decoding.strategy import Block, Filling, Look, register_strategy


def commits_per_step(length: int, steps: int) -> list[int]:
    """How many tokens each step commits: ``length / steps``, rounded up in the first ``length % steps`` steps.

    Steps that would commit nothing are left out.
    """
    share, rest = divmod(length, steps)
    return [share + (step < rest) for step in range(steps) if share + (step < rest)]


@register_strategy("topk")
@dataclass(frozen=True)
class TopK:
    """Each step commits a fixed number of tokens, the most confident first, as released."""

    name: ClassVar[str] = "topk"
    next_token: ClassVar[bool] = False

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        for count in commits_per_step(len(block), block.steps):
            if block.settled:
                return
            rows = block.open
            logits = yield Look()
            tokens, confidence = block.draw(logits[0])
            # Stable, so that equal confidences commit from the left whatever computed them.
            chosen = confidence.sort(descending=True, stable=True).indices[:count]
            block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])
