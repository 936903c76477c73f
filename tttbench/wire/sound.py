"""Sound as it goes over the wire: base64, WAV and raw PCM, whole or as pieces arrive.

Raw PCM (OpenAI's ``pcm16`` and ``pcm``) is 16-bit signed little-endian mono, 24 kHz unless something else says so. A
WAV file may be streamed with a header that tells no length (0 or a length near 2^31 and above). Other formats (mp3,
opus, flac …) are left to a decoder: ``is_other_file`` tells them.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tttbench.core.exchange import Waveform
from tttbench.wire.fields import WireError

SampleFormat = Literal["pcm16", "float32"]

RAW_HZ = 24_000
"""The rate of raw PCM where nothing else says another."""

_UNTOLD = 0x7FFF_0000
"""A WAV file that is streamed tells a length from here on, or 0."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MAGIC = (b"fLaC", b"OggS", b"ID3", b"caff", b"FORM", b"\x1aE\xdf\xa3")
_LARGEST_HEADER = 4096


def base64_of(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, param: str) -> bytes:
    """Return the bytes of base64, also of a ``data:`` address; raises ``WireError`` naming ``param`` otherwise."""
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise WireError("is a data: address without base64", param)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError(f"isn't base64 ({error}); it begins with {text[:24]!r}", param) from error


def pcm16_of(samples: Waveform) -> bytes:
    """Return samples (n,) in [-1, 1] as raw pcm16; what is louder is clipped."""
    scaled: npt.NDArray[np.float64] = np.rint(np.asarray(samples) * 32768.0)
    return np.clip(scaled, -32768, 32767).astype("<i2").tobytes()


def wav_of(samples: Waveform, rate_hz: int, form: SampleFormat = "pcm16") -> bytes:
    """Return samples (n,) as a mono WAV file; ``float32`` keeps them exactly."""
    data = pcm16_of(samples) if form == "pcm16" else np.asarray(samples, dtype="<f4").tobytes()
    return wav_header(rate_hz, form, len(data)) + data


def wav_header(rate_hz: int, form: SampleFormat = "pcm16", n_bytes: int | None = None) -> bytes:
    """Return the 44 bytes before mono samples; ``n_bytes`` of them follow, None: as many as the stream brings."""
    width, code = (2, _PCM) if form == "pcm16" else (4, _FLOAT)
    size = 0xFFFF_FFFF if n_bytes is None else n_bytes
    whole = 0xFFFF_FFFF if n_bytes is None else 36 + n_bytes
    layout = struct.pack("<HHIIHH", code, 1, rate_hz, rate_hz * width, width, 8 * width)
    return (
        b"RIFF"
        + struct.pack("<I", whole)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + layout
        + b"data"
        + struct.pack("<I", size)
    )


def is_wav(data: bytes) -> bool:
    """Whether bytes begin a WAV file."""
    return data[:4] == b"RIFF"


def is_other_file(data: bytes) -> bool:
    """Whether bytes begin a file of another audio format than WAV, which a decoder has to read.

    MP3 without tags isn't told: raw PCM may begin as its frames do.
    """
    return data.startswith(_MAGIC)


@dataclass(frozen=True)
class Layout:
    """How the samples of a WAV file lie: rate in Hz, channels, bytes a value, whether they are floats.

    ``offset``: of the first one. ``n_bytes``: of all; None where the header doesn't tell.
    """

    rate_hz: int
    n_channels: int = 1
    width: int = 2
    is_float: bool = False
    offset: int = 0
    n_bytes: int | None = None

    @property
    def frame(self) -> int:
        """Bytes of one sample of all channels."""
        return self.n_channels * self.width


def wav_layout(data: bytes) -> Layout | None:
    """Return what a WAV header says; None while it isn't whole.

    Raises:
        WireError: it isn't WAV, or of samples that aren't read here.
    """
    if len(data) >= 12 and (data[:4] != b"RIFF" or data[8:12] != b"WAVE"):
        raise WireError("the audio is no WAV file")
    at, found = 12, None
    while len(data) >= at + 8:
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"data":
            if found is None:
                raise WireError("the WAV file has samples before its format")
            told = None if size == 0 or size >= _UNTOLD else int(size)
            return Layout(found.rate_hz, found.n_channels, found.width, found.is_float, at + 8, told)
        if name == b"fmt ":
            if len(data) < at + 8 + min(size, 40):
                return None
            found = _format(data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    if len(data) > _LARGEST_HEADER:
        raise WireError("the WAV file has no samples within its first 4,096 bytes")
    return None


def _format(table: bytes) -> Layout:
    if len(table) < 16:
        raise WireError("the WAV file's format is cut short")
    code, n_channels, rate_hz, _, frame, bits = struct.unpack_from("<HHIIHH", table)
    if code == _EXTENSIBLE and len(table) >= 26:
        code = struct.unpack_from("<H", table, 24)[0]
    width = bits // 8
    if (code, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}:
        raise WireError(f"the WAV file's samples have the code {code} and {bits} bits, which aren't read here")
    if not n_channels or frame != n_channels * width:
        raise WireError(f"the WAV file says {n_channels} channels of {width} bytes, and {frame} bytes in all")
    check_rate(rate_hz)
    return Layout(rate_hz, n_channels, width, code == _FLOAT)


def check_rate(rate_hz: int) -> None:
    """Raise ``WireError`` for a sample rate that no speech has."""
    if not 4_000 <= rate_hz <= 384_000:
        raise WireError(f"the audio's sample rate is {rate_hz:,} Hz, which can't be")


def values_of(data: bytes, layout: Layout) -> Waveform:
    """Return whole frames as mono samples (n,), float32; channels are averaged."""
    if layout.is_float:
        values: npt.NDArray[np.float64] = np.frombuffer(data, f"<f{layout.width}").astype(np.float64)
        if layout.width == 4 and layout.n_channels == 1:
            return np.frombuffer(data, "<f4").astype(np.float32)
    elif layout.width == 1:
        values = (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
    elif layout.width == 3:
        high = np.frombuffer(data, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(high), 4), np.uint8)
        wide[:, 1:] = high
        values = wide.reshape(-1).view("<i4") / 2.0**31
    else:
        values = np.frombuffer(data, f"<i{layout.width}") / 2.0 ** (8 * layout.width - 1)
    return np.asarray(values.reshape(-1, layout.n_channels).mean(axis=1), dtype=np.float32)


@dataclass(frozen=True)
class Sound:
    """Mono samples (n,) and their rate in Hz."""

    samples: Waveform
    rate_hz: int


def read_wav(data: bytes) -> Sound:
    """Return a whole WAV file; raises ``WireError`` for one that is cut short, empty or none."""
    pieces = SoundStream()
    samples = pieces.push(data)
    pieces.finish()
    if not is_wav(data) or not len(samples):
        raise WireError("the WAV file holds no samples" if is_wav(data) else "the audio is no WAV file")
    return Sound(samples, pieces.rate_hz)


class SoundStream:
    """Pieces of WAV or raw pcm16 to samples, as they arrive.

    A piece may be raw PCM that goes on where the last one ended (also within a sample), the beginning of a WAV file
    whose rest follows, or a whole WAV file of its own, as vLLM-Omni sends them; what it is shows in its first bytes.
    """

    def __init__(self, raw_hz: int = RAW_HZ) -> None:
        """Take raw PCM for ``raw_hz``."""
        self._layout: Layout | None = None
        self._raw_hz = raw_hz
        self._rest = b""
        self._header = b""
        self._left: int | None = None

    @property
    def rate_hz(self) -> int:
        """Of all that has come."""
        return self._layout.rate_hz if self._layout is not None else self._raw_hz

    def push(self, piece: bytes, rate_hz: int = 0) -> Waveform:
        """Return the samples that a piece completes (perhaps none).

        Args:
            piece: bytes.
            rate_hz: what the message with it says of its rate; 0: nothing.

        Raises:
            WireError: it can't be read, or has another rate than the pieces before.
        """
        data = self._header + piece
        self._header = b""
        if data and b"RIFF".startswith(data[:4]):
            layout = wav_layout(data)
            if layout is None:
                self._header = data
                return np.zeros(0, np.float32)
            self._begin(layout)
            data = data[layout.offset :]
            if layout.n_bytes is not None:
                self._left = max(0, layout.n_bytes - len(data))
                data = data[: layout.n_bytes]
        elif self._layout is None:
            self._begin(Layout(rate_hz or self._raw_hz))
        elif self._left:
            self._left = max(0, self._left - len(data))
        assert self._layout is not None
        if rate_hz and rate_hz != self._layout.rate_hz:
            raise WireError(f"the audio is said to have {rate_hz:,} Hz, but has {self._layout.rate_hz:,} Hz")
        data = self._rest + data
        whole = len(data) - len(data) % self._layout.frame
        self._rest = data[whole:]
        return values_of(data[:whole], self._layout)

    def finish(self) -> None:
        """Raise ``WireError`` if the audio ends within a header, a sample, or a file that told a length."""
        if self._header:
            raise WireError("the audio ends within the header of a WAV file")
        if self._rest:
            raise WireError(f"the audio ends within a sample ({len(self._rest)} bytes too many)")
        if self._left:
            raise WireError(f"the audio is cut short: {self._left:,} bytes that its WAV header tells are missing")

    def _begin(self, layout: Layout) -> None:
        check_rate(layout.rate_hz)
        if self._rest or self._left:
            self.finish()
        if self._layout is not None and self._layout.rate_hz != layout.rate_hz:
            raise WireError(
                f"the audio's sample rate changes from {self._layout.rate_hz:,} to {layout.rate_hz:,} Hz within an "
                "answer"
            )
        self._layout, self._left = layout, None
