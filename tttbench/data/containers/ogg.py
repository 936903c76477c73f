"""Ogg: are all pages there, whole and in order, up to the one marked as the last; and which streams are chained?

RFC 3533. Decoders read the first link of a chain and stop, or go over a gap without a word; so each link becomes a
stream of its own, and a page that is missing or damaged an error.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from tttbench.core.errors import InputError
from tttbench.data.containers.stream import AS_IT_IS, Stream, seconds

_FIRST, _LAST = 2, 4
_NO_POSITION = 2**64 - 1
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_AUDIO = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
_READ = _AUDIO[:2]


@dataclass(frozen=True)
class Page:
    """A page: its bytes, what its header says, and how what it holds begins."""

    content: bytes
    flags: int
    position: int
    serial: int
    number: int
    begin: bytes


@dataclass
class _Logical:
    """The pages of one logical stream."""

    pages: list[Page] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long its pages last, by the position that the last one gives."""
        head = self.pages[0].begin
        last = max((page.position for page in self.pages if page.position != _NO_POSITION), default=0)
        if head.startswith(b"OpusHead"):
            return max(last - int.from_bytes(head[10:12], "little"), 0) / 48_000
        rate = int.from_bytes(head[12:16], "little") if head.startswith(b"\x01vorbis") else 0
        return last / rate if rate else 0.0


def streams(content: bytes, name: str) -> tuple[Stream, ...]:
    """Return the links of the chain; the file as it is if there is one link of one stream.

    Raises:
        InputError: a page is missing, damaged or cut, the last one isn't marked as such, or a link holds several
            streams of audio.
    """
    links = _links(_pages(content, name))
    if not links:
        raise _damaged(name, ())
    found = [_audio_of(link, name) for link in links]
    for logical in found:
        _refuse_gaps(logical, name)
    if len(links) == 1 and len(links[0]) == 1:
        return AS_IT_IS
    return tuple(Stream(b"".join(page.content for page in logical.pages)) for logical in found)


def _pages(content: bytes, name: str) -> list[Page]:
    pages: list[Page] = []
    at, size = 0, len(content)
    while at < size:
        n_segments = content[at + 26] if at + 26 < size else 0
        body = at + 27 + n_segments
        end = body + sum(content[at + 27 : body])
        if content[at : at + 4] != b"OggS"[: size - at]:
            rest = content[at:]
            if b"OggS" in rest or not pages or not pages[-1].flags & _LAST:
                raise _damaged(name, pages)
            break  # a tag
        if at + 27 > size or end > size:
            raise _cut(name, pages)
        page = content[at:end]
        if _checksum(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            raise _damaged(name, pages)
        pages.append(
            Page(
                page,
                flags=page[5],
                position=int.from_bytes(page[6:14], "little"),
                serial=int.from_bytes(page[14:18], "little"),
                number=int.from_bytes(page[18:22], "little"),
                begin=content[body : min(end, body + 32)],
            )
        )
        at = end
    return pages


def _links(pages: Sequence[Page]) -> list[dict[int, _Logical]]:
    """The links of a chain: each begins with the first pages of its streams."""
    links: list[dict[int, _Logical]] = []
    began = False
    for page in pages:
        if page.flags & _FIRST:
            if not began:
                links.append({})
            links[-1][page.serial] = _Logical()
        began = bool(page.flags & _FIRST)
        if links:
            links[-1].setdefault(page.serial, _Logical()).pages.append(page)
    return links


def _audio_of(link: dict[int, _Logical], name: str) -> _Logical:
    audio = [one for one in link.values() if one.pages[0].begin.startswith(_AUDIO)]
    if len(audio) != 1:
        raise InputError(
            f"{name}: holds {len(audio)} streams of audio side by side, one is needed. Take one out, e.g. "
            "ffmpeg -i FILE -map 0:a:0 -c copy OUT.ogg"
        )
    if not audio[0].pages[0].begin.startswith(_READ):
        raise InputError(f"{name}: holds neither Opus nor Vorbis, which are read from Ogg. Convert it to wav or flac.")
    return audio[0]


def _refuse_gaps(logical: _Logical, name: str) -> None:
    pages = logical.pages
    for before, page in itertools.pairwise(pages):
        if page.number != before.number + 1:
            raise InputError(
                f"{name}: lacks {page.number - before.number - 1:,} of its pages at page {page.number:,}. "
                "Copy or download it again."
            )
    if not pages[-1].flags & _LAST:
        raise _cut(name, pages)


def _cut(name: str, pages: Sequence[Page]) -> InputError:
    return InputError(
        f"{name}: is cut short: {_present(pages)} are there, and the end of the stream isn't. Copy or download it "
        "again; if that is all there ever was, write it anew: ffmpeg -i FILE -c copy OUT.ogg"
    )


def _damaged(name: str, pages: Sequence[Page]) -> InputError:
    return InputError(f"{name}: is damaged behind {_present(pages)}. Copy or download it again.")


def _present(pages: Sequence[Page]) -> str:
    return seconds(sum(logical.seconds for link in _links(pages) for logical in link.values()))


def _checksum(page: bytes) -> int:
    """The checksum of a page: zlib's polynomial with the bits the other way round, begun with 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
