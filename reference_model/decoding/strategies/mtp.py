"""``mtp``: draft heads guess several codes, one pass of the model verifies them: the tokens of ``ar`` in fewer passes.

Row i of a pass over the last token and the drafts predicts the token behind draft i as if every draft before it had
been written, which is so up to the first draft that differs from what the model draws. Each token is drawn from the
model's own logits with the request's own noise, one draw a token as in ``ar``, and drafts behind a wrong one are
dropped with what was computed of them; so greedy and sampled answers are those of ``ar`` (multi-token prediction with
verification: Stern et al. 2018, arXiv 1811.03115; Medusa, arXiv 2401.10774).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_model.config import MOST_DRAFT_HEADS
from reference_model.decoding.strategy import Block, Filling, Look, check_options, register_strategy


@register_strategy("mtp")
@dataclass(frozen=True)
class Mtp:
    """The codes of ``ar``, several a pass, for AR models with draft heads.

    Attributes:
        heads: how many codes are drafted beyond the next; 0: as many as the checkpoint has heads.
    """

    name: ClassVar[str] = "mtp"
    next_token: ClassVar[bool] = True
    takes_steps: ClassVar[bool] = False
    same_tokens_as: ClassVar[str] = "ar"
    heads: int = 0

    def __post_init__(self) -> None:
        check_options(self, heads=(0, MOST_DRAFT_HEADS))

    @property
    def ahead(self) -> int:
        """See ``reference_model.decoding.strategy.ahead_of``."""
        return self.heads

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``; the block is filled as far as its drafts were right, and one token further."""
        drafts = block.drafts[: len(block) - 1]
        logits = yield Look(shifted=True, drafts=drafts)
        for place in range(len(drafts) + 1):
            block.commit([place], *block.draw(logits[0, place : place + 1]))
            if block.settled or block.ids[place : place + 1] != list(drafts[place : place + 1]):
                return
