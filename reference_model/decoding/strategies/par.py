"""``par``: commit the block from the left, a part per step, then mask the least confident tokens again and refine them.

After PALLE (arXiv 2504.10352): the order of speech carries the first draft, the whole block in view corrects it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_model.decoding.strategies.topk import commits_per_step
from reference_model.decoding.strategy import MOST, Block, Filling, Look, check_options, register_strategy


@register_strategy("par")
@dataclass(frozen=True)
class Par:
    """The block is drafted left to right, then its least confident tokens are drawn anew.

    Attributes:
        refinements: how many of the block's steps refine; at least one step drafts.
        share: share of the tokens (up to the end token) that each refinement draws anew.
    """

    name: ClassVar[str] = "par"
    next_token: ClassVar[bool] = False
    refinements: int = 1
    share: float = 0.25

    def __post_init__(self) -> None:
        check_options(self, refinements=(0, MOST), share=(0, 1))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        drafts = max(1, block.steps - self.refinements)
        for count in commits_per_step(len(block), drafts):
            if not block.settled:
                yield from self._commit(block, block.open[:count])
        for _ in range(min(self.refinements, block.steps - drafts)):
            n = round(block.size * self.share)
            doubtful = sorted(range(block.size), key=lambda position: block.confidence[position])[:n]
            if doubtful:
                block.reopen(doubtful)
                yield from self._commit(block, sorted(doubtful))
        # A refined end token may be gone, and with it the reason to leave what followed it masked.
        if not block.settled:
            yield from self._commit(block, block.open)

    @staticmethod
    def _commit(block: Block, positions: list[int]) -> Filling:
        logits = yield Look(rows=tuple(positions))
        block.commit(positions, *block.draw(logits[0]))
