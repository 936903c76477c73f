"""``edit``: each step fills masks the model is sure enough of, and replaces visible tokens by ones it is surer of.

After LLaDA2.1 (arXiv 2602.08676, equations 1 to 3): a mask is filled if the drawn token's probability is above
``tau_mask``; a visible token is replaced if another one is drawn in its place with a probability above ``tau_edit``.
Where no mask reaches its threshold, the most confident one is filled. When nothing is masked any more, passes go on as
long as they replace something, at most ``post_steps`` of them (the released code's bound; the paper names none).
Tokens behind an end token are cut, and left alone.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from reference_model.decoding.strategy import MOST, Block, Filling, Look, check_options, register_strategy


@register_strategy("edit")
@dataclass(frozen=True)
class Edit:
    """A draft that is corrected where the model has come to prefer another token.

    Attributes:
        tau_mask: probability above which a mask is filled.
        tau_edit: probability above which a visible token is replaced.
        post_steps: most passes over a block that is filled.
    """

    name: ClassVar[str] = "edit"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False
    untrained: ClassVar[bool] = True
    tau_mask: float = 0.7
    tau_edit: float = 0.5
    post_steps: int = 16

    def __post_init__(self) -> None:
        check_options(self, tau_mask=(0, 1), tau_edit=(0, 1), post_steps=(0, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        n_filling = n_after = 0
        # No mask comes back, but an end token that is replaced uncovers those behind it.
        while n_after < self.post_steps if block.settled else n_filling < len(block):
            was_settled = block.settled
            n_after, n_filling = n_after + was_settled, n_filling + (not was_settled)
            replaced = yield from self._pass(block)
            if was_settled and not replaced:
                return

    def _pass(self, block: Block) -> Generator[Look, Tensor, bool]:
        """Fill and replace; returns whether a token was replaced."""
        rows = list(range(block.size))
        logits = yield Look(rows=tuple(rows))
        tokens, confidence = block.draw(logits[0])
        standing = block.tokens[: len(rows)]
        is_open = standing == block.mask_id
        fills = is_open & (confidence > self.tau_mask)
        if bool(is_open.any()) and not bool(fills.any()):
            fills[confidence.masked_fill(~is_open, -1.0).argmax()] = True
        edits = ~is_open & (tokens != standing) & (confidence > self.tau_edit)
        chosen = (fills | edits).nonzero().flatten()
        block.commit(chosen.tolist(), tokens[chosen], confidence[chosen])
        return bool(edits.any())
