"""What the spoken answers of a system to a task sound like, of every run in which something is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from tttbench.core.tables import MaybeNan


@dataclass(frozen=True)
class SpokenAnswers:
    """Lengths, silence and clipping of recordings; what silent and clipped mean stands in ``tttbench.stats.loudness``.

    Attributes:
        system, task: whose.
        n: spoken answers; ``unreadable`` more have a recording that can't be read.
        seconds: of all of them; ``median_s`` of half of them at most.
        silence: share of silence, averaged over answers.
        clipped: answers with clipped samples; ``clipped_share`` of all their samples, averaged over all answers.
    """

    system: str
    task: str
    n: int
    seconds: float
    median_s: MaybeNan
    silence: MaybeNan
    clipped: int
    clipped_share: MaybeNan
    unreadable: int = 0
