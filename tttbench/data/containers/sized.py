"""Containers whose header says once how much audio follows: AIFF, AU, CAF and NIST SPHERE. Is that much there?

Apple's "Audio Interchange File Format" 1.3 and "Core Audio Format Specification", Sun's ``audio.h``, NIST's SPHERE 2.6.
"""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from tttbench.data.containers.stream import (
    AS_IT_IS,
    Stream,
    no_audio,
    read_at,
    refuse_cut,
    refuse_rate,
    refuse_rest,
    refuse_second,
    size_of,
)

_UNKNOWN_4 = 0xFFFFFFFF

_AU_BYTES = {1: 1.0, 2: 1.0, 3: 2.0, 4: 3.0, 5: 4.0, 6: 4.0, 7: 8.0, 23: 0.5, 25: 0.375, 26: 0.625, 27: 1.0}
"""Bytes a sample, by the number of the encoding."""


def aiff_streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of an AIFF or AIFF-C file; ``InputError`` if less is there than its header says."""
    if read_at(file, 8, 4) not in (b"AIFF", b"AIFC"):
        raise no_audio(name, "form AIFF")
    size, at, n_frames, frame_bytes, rate = size_of(file), 12, 0, 0, 0.0
    while at + 8 <= size:
        kind, length = struct.unpack(">4sI", read_at(file, at, 8))
        if kind == b"COMM":
            common = read_at(file, at + 8, 22)
            if len(common) < 18:
                break
            n_channels, n_frames, bits = struct.unpack(">HIH", common[:8])
            rate = _extended(common[8:18])
            refuse_rate(name, rate)
            is_plain = common[18:22] in (b"", b"NONE", b"sowt", b"twos", b"in24", b"in32", b"fl32", b"FL32", b"fl64")
            n_frames *= 64 if common[18:22] == b"ima4" else 1
            frame_bytes = n_channels * -(-bits // 8) if is_plain or length == 18 else 0
        if kind == b"SSND":
            offset = int.from_bytes(read_at(file, at + 8, 4), "big")
            start = at + 16 + offset
            present = size - start
            bytes_per_s = rate * frame_bytes
            if length <= 8 + offset or length >= 2**32 - 4096:
                for begin in (b"AIFFCOMM", b"AIFCFVER"):
                    refuse_second(file, name, begin, start)
                if length == 0 or present <= 0:
                    return AS_IT_IS
                return (Stream(_with(file, at + 4, struct.pack(">I", present + offset + 8))),)
            declared = max(length - 8 - offset, n_frames * frame_bytes)
            refuse_cut(name, declared, present, bytes_per_s or _ratio(declared, n_frames, rate))
            refuse_rest(file, name, _behind_chunks(file, start + declared), bytes_per_s)
            return AS_IT_IS
        at += 8 + length + (length & 1)
    raise no_audio(name, "chunk 'SSND'")


def au_streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of an AU file of either byte order; ``InputError`` as for AIFF."""
    order = ">" if read_at(file, 0, 4) == b".snd" else "<"
    head = read_at(file, 4, 20)
    if len(head) < 20:
        raise no_audio(name, "whole header")
    start, declared, encoding, rate, n_channels = struct.unpack(f"{order}5I", head)
    refuse_rate(name, rate)
    present = size_of(file) - start
    if declared in (0, _UNKNOWN_4):
        refuse_second(file, name, read_at(file, 0, 16), start)
    if declared == _UNKNOWN_4 or present <= 0:
        return AS_IT_IS
    if declared == 0:
        return (Stream(_with(file, 8, struct.pack(f"{order}I", _UNKNOWN_4))),)
    bytes_per_s = rate * n_channels * _AU_BYTES.get(encoding, 0.0)
    refuse_cut(name, declared, present, bytes_per_s)
    refuse_rest(file, name, start + declared, bytes_per_s)
    return AS_IT_IS


def caf_streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of a CAF file; ``InputError`` as for AIFF."""
    size, at, bytes_per_s, has_data = size_of(file), 8, 0.0, False
    while at + 12 <= size:
        kind, length = struct.unpack(">4sq", read_at(file, at, 12))
        if kind == b"desc":
            rate, block_bytes, block_frames = struct.unpack(">d8xII", read_at(file, at + 12, 24).ljust(24, b"\0"))
            refuse_rate(name, rate)
            bytes_per_s = rate * block_bytes / block_frames if block_frames else 0.0
        if kind == b"data":
            present = size - at - 12
            refuse_second(file, name, b"caff\0\1\0\0desc", at)
            if length < 0:
                return (Stream(_with(file, at + 4, struct.pack(">q", present))),)
            refuse_cut(name, length, present, bytes_per_s)
            has_data = True
        if length < 0:
            break
        at += 12 + length
    if not has_data:
        raise no_audio(name, "chunk 'data'")
    return AS_IT_IS


def sphere_streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of a NIST SPHERE file; ``InputError`` as for AIFF."""
    head = read_at(file, 0, 1024).decode("latin-1")
    fields = dict(re.findall(r"^(\w+) -i (\d{1,12})$", head, re.MULTILINE))
    start = re.match(r"NIST_1A\s+(\d{1,6})\s", head)
    if start is None or not {"sample_count", "sample_rate"} <= fields.keys():
        raise no_audio(name, "number of samples or hertz in its header")
    refuse_rate(name, int(fields["sample_rate"]))
    frame_bytes = int(fields.get("sample_n_bytes", 1)) * int(fields.get("channel_count", 1))
    declared = int(fields["sample_count"]) * frame_bytes
    bytes_per_s = float(int(fields["sample_rate"]) * frame_bytes)
    refuse_cut(name, declared, size_of(file) - int(start[1]), bytes_per_s)
    refuse_rest(file, name, int(start[1]) + declared, bytes_per_s)
    return AS_IT_IS


def _extended(content: bytes) -> float:
    """A number of IEEE 754's extended precision: 15 bits of exponent, 64 of mantissa."""
    exponent, mantissa = struct.unpack(">HQ", content)
    power = (exponent & 0x7FFF) - 16383 - 63
    return float(mantissa) * 2.0**power if -1000 < power < 64 else 0.0


def _ratio(n_bytes: int, n_frames: int, rate: float) -> float:
    """Bytes a second of compressed audio, by how many frames the whole has."""
    return n_bytes * rate / n_frames if n_frames else 0.0


def _behind_chunks(file: BinaryIO, at: int) -> int:
    """Where the chunks end that follow from ``at`` on."""
    size = size_of(file)
    at += at & 1
    while at + 8 <= size:
        kind, length = struct.unpack(">4sI", read_at(file, at, 8))
        if kind == b"FORM" or not all(32 <= letter < 127 for letter in kind) or at + 8 + length > size:
            break
        at += 8 + length + (length & 1)
    return at


def _with(file: BinaryIO, at: int, changed: bytes) -> bytes:
    """The file with other bytes at one place."""
    whole = read_at(file, 0)
    return whole[:at] + changed + whole[at + len(changed) :]
