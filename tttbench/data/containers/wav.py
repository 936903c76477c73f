"""WAV and its relatives (RIFX, RF64, BW64, Wave64): is as much audio there as the header says?

Microsoft's "Multiple Channel Audio Data and WAVE Files", EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Sonic Foundry's
Wave64. Programs that write to a pipe can't go back to the header: sizes of 0 or near 2 and 4 GiB stand for "unknown".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tttbench.core.errors import InputError
from tttbench.data.containers import mpeg
from tttbench.data.containers.stream import (
    AS_IT_IS,
    Stream,
    no_audio,
    read_at,
    refuse_cut,
    refuse_joined,
    refuse_rate,
    refuse_rest,
    refuse_second,
    size_of,
)

_UNKNOWN_4 = 0xFFFFFFFF
_SLACK = 4096
_PCM_TAGS = (1, 3, 6, 7, 0xFFFE)
_MPEG_TAGS = (0x50, 0x55)


@dataclass(frozen=True)
class Chunk:
    """A chunk: its four letters, where its content begins, and how long it says that it is."""

    kind: bytes
    start: int
    size: int


@dataclass(frozen=True)
class Format:
    """The chunk ``fmt``: its own bytes, and what is needed of them."""

    content: bytes
    tag: int
    rate: int
    bytes_per_s: float


def streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of a file that begins with RIFF, RIFX, RF64 or BW64.

    Raises:
        InputError: less audio than the header says, or more, or a second file behind it.
    """
    magic = read_at(file, 0, 4)
    order = ">" if magic == b"RIFX" else "<"
    size = size_of(file)
    form, data, long_size, odd = None, None, 0, False
    for chunk, was_odd in _chunks(file, order, 12):
        odd |= was_odd
        if chunk.kind == b"ds64":
            long_size = int.from_bytes(read_at(file, chunk.start + 8, 8), "little")
        elif chunk.kind == b"fmt " and form is None:
            form = _format(read_at(file, chunk.start, min(chunk.size, 1024)), order)
        elif chunk.kind == b"data":
            data = chunk
            break
    if form is None or data is None:
        raise no_audio(name, "chunk 'data' behind a chunk 'fmt '")
    refuse_rate(name, form.rate)
    declared = long_size if magic in (b"RF64", b"BW64") and data.size == _UNKNOWN_4 else data.size
    present = size - data.start
    if _is_unknown(declared, present) and not (declared == 0 and _are_chunks(file, order, data.start)):
        for inside in (b"WAVEfmt ", b"WAVEds64", b"WAVEJUNK", b"WAVELIST", b"WAVEbext"):
            refuse_second(file, name, inside, data.start)
        end = size
        needs_new_header = declared == 0 or magic in (b"RF64", b"BW64")
    else:
        refuse_cut(name, declared, present, form.bytes_per_s)
        end = data.start + declared
        needs_new_header = magic == b"BW64"
        _refuse_behind(file, name, order, end, form.bytes_per_s)
    if form.tag in _MPEG_TAGS:
        return mpeg.streams(read_at(file, data.start, end - data.start), name)
    if needs_new_header or odd:
        return (Stream(_plain(form, read_at(file, data.start, end - data.start), order)),)
    return AS_IT_IS


def wave64_streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of a Wave64 file; raises as ``streams``."""
    size, at, form, has_data = size_of(file), 40, None, False
    while at + 24 <= size:
        head = read_at(file, at, 24)
        kind, length = head[:4], int.from_bytes(head[16:], "little")
        if kind == b"fmt " and form is None:
            form = _format(read_at(file, at + 24, min(length, 1024)), "<")
            refuse_rate(name, 0 if form is None else form.rate)
        if kind == b"data" and form is not None:
            declared, present = length - 24, size - at - 24
            if declared <= 0 or declared >= 2**62:
                refuse_second(file, name, b"wave\xf3\xac\xd3\x11", at)
                return (Stream(_plain(form, read_at(file, at + 24), "<")),)
            refuse_cut(name, declared, present, form.bytes_per_s)
            has_data = True
        elif has_data:
            refuse_joined(name, kind)
        if length < 24:
            break
        at += -(-length // 8) * 8
    if has_data:
        return AS_IT_IS
    raise no_audio(name, "chunk 'data' behind a chunk 'fmt '")


def _is_unknown(size: int, present: int) -> bool:
    """Whether a size stands for an unknown one: 0, or just below 2 GiB (arecord, sox), 4 GiB (ffmpeg) or 16 EiB."""
    return size == 0 or (size > present and any(top - _SLACK <= size <= top for top in (2**31, 2**32, 2**64)))


def _chunks(file: BinaryIO, order: str, at: int) -> Iterator[tuple[Chunk, bool]]:
    """Chunks from ``at`` on, each with whether the one before it lacks the byte that fills it up to even length."""
    size = size_of(file)
    unfilled = False
    while at + 8 <= size:
        kind, length = struct.unpack(f"{order}4sI", read_at(file, at, 8))
        if not _is_kind(kind):
            return
        yield Chunk(kind, at + 8, length), unfilled
        end = at + 8 + length
        at = end + (length & 1)
        unfilled = bool(length & 1) and not _is_kind(read_at(file, at, 4)) and _is_kind(read_at(file, end, 4))
        at = end if unfilled else at


def _is_kind(kind: bytes) -> bool:
    return len(kind) == 4 and all(32 <= letter < 127 for letter in kind)


def _are_chunks(file: BinaryIO, order: str, at: int) -> bool:
    """Whether the file goes on with chunks from ``at`` to its end; an end is none."""
    size = size_of(file)
    if at >= size:
        return True
    end = at
    for chunk, _ in _chunks(file, order, at):
        end = chunk.start + chunk.size
    return at < end and size - 8 < end <= size


def _refuse_behind(file: BinaryIO, name: str, order: str, end: int, bytes_per_s: float) -> None:
    """Refuse audio behind the chunk of the audio, which ends at ``end``, filled up to even length or not."""
    at = end
    for start in (end + 1, end) if end % 2 else (end,):
        if not _is_kind(read_at(file, start, 4)):
            continue
        at = start
        for chunk, _ in _chunks(file, order, start):
            refuse_joined(name, chunk.kind)
            if chunk.kind == b"data":
                raise InputError(f"{name}: holds two chunks of audio, of which decoders read one. Write it again.")
            at = chunk.start + chunk.size + (chunk.size & 1)
        break
    refuse_rest(file, name, at, bytes_per_s)


def _format(content: bytes, order: str) -> Format | None:
    if len(content) < 14:
        return None
    tag, _, rate, byte_rate, block = struct.unpack(f"{order}HHIIH", content[:14])
    return Format(content, tag, rate, rate * block if tag in _PCM_TAGS and rate * block else byte_rate)


def _plain(form: Format, audio: bytes, order: str) -> bytes:
    """A WAV file of nothing but format and audio, whose sizes are unknown: the decoder reads it to the end."""
    kind = b"RIFX" if order == ">" else b"RIFF"
    length = len(form.content)
    head = struct.pack(f"{order}4sI4s4sI", kind, _UNKNOWN_4, b"WAVE", b"fmt ", length)
    filled = form.content + b"\0" * (length & 1)
    return head + filled + struct.pack(f"{order}4sI", b"data", _UNKNOWN_4) + audio
