"""Which recordings a step of a codec's training sees. Knows lengths alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def like_long(n: int, pool: Sequence[int], lengths: Sequence[int], step: int, rng: torch.Generator) -> list[int]:
    """Draw ``n`` of ``pool`` that are about as long as each other, so that little is padded; the lengths take turns.

    Args:
        n: how many.
        pool: places in ``lengths`` to draw from, with repeats.
        lengths: of all recordings, in any unit.
        step: number of the step, whose turn it is.
        rng: drawn from.
    """
    if n == 0:
        return []
    drawn = [pool[i] for i in torch.randint(len(pool), (4 * n,), generator=rng).tolist()]
    return sorted(drawn, key=lambda i: lengths[i])[step % 4 * n :][:n]
