"""Audio files in, mono float32 samples out; and resampling.

Knows files and sample rates. Knows no task and no model: nothing is trimmed, normalised or filtered here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import InputError
from tttbench.core.records import Waveform

if TYPE_CHECKING:
    import soundfile  # type: ignore[import-untyped]  # has no type information

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


def load_audio(path: Path | str) -> Audio:
    """Read a wav, flac, mp3, ogg, opus or aiff file of any rate and width; channels are averaged.

    Raises:
        InputError: the file is missing, unreadable, not audio, cut short, empty, or holds NaN or infinite samples.
            The message names the file and what to do.
    """
    import soundfile

    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such audio file. Correct the path in the task's list, or put the file there.")
    if not path.is_file():
        raise InputError(f"{path}: is not a file. Give the path of one audio file.")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file has 0 bytes. Copy or record it again.")
    try:
        # By descriptor: given a name, soundfile believes the ending `.raw` more than the content.
        with path.open("rb") as stream, soundfile.SoundFile(stream.fileno(), closefd=False) as sound:
            samples = _read_mono(sound, path)
            sample_rate = int(sound.samplerate)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Check its permissions.") from error
    except (soundfile.SoundFileError, TypeError) as error:
        raise InputError(
            f"{path}: is broken or not audio ({_reason(error)}). Convert it to wav or flac, or copy it again."
        ) from error
    if not np.isfinite(samples).all():
        where = int(np.flatnonzero(~np.isfinite(samples))[0])
        raise InputError(
            f"{path}: holds a NaN or infinite sample at {where / sample_rate:.3f} s. "
            "Write the file again from its source."
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
    import soxr  # type: ignore[import-untyped]  # has no type information

    return np.asarray(soxr.resample(samples, from_hz, to_hz), dtype=np.float32)


def _read_mono(sound: soundfile.SoundFile, path: Path) -> Waveform:
    """All frames of an open file as their mean over channels."""
    expected = int(sound.frames)
    if expected == 0:
        raise InputError(f"{path}: holds no samples (0 frames). Record it again or take it out of the list.")
    blocks: list[Waveform] = []
    while True:
        block = sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
        if len(block) == 0:
            break
        # A plain mean of one channel would cost a copy for nothing.
        blocks.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32))
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if len(samples) < expected:
        raise InputError(
            f"{path}: is cut short ({len(samples)} of {expected} frames can be read). Copy or download it again."
        )
    return np.ascontiguousarray(samples, dtype=np.float32)


def _reason(error: Exception) -> str:
    """What libsndfile says, without its "Error opening <object>" preface."""
    return str(getattr(error, "error_string", error)).strip().rstrip(".")
