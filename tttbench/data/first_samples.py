"""The first samples of a task, conversations whole: a round without the others would be asked, and never graded."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tttbench.core.sample import CONVERSATION, Sample


def first_samples(samples: Sequence[Sample], limit: int | None) -> Sequence[Sample]:
    """Return the first ``limit`` samples, and with them all rounds of the conversations that these begin.

    Rounds belong together where one holds the answer to another (``Turn.answer_to``), or where they are graded as a
    whole (``CONVERSATION``). So there can be more than ``limit``.

    Args:
        samples: as listed; the order is kept.
        limit: at least 1; None for all.
    """
    if limit is None or limit >= len(samples):
        return samples
    chosen = {sample.id for sample in samples[:limit]}
    together = [found for sample in samples if len(found := _rounds(sample)) > 1]
    n_before = 0
    while n_before < len(chosen):
        n_before = len(chosen)
        for found in together:
            if not chosen.isdisjoint(found):
                chosen |= found
    return [sample for sample in samples if sample.id in chosen]


def _rounds(sample: Sample) -> set[str]:
    """The ids of the samples that are known by this one to be rounds of its conversation, its own among them."""
    earlier = {turn.answer_to for turn in sample.turns if turn.answer_to}
    told = json.loads(sample.metadata.get(CONVERSATION, "[]"))
    return {sample.id, *earlier, *(one["id"] for one in told)}
