"""Audio files of every container, made in memory, and the seconds that each lasts."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.exchange import Waveform

RATE = 16_000


def speech(seconds: float = 0.5, rate: int = RATE, seed: int = 0) -> Waveform:
    """Something as irregular as speech: noise that swells, over a gliding tone. No two places of it are alike."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(t)) * np.sin(7 * t) ** 2
    samples: Waveform = (0.3 * np.sin(2 * np.pi * (200 + 90 * t) * t) + 0.08 * noise).astype(np.float32)
    return samples


@dataclass(frozen=True)
class Kind:
    """A container with a codec, as soundfile calls them; ``error`` is what a coded sample may be off by."""

    format: str
    subtype: str
    error: float = 1e-4
    rate: int = RATE

    def encoded(self, samples: Waveform) -> bytes:
        stream = io.BytesIO()
        soundfile.write(stream, samples, self.rate, format=self.format, subtype=self.subtype)
        return stream.getvalue()


KINDS: Mapping[str, Kind] = {
    "wav": Kind("WAV", "PCM_16"),
    "wav, 24 bits": Kind("WAV", "PCM_24"),
    "wav, mu-law": Kind("WAV", "ULAW", 0.05),
    "wav, adpcm": Kind("WAV", "MS_ADPCM", 0.2),
    "wav, extensible": Kind("WAVEX", "FLOAT"),
    "rf64": Kind("RF64", "PCM_16"),
    "w64": Kind("W64", "PCM_16"),
    "aiff": Kind("AIFF", "PCM_16"),
    "aifc, adpcm": Kind("AIFF", "IMA_ADPCM", 0.2),
    "au": Kind("AU", "PCM_16"),
    "au, g721": Kind("AU", "G721_32", 0.2),
    "caf": Kind("CAF", "PCM_16"),
    "caf, alac": Kind("CAF", "ALAC_16"),
    "sphere": Kind("NIST", "PCM_16"),
    "sphere, mu-law": Kind("NIST", "ULAW", 0.05),
    "flac": Kind("FLAC", "PCM_16"),
    "mp3": Kind("MP3", "MPEG_LAYER_III", 0.2),
    "vorbis": Kind("OGG", "VORBIS", 0.2),
    "opus": Kind("OGG", "OPUS", 0.4),
}


def pcm_chunks(samples: Waveform, rate: int = RATE) -> tuple[bytes, bytes]:
    """The content of the chunks ``fmt`` and ``data`` of a WAV file of 16 bits."""
    return struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16), (samples * 32_767).astype("<i2").tobytes()


def wav(samples: Waveform, *, riff: int | None = None, data: int | None = None, rate: int = RATE) -> bytes:
    """A WAV file of 16 bits; ``riff`` and ``data`` are sizes that its header gives instead of the right ones."""
    form, audio = pcm_chunks(samples, rate)
    sizes = (36 + len(audio) if riff is None else riff, len(audio) if data is None else data)
    return struct.pack("<4sI8sI16s4sI", b"RIFF", sizes[0], b"WAVEfmt ", 16, form, b"data", sizes[1]) + audio


def ffmpeg(folder: Path, samples: Waveform, *options: str, piped: bool = False, rate: int = RATE) -> bytes:
    """What ffmpeg makes of ``samples``, written to a file or to a pipe, in which it can't go back to the header.

    ``options`` end with the name of the format. The test is skipped where there is no ffmpeg.
    """
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    soundfile.write(folder / "from.wav", samples, rate, subtype="FLOAT")
    target = "pipe:1" if piped else str(folder / "to")
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(folder / "from.wav"), *options[:-1], "-f", options[-1], target]
    ended = subprocess.run(command, capture_output=True, check=True)
    return ended.stdout if piped else (folder / "to").read_bytes()
