"""``klass``: each step commits the tokens that the model is sure of and whose distribution has come to rest.

After KLASS (arXiv 2511.05664): a position is stable if the KL divergence of its distribution from that of the pass
before, KL(p_t || p_t-1), was below epsilon in each of the last passes. Stable and confident positions are committed;
where there are none, the most confident one (the paper: as many as its schedule says, one in its experiments). The
released code compares the first pass with a distribution of zeros, which no position passes; here the first has no KL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategy import (
    MOST,
    Block,
    Filling,
    at_least_one,
    check_options,
    fill_by,
    register_strategy,
)


@register_strategy("klass")
@dataclass(frozen=True)
class Klass:
    """Confidence alone commits nothing: the distribution must have stood still from pass to pass.

    Attributes:
        tau: probability above which a token is confident.
        epsilon: KL divergence, in nats, below which a distribution stood still.
        history: how many comparisons in a row must have been below it.
    """

    name: ClassVar[str] = "klass"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False
    tau: float = 0.9
    epsilon: float = 0.01
    history: int = 2

    def __post_init__(self) -> None:
        check_options(self, tau=(0, 1), epsilon=(0, MOST), history=(1, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        before: Tensor | None = None
        still = torch.zeros(len(block), dtype=torch.int64, device=block.tokens.device)

        def at_rest(rows: list[int], logits: Tensor, confidence: Tensor) -> Tensor:
            nonlocal before
            log_p = torch.log_softmax(logits, dim=-1)
            if before is None:
                # No comparison with it is below anything.
                before = log_p.new_full((len(block), log_p.shape[1]), float("nan"))
            p = log_p.exp()
            # What is forbidden has no probability in either pass, and no part in the sum.
            kl = torch.where(p > 0, p * (log_p - before[rows]), 0.0).sum(dim=-1)
            still[rows] = torch.where(kl < self.epsilon, still[rows] + 1, 0)
            before[rows] = log_p
            return at_least_one((confidence > self.tau) & (still[rows] >= self.history), confidence)

        return fill_by(block, at_rest)
