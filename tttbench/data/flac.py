"""Waveforms to and from 16-bit FLAC, the form in which a run keeps every recording. Knows no run directory."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.core.interrupts import deferred

_STREAMINFO_BYTES = 42


@dataclass(frozen=True)
class FlacHeader:
    """What the first bytes of a FLAC file say.

    Attributes:
        sample_rate: in Hz.
        n_samples: per channel; 0 if whoever wrote the file didn't know.
        pcm_md5: of the decoded samples, as in ``pcm_md5``; all zeros if whoever wrote the file didn't take it.
    """

    sample_rate: int
    n_samples: int
    pcm_md5: str


def encode_flac(samples: Waveform, sample_rate: int) -> bytes:
    """Return mono ``samples`` (shape (n,), values beyond ±1 are clipped) as a FLAC file.

    Raises:
        InputError: no samples, NaN or infinity among them, or a sample rate that FLAC doesn't have.
    """
    import soundfile

    pcm = _pcm16(samples)
    buffer = io.BytesIO()
    try:
        with deferred():
            soundfile.write(buffer, pcm, sample_rate, format="FLAC")
    except (soundfile.LibsndfileError, ValueError, TypeError, OverflowError) as error:
        raise InputError(f"Not a waveform that FLAC can keep ({sample_rate} Hz): {error}") from error
    return buffer.getvalue()


def decode_flac(path: Path) -> tuple[Waveform, int]:
    """Return the samples (shape (n,), float32) and the sample rate in Hz of a file that ``encode_flac`` made.

    Raises:
        InputError: the file is missing or damaged.
    """
    import soundfile

    try:
        samples, sample_rate = soundfile.read(path, dtype="float32")
    except (soundfile.LibsndfileError, OSError, ValueError) as error:
        # Of a file that is missing libsndfile only says "System error."
        why = "no such file" if not path.exists() else str(error).rstrip(".")
        raise InputError(f"{path}: cannot be read: {why}. Restore the file, or run again.") from error
    return samples, int(sample_rate)


def pcm_md5(samples: Waveform) -> str:
    """Return the MD5 of mono ``samples`` as ``encode_flac`` keeps them: 32 hexadecimal digits.

    Whatever version of whichever encoder wrote a FLAC file of them, this stands in its header.

    Raises:
        InputError: what ``encode_flac`` refuses.
    """
    return hashlib.md5(_pcm16(samples).tobytes(), usedforsecurity=False).hexdigest()


def read_flac_header(path: Path) -> FlacHeader:
    """Read what a FLAC file says of itself (RFC 9639, section 8.2), without decoding it.

    Raises:
        InputError: the file is missing, or no FLAC file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_STREAMINFO_BYTES)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}. Restore the file, or run again.") from error
    if len(head) < _STREAMINFO_BYTES or head[:4] != b"fLaC" or head[4] & 0x7F != 0:
        raise InputError(f"{path}: is no FLAC file. Restore the file, or run again.")
    # 20 bits of sample rate, 3 of channels, 5 of width, 36 of samples, from byte 18 on; then 16 bytes of MD5.
    packed = int.from_bytes(head[18:26], "big")
    return FlacHeader(packed >> 44, packed & (1 << 36) - 1, head[26:].hex())


def file_stem(*names: str) -> str:
    """Return a file name without suffix for ``names``: readable, safe on any file system, and unique to them.

    The names themselves are only there to be read: what tells recordings apart is the hash at the end, whatever the
    names hold.
    """
    safe = re.sub(r"[^A-Za-z0-9.@_-]+", "_", "--".join(names)).strip(".")[:100]
    return f"{safe}-{hashlib.sha256(ascii(names).encode()).hexdigest()[:12]}"


def _pcm16(samples: Waveform) -> npt.NDArray[np.int16]:
    """Check and quantize: 1.0 is 32768, rounded to the nearest, ties to even, clipped to 16 bits, little-endian."""
    if samples.ndim != 1 or len(samples) == 0:
        raise InputError(f"A waveform must have the shape (n,) with n > 0, not {samples.shape}.")
    if not np.isfinite(samples).all():
        raise InputError("The waveform holds NaN or infinity.")
    # Half precision has no 32767.
    exact: Waveform = samples.astype(np.result_type(samples.dtype, np.float32))
    return np.clip(np.rint(np.clip(exact, -1, 1) * 32_768), None, 32_767).astype("<i2")
