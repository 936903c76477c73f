"""``entropy``: each step commits the most confident tokens while their entropies, but for the largest, sum to little.

After EB-Sampler (arXiv 2505.24857): what tokens drawn at once lose against tokens drawn one by one (their joint
dependence) is at most the sum of their entropies less the largest. The set grows, most confident first, while that
stays within gamma. The paper also orders by entropy or margin; here the order is that of the other strategies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategy import MOST, Block, Filling, check_options, fill_by, register_strategy


@register_strategy("entropy")
@dataclass(frozen=True)
class Entropy:
    """A budget of entropy per pass decides how many tokens are committed.

    Attributes:
        gamma: the budget, in nats; 0 commits one token a pass, and all that are certain.
    """

    name: ClassVar[str] = "entropy"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False
    gamma: float = 0.1

    def __post_init__(self) -> None:
        check_options(self, gamma=(0, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        return fill_by(block, self._within_budget)

    def _within_budget(self, rows: list[int], logits: Tensor, confidence: Tensor) -> Tensor:
        order = confidence.sort(descending=True, stable=True).indices
        entropies = torch.special.entr(torch.softmax(logits, dim=-1)).sum(dim=-1)[order]
        spent = entropies.cumsum(dim=0) - entropies.cummax(dim=0).values
        # A single token spends nothing, and what is spent never falls as the set grows.
        return order[: int((spent <= self.gamma).sum())]
