"""``remdm``: a block is drafted as by ``topk``, then its least confident tokens are masked and drawn again, in a loop.

After ReMDM (arXiv 2503.00307) in the form that its authors use with LLaDA: when ``start`` of the block is filled, each
pass of the loop masks the ``back`` visible tokens that had the least confidence when they were committed and commits as
many masks, the most confident first, which need not be the same places; then the rest is filled. The loop takes
``steps_per_block`` passes, so a block takes twice that, and one. The paper's other samplers
take tokens back at random, with a probability by confidence and time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_model.decoding.strategies.topk import commits_per_step
from reference_model.decoding.strategy import MOST, Block, Filling, Look, check_options, register_strategy


@register_strategy("remdm")
@dataclass(frozen=True)
class Remdm:
    """Nearly filled, the block gives its least confident tokens up again and again, then the rest is filled.

    Attributes:
        start: share of the block that is filled before the loop.
        back: tokens that each pass of the loop masks again.
    """

    name: ClassVar[str] = "remdm"
    next_token: ClassVar[bool] = False
    untrained: ClassVar[bool] = True
    start: float = 0.875
    back: int = 1

    def __post_init__(self) -> None:
        check_options(self, start=(0, 1), back=(1, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        for count in commits_per_step(round(self.start * len(block)), block.steps):
            if block.settled:
                break
            yield from self._commit(block, count)
        for _ in range(block.steps):
            held = [position for position in range(block.size) if block.ids[position] != block.mask_id]
            doubtful = sorted(held, key=lambda position: block.confidence[position])[: self.back]
            if doubtful:
                block.reopen(doubtful)
                yield from self._commit(block, len(doubtful))
        if not block.settled:
            yield from self._commit(block, len(block))

    @staticmethod
    def _commit(block: Block, count: int) -> Filling:
        rows = [position for position in block.open if position < block.size]
        logits = yield Look(rows=tuple(rows))
        tokens, confidence = block.draw(logits[0])
        chosen = confidence.sort(descending=True, stable=True).indices[:count]
        block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])
