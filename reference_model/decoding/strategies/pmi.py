"""``pmi``: commit what the context speaks for, not what is frequent anyway; finish early when the scores have risen.

After Chatterbox-Flash (arXiv 2605.30748). The score of a drawn token is ``log p(x) - lambda * log p0(x)``, where ``p0``
is the softmax of a mask among masks: what the network says without context, in every row and for every length (see
``reference_model.mask_row``; the paper's mean over a block of masks is a mean of equal rows). Beside the
tokens of the schedule, a step commits every token whose score reaches a quantile of the first step's scores; the
quantile falls from 1 to 0 over the steps, so a block whose scores rise is done before its last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategies.topk import commits_per_step
from reference_model.decoding.strategy import MOST, Block, Filling, Look, check_options, register_strategy


@register_strategy("pmi")
@dataclass(frozen=True)
class Pmi:
    """Pointwise mutual information with the context orders the commits.

    Attributes:
        weight: lambda; 0 is ``topk`` with early finishing.
    """

    name: ClassVar[str] = "pmi"
    next_token: ClassVar[bool] = False
    weight: float = 0.5

    def __post_init__(self) -> None:
        check_options(self, weight=(0, MOST))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        prior = block.kept.get("log_prior")
        if prior is None:
            logits = yield Look(variants=(block.tokens.clone(),), rows=(0,), alone=True)
            prior = torch.softmax(logits[0, 0], dim=0).log()
            block.kept["log_prior"] = prior
        schedule = commits_per_step(len(block), block.steps)
        first_scores: Tensor | None = None
        for step, count in enumerate(schedule):
            if block.settled:
                return
            rows = block.open
            logits = yield Look()
            tokens, confidence = block.draw(logits[0])
            score = confidence.log() - self.weight * prior[tokens - block.first_candidate]
            n = count
            if first_scores is None:
                first_scores = score
            else:
                reached = torch.quantile(first_scores, 1 - step / len(schedule))
                n = max(count, int((score >= reached).sum()))
            chosen = score.sort(descending=True, stable=True).indices[:n]
            block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])
