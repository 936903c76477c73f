"""``factor``: each step commits as many tokens as their least confident one allows, and at least one.

After Fast-dLLM (arXiv 2505.22618): if every one of n tokens has a probability above 1 - 1/(n + 1), the most probable
tokens taken one by one are also the most probable ones together (its theorem 1). So the n most confident are committed
while ``(n + 1)(1 - c_n) < f`` with c_n the least of their confidences; f = 1 is the theorem's bound. The released code
differs in two edges: it allows equality, and where all open tokens but one fulfill the rule it commits that one, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategy import MOST, Block, Filling, check_options, fill_by, register_strategy


@register_strategy("factor")
@dataclass(frozen=True)
class Factor:
    """The surer the model is of the least sure token, the more are committed at once.

    Attributes:
        f: bound on ``(n + 1)(1 - c_n)``; 0 commits one token a pass.
    """

    name: ClassVar[str] = "factor"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False
    f: float = 1.0

    def __post_init__(self) -> None:
        check_options(self, f=(0, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        return fill_by(block, self._most_confident)

    def _most_confident(self, rows: list[int], logits: Tensor, confidence: Tensor) -> Tensor:
        falling = confidence.sort(descending=True, stable=True)
        n = torch.arange(1, len(rows) + 1, device=confidence.device)
        # The bounded term grows with n, so those that fulfill the rule are the first ones.
        count = max(1, int(((n + 1) * (1 - falling.values) < self.f).sum()))
        return falling.indices[:count]
