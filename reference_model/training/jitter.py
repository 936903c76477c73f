"""Training examples as if somebody else had said them: codes of the prompt moved to their neighbours.

A codec that quantises each dimension of its frames by rounding (FSQ, Mentzer et al. 2023) gives an unknown voice codes
next to those of a known one. So every example's codes are moved, all in one direction (the voice) and each by itself
(the moment), before the model sees them. Knows ids and levels; no codec and no training loop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reference_model.errors import ConfigError
from reference_model.layout import Example


@dataclass(frozen=True)
class CodeJitter:
    """Moves the codes of a prompt's audio to neighbours in the codebook.

    Attributes:
        levels: FSQ levels of the codec, first dimension fastest; their product is the number of codes.
        first_id: id of code 0.
        deviation: of the two movements, in levels, where an example gets the most; the others get less, evenly.

    Raises:
        ConfigError: if ``deviation`` is negative or not a number.
    """

    levels: tuple[int, ...]
    first_id: int
    deviation: float

    def __post_init__(self) -> None:
        if not 0 <= self.deviation < float("inf"):
            raise ConfigError(f"code jitter: deviation is {self.deviation!r}, expected levels, 0 or more")

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example with other codes in its prompt; its answer and its transcript stay."""
        levels = np.array(self.levels)
        steps = np.cumprod([1, *self.levels[:-1]])
        ids = np.array(example.prompt, np.int64)
        codes = ids - self.first_id
        at = np.flatnonzero((codes >= 0) & (codes < levels.prod()))
        places = codes[at, None] // steps % levels
        most = self.deviation * rng.random()
        moved = places + most * (rng.standard_normal(len(levels)) + rng.standard_normal(places.shape))
        ids[at] = self.first_id + (np.clip(np.rint(moved), 0, levels - 1).astype(np.int64) * steps).sum(1)
        return replace(example, prompt=tuple(ids.tolist()))
