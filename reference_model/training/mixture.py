"""Which examples a step sees: epochs over files of which some are seen more often than others. Knows numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reference_model.errors import ConfigError


@dataclass(frozen=True)
class Mixture:
    """How often the examples of several files are seen in one epoch.

    Attributes:
        sizes: examples of each file; the files stand one behind the other in the list of all examples.
        ratios: how often each of them is seen: 0.5 sees another half in every epoch, 2.0 everything twice.

    Raises:
        ConfigError: a ratio is not a positive number, or an epoch holds nothing.
    """

    sizes: tuple[int, ...]
    ratios: tuple[float, ...]

    def __post_init__(self) -> None:
        for ratio in self.ratios:
            if not 0 < ratio < float("inf"):
                raise ConfigError(f"data: field 'ratio' is {ratio!r}, expected a number above 0")
        for size, ratio in zip(self.sizes, self.ratios, strict=True):
            if size and not round(ratio * size):
                raise ConfigError(
                    f"data: field 'ratio' is {ratio!r}, which sees none of a file's {size} examples; raise it"
                )
        if self.epoch_size < 1:
            raise ConfigError("data: the files hold no example")

    @classmethod
    def once(cls, n: int) -> Mixture:
        """``n`` examples, each of them once an epoch."""
        return cls((n,), (1.0,))

    @property
    def epoch_size(self) -> int:
        """Examples of one epoch."""
        return sum(round(ratio * size) for size, ratio in zip(self.sizes, self.ratios, strict=True))


def picks(mixture: Mixture, lengths: Sequence[int], batch_size: int, pool: int, seed: int, step: int) -> list[int]:
    """The examples of a step: epochs in random order, and within a pool of batches examples of like length together.

    Args:
        mixture: the files.
        lengths: tokens of each example.
        batch_size: examples a step.
        pool: batches that are drawn at once.
        seed: of the order.
        step: number of the step, from 0.
    """
    per_pool = batch_size * pool
    number, place = divmod(step, pool)
    drawn = []
    for n in range(number * per_pool, (number + 1) * per_pool):
        epoch, i = divmod(n, mixture.epoch_size)
        drawn.append(int(_order(mixture, seed, epoch)[i]))
    drawn.sort(key=lambda i: lengths[i])
    batches = [drawn[i : i + batch_size] for i in range(0, per_pool, batch_size)]
    turn = np.random.default_rng((seed, number, 7)).permutation(len(batches))
    return batches[turn[place]]


@lru_cache(maxsize=2)
def _order(mixture: Mixture, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    parts, first = [], 0
    for file, (size, ratio) in enumerate(zip(mixture.sizes, mixture.ratios, strict=True)):
        whole, rest = divmod(round(ratio * size), size)
        some = np.random.default_rng((seed, epoch, file, 11)).permutation(size)[:rest]
        parts += [first + np.arange(size)] * whole + [first + some]
        first += size
    everything = np.concatenate(parts)
    shuffled: npt.NDArray[np.int64] = everything[np.random.default_rng((seed, epoch)).permutation(len(everything))]
    return shuffled
