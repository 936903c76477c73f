"""Where right answers are lost: the same questions in writing, in speech and in noise, and answers as spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tttbench.core.tables import MaybeNan

Stage = Literal["answering", "transcription", "transcription and answering", "speaking"]
"""``answering``: wrong although asked in writing. ``transcription``: right in writing and wrong where it is asked in
speech. ``speaking``: right as written and wrong as spoken. Of a system that isn't asked in writing the first two can't
be told apart."""


@dataclass(frozen=True)
class Loss:
    """What a stage costs, as a paired difference of shares of right answers to the same samples: after minus before.

    Attributes:
        stage: of those in ``Stage``.
        difference, ci_low, ci_high: with its 95 % interval; nan bounds with few samples.
        lost: answers that were right before and wrong after.
        gained: the other way round.
    """

    stage: Stage
    difference: MaybeNan
    ci_low: MaybeNan
    ci_high: MaybeNan
    lost: int
    gained: int


@dataclass(frozen=True)
class LossPath:
    """What is left of all answers behind each stage, for a system under one condition.

    Attributes:
        system: label.
        task: of this condition; ``condition_of`` the name that the tasks of all conditions share.
        condition: ``"text"``, ``"clean"``, ``"noise:10"`` …
        metric: id of the score behind the last stage: of the spoken answer, or of the written one.
        n: answers, the same in every stage; ``n_units`` samples, or clusters of them.
        left_out: answers that have no value in some stage, such as a transcript that failed.
        right: share of right answers behind the last stage: 1 plus all differences.
        stages: in order.
        against_clean: written answers under this condition against those to clean speech; None for clean speech and
            text, and where nobody was asked in clean speech.
    """

    system: str
    task: str
    condition_of: str
    condition: str
    metric: str
    n: int
    n_units: int
    left_out: int
    right: MaybeNan
    stages: tuple[Loss, ...]
    against_clean: Loss | None = None
