"""From an open audio file to mono samples: streams one behind the other, a segment cut out, channels mixed.

Imports the decoder; whoever needs it imports this inside a function.
"""

from __future__ import annotations

import functools
import io
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.core.interrupts import deferred
from tttbench.data.audio import Audio
from tttbench.data.containers import Stream, streams
from tttbench.data.containers.stream import cut_short, refuse_rate

log = logging.getLogger("tttbench")

_FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC", "OGG", "MP3"})
"""The decoder's names of the containers that ``tttbench.data.containers`` looks into."""

_BLOCK_VALUES = 1 << 20
"""Values of all channels that are read at once: an hour of 192 kHz stereo never lies in memory as all its channels."""

_UNKNOWN_FRAMES = 2**62
"""The decoder's length of a FLAC file that doesn't say its own is larger."""

_COMMON = 0.75
"""Share of the channels' energy that one source must make up, in whatever proportion, to be theirs all."""

_CANCELLED = 0.1
"""The mean cancels a source if it keeps less than this share of what it keeps of one that is in one channel alone.

One channel with its opposite keeps nothing, and with half of its opposite 0.2, as all of it is there, only quieter.
"""

_LOST = 0.1
"""Share of the energy that may be in seconds which the mean cancels, as where one of joined recordings is inverted."""

_LOUDEST = 16.0
"""Full scale is 1. Louder than this (24 dB) are only integers that were stored as floats."""


class _Sound(soundfile.SoundFile):  # type: ignore[misc]  # has no types
    """A file that is read from front to back.

    SoundFile seeks after each read to where the file is already, at which the MP3 decoder loses what it knows of the
    frames before, and which fails on FLAC of unknown length.
    """

    def seekable(self) -> bool:
        return False

    @property
    def can_seek(self) -> bool:
        """Whether the decoder can."""
        return bool(super().seekable())


@dataclass(frozen=True)
class _Part:
    """A stream that has been opened once: what it says of itself, ``n_frames`` being its samples of each channel."""

    stream: Stream
    rate: int
    n_channels: int
    n_frames: int
    is_opus: bool


def decode(file: BinaryIO, name: str, start_s: float, end_s: float | None, rate_hz: float | None = None) -> Audio:
    """Read a segment of an open file.

    Args:
        file: unbuffered, or in memory.
        name: what messages call it.
        start_s, end_s: the segment in seconds; None is the end.
        rate_hz: the sample rate that a list gives; None if none does. That of Opus is the decoder's choice.

    Raises:
        InputError: as ``tttbench.data.audio.read_audio``.
    """
    try:
        # A Python file object is read by callbacks of the C library, in which no interrupt may be raised.
        with deferred():
            parts = [_looked_at(file, stream, name) for stream in streams(file, name)]
            rate = _rate_of(parts, name)
            if rate_hz is not None and round(rate_hz) != rate and not any(part.is_opus for part in parts):
                raise InputError(
                    f"{name}: has {rate:,} Hz, and the list says {rate_hz:,.10g} Hz. Correct the list, or the file: "
                    "speech with a wrong rate is too fast or too slow."
                )
            first, last = _segment(sum(part.n_frames for part in parts), rate, name, start_s, end_s)
            pieces, begin = [], 0
            for part in parts:
                low, high = max(first - begin, 0), min(last - begin, part.n_frames)
                if low < high:
                    pieces.append(_mixed(file, part, low, high, name))
                begin += part.n_frames
            samples = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    except (soundfile.SoundFileError, TypeError) as error:
        raise InputError(
            f"{name}: is broken or not audio ({_reason(error)}). Convert it to wav or flac, or copy it again."
        ) from error
    _refuse_values(samples, name, start_s, rate)
    return Audio(samples, rate)


def _looked_at(file: BinaryIO, stream: Stream, name: str) -> _Part:
    with _opened(file, stream) as sound:
        if sound.format not in _FORMATS:
            raise InputError(
                f"{name}: is a file of the kind {sound.format}, of which can't be told whether it is whole. "
                "Convert it to wav or flac."
            )
        part = _Part(stream, int(sound.samplerate), int(sound.channels), int(sound.frames), sound.subtype == "OPUS")
    if stream.n_frames is not None and stream.n_frames > part.n_frames:
        raise InputError(
            f"{name}: can't be decoded to its end ({part.n_frames:,} of {stream.n_frames:,} samples). "
            "Convert it to wav or flac."
        )
    n_frames = stream.n_frames if stream.n_frames is not None else part.n_frames
    if n_frames >= _UNKNOWN_FRAMES:
        n_frames = _counted(file, part, name)
    return replace(part, n_frames=n_frames)


def _rate_of(parts: Sequence[_Part], name: str) -> int:
    rates = sorted({part.rate for part in parts})
    if len(rates) > 1:
        told = " and ".join(f"{rate:,} Hz" for rate in rates)
        raise InputError(f"{name}: is joined of streams of {told}. Convert it to one wav or flac file.")
    refuse_rate(name, rates[0])
    return rates[0]


def _segment(n_frames: int, rate: int, name: str, start_s: float, end_s: float | None) -> tuple[int, int]:
    """The first sample of a segment, and the one behind its last."""
    if n_frames == 0:
        raise InputError(f"{name}: holds no samples (0 frames). Record it again or take it out of the list.")
    first = round(start_s * rate)
    last = n_frames if end_s is None else round(end_s * rate)
    # Lists round the ends of segments; a frame more or less is no error, a second is.
    if first >= n_frames or last > n_frames + rate / 10:
        raise InputError(f"{name}: the audio ends at {n_frames / rate:.2f} s. Correct the segment in the list.")
    if last == first:
        raise InputError(f"{name}: the segment is too short to hold a sample. Correct it in the list.")
    return first, min(last, n_frames)


def _mixed(file: BinaryIO, part: _Part, first: int, last: int, name: str) -> Waveform:
    """The mean of the channels; the loudest channel where they cancel."""
    n = part.n_channels
    if n == 1:
        return _joined(block[:, 0] for block in _blocks(file, part, first, last, name))
    sums, products, means, lost, energy = np.zeros(n), np.zeros((n, n)), [], 0.0, 0.0
    for block in _blocks(file, part, first, last, name):
        exact = block.astype(np.float64)
        sums += exact.sum(axis=0)
        products += exact.T @ exact
        means.append(block.mean(axis=1))
        for second in (exact[at : at + part.rate] for at in range(0, len(exact), part.rate)):
            covariance = np.cov(second, rowvar=False, bias=True) * len(second)
            here = float(covariance.trace())
            energy += here
            lost += here if here > 0 and np.isfinite(here) and _cancel(covariance) else 0.0
    centered = products - np.outer(sums, sums) / (last - first)
    if not (np.isfinite(centered).all() and (_cancel(centered) or lost > _LOST * energy)):  # NaN is told later
        return _joined(iter(means))
    loudest = int(np.argmax(centered.diagonal()))
    _warn(f"{name}: its channels cancel each other; channel {loudest + 1} of {n} is taken alone.")
    return _joined(block[:, loudest] for block in _blocks(file, part, first, last, name))


def _cancel(products: npt.NDArray[np.float64]) -> bool:
    """Whether the mean of channels loses the source that most of their energy comes from.

    Args:
        products: sums of the products of each channel with each, shape (n, n). Its first principal component is that
            source, and how much of it is in which channel.
    """
    energies, directions = np.linalg.eigh(products)
    is_common = energies[-1] > _COMMON * max(float(energies.sum()), 0.0)
    # The mean weighs all channels alike; the directions have length 1.
    return bool(is_common and float(directions[:, -1].sum()) ** 2 < _CANCELLED)


def _joined(blocks: Iterator[Waveform]) -> Waveform:
    return np.concatenate([np.zeros(0, np.float32), *blocks])


@functools.cache
def _warn(message: str) -> None:
    """Say it once, however many systems are given the file."""
    log.warning("%s", message)


def _blocks(file: BinaryIO, part: _Part, first: int, last: int, name: str) -> Iterator[npt.NDArray[np.float32]]:
    """The samples from ``first`` to before ``last``, shape (n, channels), a block at a time."""
    most = max(_BLOCK_VALUES // part.n_channels, 1)
    with _opened(file, part.stream) as sound:
        at = 0
        if part.stream.is_seekable and sound.can_seek and sound.frames < _UNKNOWN_FRAMES:
            at = sound.seek(first) if first else 0
        while at < last:
            block = _read(sound, min(most, (first if at < first else last) - at))
            if len(block) == 0:
                raise cut_short(name, part.n_frames / part.rate, _readable_s(file, part))
            at += len(block)
            if at > first:
                yield block


def _counted(file: BinaryIO, part: _Part, name: str) -> int:
    """The samples of a stream that doesn't say how many it has."""
    n_frames = 0
    with _opened(file, part.stream) as sound:
        try:
            while n := len(sound.read(_BLOCK_VALUES // part.n_channels, dtype="float32", always_2d=True)):
                n_frames += n
        except soundfile.SoundFileError:
            raise cut_short(name, None, _readable_s(file, part)) from None
    return n_frames


def _readable_s(file: BinaryIO, part: _Part) -> float:
    """How many seconds of a stream can be read before the decoder gives up."""
    n_frames = 0
    with _opened(file, part.stream) as sound:
        while n := len(_read(sound, 1024)):
            n_frames += n
    return n_frames / part.rate


def _read(sound: _Sound, n: int) -> npt.NDArray[np.float32]:
    """The next samples; none where the decoder gives up, whose reasons tell nobody anything."""
    try:
        block: npt.NDArray[np.float32] = sound.read(n, dtype="float32", always_2d=True)
    except soundfile.SoundFileError:
        return np.zeros((0, sound.channels), np.float32)
    return block


@contextmanager
def _opened(file: BinaryIO, stream: Stream) -> Iterator[_Sound]:
    source: int | BinaryIO
    if stream.content is not None:
        source = io.BytesIO(stream.content)
    elif isinstance(file, io.BytesIO):
        file.seek(0)
        source = file
    else:
        # By descriptor: given a name, soundfile believes the ending `.raw` more than the content.
        source = file.fileno()
        os.lseek(source, 0, os.SEEK_SET)
    with _Sound(source, closefd=False) as sound:
        yield sound


def _refuse_values(samples: Waveform, name: str, start_s: float, rate: int) -> None:
    if not np.isfinite(samples).all():
        where = start_s + int(np.flatnonzero(~np.isfinite(samples))[0]) / rate
        raise InputError(
            f"{name}: holds a NaN or infinite sample at {where:.3f} s. Write the file again from its source."
        )
    peak = float(np.abs(samples).max())
    if peak > _LOUDEST:
        raise InputError(
            f"{name}: its samples reach {peak:,.0f}, where full scale is 1: integers stored as floats. Divide them by "
            "what full scale was (32,768 for 16 bits), and write the file again."
        )


def _reason(error: Exception) -> str:
    """What libsndfile says, without its "Error opening <object>" preface."""
    return str(getattr(error, "error_string", error)).strip().rstrip(".")
