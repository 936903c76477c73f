"""``saber``: each step commits what is surer than the block so far, and takes back tokens that became doubtful.

After Saber (arXiv 2510.18165). A pass commits every open token whose confidence is above the mean confidence that the
visible tokens had when they were committed, at least ``fewest``. Then it takes back the visible tokens whose
probability fell most since the pass before: one for each ``per_back`` tokens just committed, at least one, and always
fewer than were committed, so a block takes at most as many passes as it has tokens. The released code differs: it
follows the most probable token of a place, whether or not that one stands there; it takes back as many whether they
fell or rose, also tokens of the same pass; and the mean keeps tokens that were taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategy import MOST, Block, Filling, Look, check_options, register_strategy


@register_strategy("saber")
@dataclass(frozen=True)
class Saber:
    """A threshold that follows the block, and tokens taken back as what stands around them grows.

    Attributes:
        fewest: tokens that a pass commits at least, as far as so many are open.
        per_back: how many tokens committed in a pass allow one to be taken back.
    """

    name: ClassVar[str] = "saber"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False
    untrained: ClassVar[bool] = True
    fewest: int = 2
    per_back: int = 8

    def __post_init__(self) -> None:
        check_options(self, fewest=(1, MOST), per_back=(1, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        # The probability of each visible token in the last pass.
        before: dict[int, float] = {}
        for _ in range(len(block)):
            if block.settled:
                return
            rows = range(block.size)
            logits = yield Look(rows=tuple(rows))
            held = [position for position in rows if block.ids[position] != block.mask_id]
            now = dict(zip(held, _probabilities(block, held, logits[0]), strict=True))
            n = self._commit(block, held, logits[0])
            if block.settled:
                return
            falls = {position: before[position] - now[position] for position in held if position in before}
            doubtful = sorted((p for p in falls if falls[p] > 0), key=lambda p: -falls[p])
            block.reopen(doubtful[: min(max(1, n // self.per_back), n - 1)])
            before = {p: now.get(p, block.confidence[p]) for p in range(len(block)) if block.ids[p] != block.mask_id}

    def _commit(self, block: Block, held: list[int], logits: Tensor) -> int:
        """Commit tokens that are surer than those that stand; returns how many."""
        rows = [position for position in range(len(logits)) if block.ids[position] == block.mask_id]
        tokens, confidence = block.draw(logits[rows])
        level = sum(block.confidence[position] for position in held) / len(held) if held else 1.0
        chosen = confidence.sort(descending=True, stable=True).indices
        chosen = chosen[: max(self.fewest, int((confidence > level).sum()))]
        block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])
        return len(chosen)


def _probabilities(block: Block, held: list[int], logits: Tensor) -> list[float]:
    """What the network gives the tokens that stand at the positions ``held``."""
    columns = block.tokens[held] - block.first_candidate
    probability = torch.softmax(logits[held], dim=-1)
    return [float(p) for p in probability.gather(-1, columns.unsqueeze(-1)).squeeze(-1)]
