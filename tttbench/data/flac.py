"""Waveforms to and from 16-bit FLAC, the form in which a run keeps every recording. Knows no run directory."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import numpy as np

from tttbench.core.errors import InputError
from tttbench.core.interrupts import stop_if_asked
from tttbench.core.records import Waveform


def encode_flac(samples: Waveform, sample_rate: int) -> bytes:
    """Return mono ``samples`` (shape (n,), values beyond ±1 are clipped) as a FLAC file.

    Raises:
        InputError: no samples, NaN or infinity among them, or a sample rate that FLAC doesn't have.
    """
    import soundfile  # type: ignore[import-untyped]  # has no type information

    if samples.ndim != 1 or len(samples) == 0:
        raise InputError(f"A waveform must have the shape (n,) with n > 0, not {samples.shape}.")
    if not np.isfinite(samples).all():
        raise InputError("The waveform holds NaN or infinity.")
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, np.clip(samples, -1.0, 1.0), sample_rate, format="FLAC", subtype="PCM_16")
    except (soundfile.LibsndfileError, ValueError, TypeError) as error:
        stop_if_asked()
        raise InputError(f"Not a waveform that FLAC can keep ({sample_rate} Hz): {error}") from error
    stop_if_asked()
    return buffer.getvalue()


def decode_flac(path: Path) -> tuple[Waveform, int]:
    """Return the samples (shape (n,), float32) and the sample rate in Hz of a file that ``encode_flac`` made.

    Raises:
        InputError: the file is missing or damaged.
    """
    import soundfile

    try:
        samples, sample_rate = soundfile.read(path, dtype="float32")
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"{path}: cannot be read: {error}. Run again, or restore the file.") from error
    return samples, int(sample_rate)


def file_stem(*names: str) -> str:
    """Return a file name without suffix for ``names``: readable, safe on any file system, and unique to them."""
    text = "--".join(names)
    safe = re.sub(r"[^A-Za-z0-9.@_-]+", "_", text).strip(".")[:100]
    if safe == text:
        return safe
    return f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
