"""``threshold``: each step commits every token the model is sure enough of, and at least one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_model.decoding.strategy import Block, Filling, at_least_one, check_options, fill_by, register_strategy


@register_strategy("threshold")
@dataclass(frozen=True)
class Threshold:
    """The number of passes follows the model's confidence, not a schedule.

    Attributes:
        tau: probability from which a token is committed.
    """

    name: ClassVar[str] = "threshold"
    next_token: ClassVar[bool] = False
    takes_steps: ClassVar[bool] = False
    tau: float = 0.9

    def __post_init__(self) -> None:
        check_options(self, tau=(0, 1))

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        return fill_by(block, lambda rows, logits, confidence: at_least_one(confidence >= self.tau, confidence))
