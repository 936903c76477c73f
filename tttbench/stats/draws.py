"""Sums of rows drawn with replacement, many times over: the inner loop of the bootstrap. Knows arrays and a generator.

Both ways of drawing give the sums of n rows of n, each equally likely in every draw; they differ in speed alone. The
plain way, n row numbers a resample, takes several times as long as ``sums_by_pairs`` where n is large.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

GROUP = 256
"""Rows of a group: with two of them numbered by 16 random bits, the table of their sums stays in the cache (512 kB)."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


def sums_by_counts(rng: np.random.Generator, distinct: Floats, counts: npt.NDArray[np.int64], size: int) -> Floats:
    """Draw how often each distinct row occurs, and add up.

    Rows that are equal are interchangeable, so this is one multinomial draw over the distinct rows.

    Args:
        rng: the generator.
        distinct: shape (d, k).
        counts: how often each of them stands in the data, shape (d,); n in all.
        size: number of resamples.

    Returns:
        Column sums of n draws, shape (size, k).
    """
    n = int(counts.sum())
    return np.asarray(rng.multinomial(n, counts / n, size=size) @ distinct, dtype=np.float64)


def sums_by_pairs(rng: np.random.Generator, rows: Floats, size: int) -> Floats:
    """Draw two rows at a time, and add up.

    How many of the n draws fall into each group of ``GROUP`` rows is one multinomial draw. Within its group every row
    is equally likely, and so is every pair; the sums of all pairs of a group stand in a table while they are needed.

    Args:
        rng: the generator.
        rows: shape (n, k).
        size: number of resamples.

    Returns:
        Column sums of n draws, shape (size, k).
    """
    n = len(rows)
    groups = [rows[start : start + GROUP] for start in range(0, n, GROUP)]
    draws = rng.multinomial(n, [len(group) / n for group in groups], size=size)
    sums = np.zeros((size, rows.shape[1]))
    for group, of_group in zip(groups, draws.T, strict=True):
        sums += _group_sums(rng, group, of_group)
    return sums


def _group_sums(rng: np.random.Generator, group: Floats, draws: npt.NDArray[np.int64]) -> Floats:
    """Return the sums, shape (size, k), of ``draws``, shape (size,), rows of the group each."""
    pairs = draws // 2
    ends = np.cumsum(pairs)
    chosen = _pair_numbers(rng, len(group), int(ends[-1]))
    single = rng.integers(0, len(group), size=len(draws))
    odd = draws % 2
    sums = np.empty((len(draws), group.shape[1]))
    picked = np.zeros(len(chosen) + 1)
    for at, values in enumerate(group.T):
        table = np.add.outer(values, values).ravel()
        table.take(chosen, out=picked[:-1], mode="clip")
        sums[:, at] = np.add.reduceat(picked, ends - pairs)
        # Of no rows reduceat gives the next one.
        sums[pairs == 0, at] = 0.0
        sums[:, at] += odd * values[single]
    return sums


def _pair_numbers(rng: np.random.Generator, n: int, size: int) -> Integers:
    """Return ``size`` numbers of pairs of ``n`` <= ``GROUP`` rows: n * first + second."""
    if n * n == 1 << 16:
        words = rng.integers(0, 2**64 - 1, size=-(-size // 4), dtype=np.uint64, endpoint=True)
        return words.view(np.uint16)[:size].astype(np.intp)
    return rng.integers(0, n * n, size=size, dtype=np.intp)
