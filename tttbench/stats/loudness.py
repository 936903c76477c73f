"""How much of a recording is silence, and how much is clipped. Knows arrays of samples; no answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VERSION = 1
"""Raised whenever the same recording may be measured otherwise."""

FRAME_S = 0.02
BELOW_PEAK_DB = 40.0
"""A frame this much below the loudest is silent."""
QUIETEST_DB = -60.0
"""A frame below this is silent, whatever the others are: dB of full scale, as a root mean square."""
FULL_SCALE = 0.999
FEWEST_CLIPPED = 3
"""So many samples at full scale in a row are clipped; a single one may be a peak."""


@dataclass(frozen=True)
class Loudness:
    """Of a recording: shares from 0 to 1. ``silence``: of its frames; ``clipped``: of its samples."""

    silence: float
    clipped: float


def loudness(samples: npt.NDArray[np.float32], sample_rate: int) -> Loudness:
    """Measure mono samples from -1 to 1, shape (n,), n >= 1, in frames of 20 ms, a shorter last one among them.

    Raises:
        ValueError: no samples.
    """
    if not len(samples):
        raise ValueError("loudness() needs samples")
    wave = samples.astype(np.float64)
    frame = max(1, round(FRAME_S * sample_rate))
    starts = np.arange(0, len(wave), frame)
    energy = np.add.reduceat(wave**2, starts) / np.diff(np.append(starts, len(wave)))
    floor = max(10 ** (QUIETEST_DB / 10), float(energy.max()) * 10 ** (-BELOW_PEAK_DB / 10))
    return Loudness(float((energy < floor).mean()), _clipped(np.abs(wave) >= FULL_SCALE) / len(wave))


def _clipped(full: npt.NDArray[np.bool_]) -> int:
    """How many stand in runs that are long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= FEWEST_CLIPPED].sum())
