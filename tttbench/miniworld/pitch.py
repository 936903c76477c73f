"""Pitch of a recording on the codec's frames, by WORLD's DIO and StoneMask (Morise 2009). Needs extra ``voices``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform

_SAMPLE_RATE_HZ = 16_000


def pitch_hz(wave: Waveform) -> npt.NDArray[np.float32]:
    """Pitch in Hz of each frame of 160 samples, at its centre; 0 where unvoiced: (n / 160,) for n samples."""
    try:
        import pyworld
    except ImportError as error:
        raise UserError(f'pyworld cannot be used ({error}): pip install "tttbench[voices]"') from error
    # Every 5 ms from sample 0 on: the odd entries lie in the middle of the frames.
    samples = wave.astype(np.float64)
    f0, times = pyworld.dio(samples, _SAMPLE_RATE_HZ, f0_floor=60.0, f0_ceil=400.0, frame_period=5.0)
    f0 = pyworld.stonemask(samples, f0, times, _SAMPLE_RATE_HZ)
    centred = np.zeros(len(wave) // 160, np.float32)
    odd = f0[1::2][: len(centred)]
    centred[: len(odd)] = odd
    return centred
