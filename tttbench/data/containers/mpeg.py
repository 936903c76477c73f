"""MP3 (and MPEG layers I and II): every frame is counted, since the header of a file needn't be there or be right.

ISO/IEC 11172-3 and 13818-3 (frames), ID3v2.4 and APEv2 (tags), Xing and LAME (the header in the first frame). Joined
files become one stream each, tags between them are left out, and a stream whose header counts too few frames, or that
has none, is given one that counts right: the decoder believes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tttbench.core.errors import InputError
from tttbench.data.containers.stream import Stream, cut_short, seconds

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Sample rates by the number of the version: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""

_BIT_RATES = {
    (3, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second, by version (2 for both later ones) and layer (layer III of the later ones has those of II)."""

_MOST_JUNK = 1 << 16
"""Bytes before the first frame that may be anything, as in the published decoders."""


@dataclass(frozen=True)
class Frame:
    """A frame: where it begins, its bytes, and what must be the same in all of a stream."""

    start: int
    length: int
    n_samples: int
    rate: int
    kind: tuple[int, int, int, bool]
    """Version, layer, number of the rate, and whether it is mono."""


@dataclass(frozen=True)
class _Count:
    """How many frames, and bytes with its own, a header counts (0: it doesn't say), and where it has the frames."""

    n_frames: int = 0
    n_bytes: int = 0
    at: int = 0


@dataclass
class _Part:
    """A stream while its frames are collected: its header, if it has one, and the frames with audio."""

    header: Frame | None = None
    count: _Count = _Count()
    frames: list[Frame] = field(default_factory=list)

    def goes_on(self, frame: Frame) -> bool:
        """Whether a frame can be the next one."""
        last = self.frames[-1] if self.frames else self.header
        return last is not None and last.kind == frame.kind


def is_mpeg(content: bytes) -> bool:
    """Whether there are two frames in a row near the beginning, behind tags."""
    return _first_frame(content, skip_tags(content, 0)) is not None


def streams(content: bytes, name: str) -> tuple[Stream, ...]:
    """Return the streams of a file, each as bytes whose header counts its frames rightly.

    Raises:
        InputError: a frame isn't whole, fewer frames than a header counts, bytes between frames that are no MP3, or a
            stream whose length the decoder couldn't know.
    """
    parts = _parts(content, name)
    if not parts:
        raise InputError(f"{name}: is broken or not audio (no MPEG frames). Convert it to wav or flac.")
    return tuple(_stream(part, content, name) for part in parts)


def _parts(content: bytes, name: str) -> list[_Part]:
    parts: list[_Part] = []
    for frame in _frames(content, name):
        count = _counted(content, frame)
        if count is not None:
            parts.append(_Part(frame, count))
            continue
        if not parts or not parts[-1].goes_on(frame):
            parts.append(_Part())
        parts[-1].frames.append(frame)
    return [part for part in parts if part.frames]


def _stream(part: _Part, content: bytes, name: str) -> Stream:
    first, n_frames, promised = part.frames[0], len(part.frames), part.count.n_frames
    frame_s = first.n_samples / first.rate
    last = part.frames[-1]
    n_whole = n_frames if last.start + last.length <= len(content) else n_frames - 1
    n_bytes = sum(one.length for one in part.frames) + (part.header.length if part.header is not None else 0)
    # Encoders that count the frame of the header, too, are known by the number of bytes.
    n_wanted = promised - 1 if 0 < part.count.n_bytes <= n_bytes else promised
    if n_whole < max(n_frames, n_wanted):
        raise cut_short(name, promised * frame_s or None, n_whole * frame_s)
    audio = b"".join(content[one.start : one.start + one.length] for one in part.frames)
    if part.header is not None and n_frames <= promised:
        header = content[part.header.start : part.header.start + part.header.length]
        at = part.count.at
        return Stream(header[:at] + struct.pack(">I", n_frames) + header[at + 4 :] + audio, is_seekable=False)
    if first.kind[1] == 3:
        return Stream(_header(content, first, n_frames, len(audio)) + audio, is_seekable=False)
    return Stream(audio, n_frames * first.n_samples, is_seekable=False)


def _frames(content: bytes, name: str) -> Iterator[Frame]:
    """The frames in their order; the last one may be cut."""
    at = skip_tags(content, 0)
    first = _first_frame(content, at)
    if first is None:
        return
    at, size, n_samples, last = first, len(content), 0, None
    while at < size:
        frame = _frame(content, at)
        if frame is None:
            behind = skip_tags(content, at)
            if behind == at:
                if last is not None and size - at < 4 and content[at] == 0xFF:
                    yield replace(last, start=at)  # the first bytes of a frame
                else:
                    _refuse_junk(content, at, n_samples, last, name)
                return
            at = behind
            continue
        yield frame
        n_samples += frame.n_samples
        last = frame
        at += frame.length


def _refuse_junk(content: bytes, at: int, n_samples: int, last: Frame | None, name: str) -> None:
    """Refuse bytes at ``at`` that are neither frame nor tag, if frames follow them or the last one is cut."""
    rest = content[at:].lstrip(b"\0")
    rate = last.rate if last is not None else 1
    after = _first_frame(content, len(content) - len(rest), len(rest)) if rest else None
    if after is not None:
        raise InputError(
            f"{name}: {after - at:,} bytes at {seconds(n_samples / rate)} are no MP3, and more audio follows them. "
            "Copy or download it again."
        )


def _first_frame(content: bytes, at: int, most: int = _MOST_JUNK) -> int | None:
    """Where the first frame begins that is followed by another like it, or by the end of the file."""
    start, end = at, min(len(content), at + most)
    while (at := content.find(b"\xff", at, end)) >= 0:
        frame = _frame(content, at)
        if frame is not None:
            behind = at + frame.length
            second = _frame(content, behind)
            is_alone = behind >= len(content) and at == start
            if is_alone or (second is not None and second.kind == frame.kind) or skip_tags(content, behind) > behind:
                return at
        at += 1
    return None


def _frame(content: bytes, at: int) -> Frame | None:
    """The frame whose header stands at ``at``; None if none does. It may be cut short."""
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate_at, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate_at == 3 or head[3] & 3 == 2:
        return None
    rate = _RATES[version][rate_at]
    table = (version, layer) if version == 3 else (2, min(layer, 2))
    bit_rate = 1000 * _BIT_RATES[table][bits - 1]
    if layer == 1:
        length, n_samples = (12 * bit_rate // rate + padding) * 4, 384
    else:
        n_samples = 576 if layer == 3 and version != 3 else 1152
        length = n_samples // 8 * bit_rate // rate + padding
    return Frame(at, length, n_samples, rate, (version, layer, rate_at, head[3] >> 6 == 3))


def _counted(content: bytes, frame: Frame) -> _Count | None:
    """The number of frames in the header that this frame holds; None if it holds audio."""
    if frame.kind[1] != 3:
        return None
    inside = content[frame.start : frame.start + frame.length]
    at = 4 + _side_bytes(frame)
    for start in (at, at + 2):  # behind the checksum, if there is one
        if inside[start : start + 4] in (b"Xing", b"Info") and len(inside) >= start + 12:
            flags, at = inside[start + 7], start + 8
            has_frames, has_bytes = flags & 1, flags & 2
            n_bytes = _number(inside, at + (4 if has_frames else 0)) if has_bytes else 0
            return _Count(_number(inside, at) if has_frames else 0, n_bytes, at)
    if inside[36:40] == b"VBRI":
        return _Count(_number(inside, 50), _number(inside, 46), 50)
    return None


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "big")


def _side_bytes(frame: Frame) -> int:
    version, _, _, is_mono = frame.kind
    return (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)


def _header(content: bytes, like: Frame, n_frames: int, n_bytes: int) -> bytes:
    """A frame without audio that counts ``n_frames`` frames, as Xing made them; ``like`` a frame of the stream."""
    head = bytearray(content[like.start : like.start + 4])
    head[1] |= 1  # no checksum
    head[2] &= 0b1101  # no padding
    for bits in range(1, 15):
        head[2] = bits << 4 | head[2] & 0xF
        frame = _frame(bytes(head), 0)
        if frame is not None and frame.length >= 4 + 32 + 16:
            break
    assert frame is not None
    count = struct.pack(">4sIII", b"Xing", 3, n_frames, n_bytes + frame.length)
    return (bytes(head) + bytes(_side_bytes(frame)) + count).ljust(frame.length, b"\0")


def skip_tags(content: bytes, at: int) -> int:
    """Where tags that begin at ``at``, one behind the other, end."""
    while True:
        if content.startswith(b"ID3", at) and len(content) >= at + 10:
            size = 0
            for byte in content[at + 6 : at + 10]:
                size = size << 7 | byte & 0x7F
            end = at + 10 + size + (10 if content[at + 5] & 0x10 else 0)
        elif content.startswith(b"TAG+", at):
            end = at + 227
        elif content.startswith(b"TAG", at):
            end = at + 128
        elif content.startswith(b"APETAGEX", at) and len(content) >= at + 32:
            size, _, flags = struct.unpack("<III", content[at + 12 : at + 24])
            end = at + 32 + (size if flags & 1 << 29 else 0)
        elif content.startswith(b"LYRICSBEGIN", at):
            found = [content.find(mark, at) for mark in (b"LYRICS200", b"LYRICSEND")]
            end = min((one + 9 for one in found if one >= 0), default=len(content))
        else:
            return at
        at = min(end, len(content))
