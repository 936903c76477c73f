"""Audio files in, mono float32 samples out; and resampling.

Knows files and sample rates. Knows no task and no model: nothing is trimmed, normalized or filtered here.
"""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.core.sample import AudioRef
from tttbench.data import parquet
from tttbench.data.archives import read_member

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".sph"}
)
"""File name endings (lower case) that are taken for audio when a folder is listed."""


@dataclass(frozen=True)
class Audio:
    """Mono audio. ``samples`` has shape (n,), n >= 1, float32, finite; ``sample_rate`` in Hz."""

    samples: Waveform
    sample_rate: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def read_audio(reference: AudioRef) -> Audio:
    """Read what ``reference`` points to: a file, a member of a tar or zip archive or of a parquet table, or
    a segment of it; speech that is made of a text is made, if it isn't yet.

    Raises:
        InputError: as ``load_audio``; no such archive or member; a segment that the audio doesn't hold; another sample
            rate than the list gives. The message begins with the row of the list that names the audio, if a list does.
    """
    start_s, end_s, rate_hz = reference.start_s, reference.end_s, reference.rate_hz
    try:
        if start_s < 0 or (end_s is not None and not end_s > start_s):
            raise InputError(f"{reference}: the segment must end behind its start, from 0 s on. Correct the list.")
        if reference.made is not None:
            from tttbench.data.voices.made import read_speech

            return Audio(*read_speech(reference))
        if not reference.member:
            return _load(reference.path, str(reference), start_s, end_s, rate_hz)
        is_table = reference.path.suffix.lower() == parquet.SUFFIX
        content = (parquet.read_cell if is_table else read_member)(reference.path, reference.member)
        return _decoded(io.BytesIO(content), str(reference), start_s, end_s, rate_hz)
    except InputError as error:
        if reference.listed is None:
            raise
        raise InputError(f"{reference.listed}: {error}") from error


def load_audio(path: Path | str) -> Audio:
    """Read an audio file of any rate and width: WAV and its relatives, FLAC, Ogg, MP3, AIFF, AU, CAF, NIST SPHERE.

    Channels are averaged; where they cancel each other, the loudest is taken alone, with a warning.

    Raises:
        InputError: the file is missing, unreadable, not audio, cut short or damaged, joined of files that don't fit,
            empty, of a rate that no recording has, or holds NaN, infinite or unscaled samples. The message names the
            file and what to do.
    """
    return _load(Path(path), str(path), 0.0, None, None)


def _load(path: Path, name: str, start_s: float, end_s: float | None, rate_hz: float | None) -> Audio:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such audio file. Correct the path in the task's list, or put the file there."
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{str(path)!a}: cannot be read ({why}). Correct the path in the task's list.") from error
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: is not a file. Give the path of one audio file.")
    if found.st_size == 0:
        raise InputError(f"{path}: the file has 0 bytes. Copy or record it again.")
    try:
        # Unbuffered, as the decoder takes over its descriptor.
        with path.open("rb", 0) as file:
            return _decoded(file, name, start_s, end_s, rate_hz)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Check its permissions.") from error


def _decoded(file: BinaryIO, name: str, start_s: float, end_s: float | None, rate_hz: float | None) -> Audio:
    from tttbench.data.decoding import decode

    return decode(file, name, start_s, end_s, rate_hz)


def resample(samples: Waveform, from_hz: int, to_hz: int) -> Waveform:
    """Change the sample rate of mono ``samples`` (n,) with soxr's high quality; the same array if the rates are equal.

    Raises:
        ValueError: a rate is not positive.
    """
    if from_hz <= 0 or to_hz <= 0:
        raise ValueError(f"sample rates must be positive, not {from_hz} and {to_hz} Hz")
    if from_hz == to_hz or len(samples) == 0:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, from_hz, to_hz), dtype=np.float32)
