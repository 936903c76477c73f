"""Audio files in, mono float32 samples out; and resampling.

Knows files and sample rates. Knows no task and no model: nothing is trimmed, normalized or filtered here.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.core.interrupts import deferred
from tttbench.core.sample import AudioRef

if TYPE_CHECKING:
    import soundfile

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif"})
"""File name endings (lower case) that are taken for audio when a folder is listed."""

# Frames read at once, so that an hour of 192 kHz stereo never lies in memory as all its channels.
_BLOCK_FRAMES = 1 << 20


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
    """Read what ``reference`` points to: a file, a member of a tar or zip archive, or a segment of either.

    Raises:
        InputError: as ``load_audio``; no such archive or member; a segment that the audio doesn't hold.
    """
    if reference.start_s < 0 or (reference.end_s is not None and not reference.end_s > reference.start_s):
        raise InputError(f"{reference}: the segment must end behind its start, from 0 s on. Correct it in the list.")
    if not reference.member:
        return _load(reference.path, str(reference), reference.start_s, reference.end_s)
    return _decoded(
        io.BytesIO(read_member(reference.path, reference.member)), str(reference), reference.start_s, reference.end_s
    )


def load_audio(path: Path | str) -> Audio:
    """Read a wav, flac, mp3, ogg, opus or aiff file of any rate and width; channels are averaged.

    Raises:
        InputError: the file is missing, unreadable, not audio, cut short, empty, or holds NaN or infinite samples.
            The message names the file and what to do.
    """
    return _load(Path(path), str(path), 0.0, None)


def _load(path: Path, name: str, start_s: float, end_s: float | None) -> Audio:
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
        with path.open("rb") as stream:
            # By descriptor: given a name, soundfile believes the ending `.raw` more than the content.
            return _decoded(stream.fileno(), name, start_s, end_s)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Check its permissions.") from error


def read_member(archive: Path, member: str) -> bytes:
    """Return the content of a member of a tar (uncompressed or not) or zip archive.

    Raises:
        InputError: no such archive or member, or a damaged one.
    """
    try:
        if not stat.S_ISREG(archive.stat().st_mode):
            raise InputError(f"{archive}: is not a file. Give the path of a tar or zip archive.")
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as inside:
                return inside.read(member)
        with tarfile.open(archive) as tape:
            found = tape.extractfile(member)
            if found is None:
                raise InputError(f"{archive}: {member!r} is not a file in it. Correct it in the task's list.")
            return found.read()
    except KeyError:
        raise InputError(f"{archive}: holds no {member!r}. Correct it in the task's list.") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{archive}: is broken or no archive ({error}). Copy or download it again.") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{archive}: cannot be read ({why}). Check the path and its permissions.") from error


def _decoded(source: int | io.BytesIO, name: str, start_s: float, end_s: float | None) -> Audio:
    import soundfile

    try:
        # A Python file object is read by callbacks of the C library, in which no interrupt may be raised.
        with deferred(), soundfile.SoundFile(source, closefd=False) as sound:
            sample_rate = int(sound.samplerate)
            samples = _read_mono(sound, name, start_s, end_s)
    except (soundfile.SoundFileError, TypeError) as error:
        raise InputError(
            f"{name}: is broken or not audio ({_reason(error)}). Convert it to wav or flac, or copy it again."
        ) from error
    if not np.isfinite(samples).all():
        where = start_s + int(np.flatnonzero(~np.isfinite(samples))[0]) / sample_rate
        raise InputError(
            f"{name}: holds a NaN or infinite sample at {where:.3f} s. Write the file again from its source."
        )
    return Audio(samples, sample_rate)


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


def _read_mono(sound: soundfile.SoundFile, name: str, start_s: float, end_s: float | None) -> Waveform:
    """The frames of a segment of an open file as their mean over channels."""
    frames = int(sound.frames)
    if frames == 0:
        raise InputError(f"{name}: holds no samples (0 frames). Record it again or take it out of the list.")
    rate = sound.samplerate
    first = round(start_s * rate)
    last = frames if end_s is None else round(end_s * rate)
    # Lists round the ends of segments; a frame more or less is no error, a second is.
    if first >= frames or last > frames + rate / 10:
        raise InputError(f"{name}: the audio ends at {frames / rate:.2f} s. Correct the segment in the list.")
    if last == first:
        raise InputError(f"{name}: the segment is too short to hold a sample. Correct it in the list.")
    expected = min(last, frames) - first
    if first:
        sound.seek(first)
    blocks = [np.zeros(0, np.float32)]
    left = expected
    while left:
        block = sound.read(min(_BLOCK_FRAMES, left), dtype="float32", always_2d=True)
        if len(block) == 0:
            break
        left -= len(block)
        # A plain mean of one channel would cost a copy for nothing.
        blocks.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))
    samples = np.concatenate(blocks)
    if len(samples) < expected:
        raise InputError(
            f"{name}: is cut short ({len(samples)} of {expected} frames can be read). Copy or download it again."
        )
    return samples


def _reason(error: Exception) -> str:
    """What libsndfile says, without its "Error opening <object>" preface."""
    return str(getattr(error, "error_string", error)).strip().rstrip(".")
