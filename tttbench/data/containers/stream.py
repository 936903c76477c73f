"""What a look into a container finds: the streams to decode, or why not all of the audio is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from tttbench.core.errors import InputError

MAGICS = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"caff", b".snd", b"dns.", b"NIST_1A", b"fLaC", b"OggS")
"""How the files begin whose containers are looked into; MP3 has no such beginning."""

LOWEST_HZ, HIGHEST_HZ = 1_000, 655_350
"""Sample rates that are read; the highest is what a run can keep as FLAC (RFC 9639, section 9.1.2)."""

_BLOCK = 1 << 20

_TOLERATED_S = 0.1
"""Bytes behind the audio that are nothing known: so many seconds of them are taken for what some writers leave."""


@dataclass(frozen=True)
class Stream:
    """What the decoder is given as one file.

    Attributes:
        content: its bytes; None for the file as it is.
        n_frames: samples of each channel, where the container tells it better than the decoder; None: as that says.
        is_seekable: whether the decoder finds a sample exactly without decoding all before it.
    """

    content: bytes | None = None
    n_frames: int | None = None
    is_seekable: bool = True


AS_IT_IS = (Stream(),)


def size_of(file: BinaryIO) -> int:
    """The size of a file in bytes."""
    return file.seek(0, 2)


def read_at(file: BinaryIO, start: int, length: int | None = None) -> bytes:
    """Read ``length`` bytes from ``start`` on (None: all), or as many as there are."""
    file.seek(start)
    return file.read() if length is None else file.read(length)


def seconds(value: float) -> str:
    """A length for messages, precise enough to tell two lengths of one file apart."""
    return f"{value:,.3f} s"


def cut_short(name: str, promised_s: float | None, present_s: float) -> InputError:
    """The error for a file of which a part is missing; ``promised_s`` None if its header doesn't say how long it is."""
    promised = "" if promised_s is None else f"its header says {seconds(promised_s)}, "
    return InputError(
        f"{name}: is cut short or damaged: {promised}{seconds(present_s)} can be read. Copy or download it again."
    )


def no_audio(name: str, what: str) -> InputError:
    """The error for a file in whose container ``what`` is missing."""
    return InputError(
        f"{name}: is broken or not audio (it has no {what}). Convert it to wav or flac, or copy it again."
    )


def refuse_rate(name: str, rate: float) -> None:
    """Raise ``InputError`` for a sample rate that no recording of speech has."""
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise InputError(
            f"{name}: its header says {rate:,.0f} Hz; sample rates from {LOWEST_HZ:,} to {HIGHEST_HZ:,} Hz are read. "
            "Correct the header, or resample the file."
        )


def refuse_cut(name: str, declared: int, present: int, bytes_per_s: float) -> None:
    """Raise ``InputError`` if fewer bytes of audio are ``present`` than ``declared``.

    ``bytes_per_s`` is 0 if the header doesn't tell how many seconds they are.
    """
    if present >= declared:
        return
    if bytes_per_s > 0:
        raise cut_short(name, declared / bytes_per_s, present / bytes_per_s)
    raise InputError(
        f"{name}: is cut short: its header says {declared:,} bytes of audio, {present:,} are there. "
        "Copy or download it again."
    )


def refuse_rest(file: BinaryIO, name: str, end: int, bytes_per_s: float) -> None:
    """Raise ``InputError`` if what follows the audio from byte ``end`` on may be audio, too.

    That are a second file, and many bytes that aren't all zero: of a header that was written before the end was known.
    Tags may follow.
    """
    rest = size_of(file) - end
    if rest <= 0:
        return
    start = read_at(file, end, 16)
    refuse_joined(name, start.lstrip(b"\0"))
    if start.startswith((b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")) or bytes_per_s <= 0:
        return
    if rest > _TOLERATED_S * bytes_per_s and not is_zero(file, end):
        raise InputError(
            f"{name}: holds more than its header says: {seconds(rest / bytes_per_s)} follow behind its end. "
            "Its header was never finished, or files were joined: write it again, e.g. with ffmpeg."
        )


def refuse_joined(name: str, start: bytes) -> None:
    """Raise ``InputError`` if the bytes ``start``, behind the end of a file, begin another one."""
    if start.startswith(MAGICS):
        raise _joined(name)


def _joined(name: str) -> InputError:
    return InputError(
        f"{name}: holds two files, one behind the other, of which decoders read the first alone. Split it, or "
        "join the audio with a program that writes one file, e.g. ffmpeg."
    )


def refuse_second(file: BinaryIO, name: str, begin: bytes, start: int) -> None:
    """Raise ``InputError`` if what only the beginning of a file holds stands again from ``start`` on."""
    if find(file, begin, start) >= 0:
        raise _joined(name)


def find(file: BinaryIO, wanted: bytes, start: int) -> int:
    """Where ``wanted`` stands first from ``start`` on; -1 if nowhere."""
    file.seek(start)
    kept = b""
    while block := file.read(_BLOCK):
        at = (kept + block).find(wanted)
        if at >= 0:
            return start - len(kept) + at
        start += len(block)
        kept = block[1 - len(wanted) :]
    return -1


def is_zero(file: BinaryIO, start: int) -> bool:
    """Whether there are only zero bytes from ``start`` on."""
    file.seek(start)
    while block := file.read(_BLOCK):
        if block.strip(b"\0"):
            return False
    return True
