"""Containers of audio by their own headers, before anything is decoded: is all of it there, and what is to be decoded?

Decoders read what they can of a file that was cut short, and the first of joined files, without a word. What can't be
looked into isn't read.
"""

from __future__ import annotations

from typing import BinaryIO

from tttbench.core.errors import InputError
from tttbench.data.containers import mpeg, ogg, sized, wav
from tttbench.data.containers.stream import AS_IT_IS, Stream, read_at, refuse_second

__all__ = ["Stream", "streams"]

_FLAC = b"fLaC"
_STREAMINFO = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
"""How FLAC files begin (RFC 9639): a first block of 34 bytes, which is the only one or isn't."""

_BY_BEGIN = {
    **dict.fromkeys((b"RIFF", b"RIFX", b"RF64", b"BW64"), wav.streams),
    b"riff": wav.wave64_streams,
    b"FORM": sized.aiff_streams,
    b".snd": sized.au_streams,
    b"dns.": sized.au_streams,
    b"caff": sized.caf_streams,
    b"NIST": sized.sphere_streams,
}


def streams(file: BinaryIO, name: str) -> tuple[Stream, ...]:
    """Return what is to be decoded of a file, one after the other.

    Args:
        file: open for reading, of any container.
        name: what messages call it.

    Raises:
        InputError: audio is missing, by the container's own account, or the container is none that is looked into.
    """
    begin = read_at(file, 0, 10)
    if begin.startswith(b"ID3"):
        content = read_at(file, 0)
        behind = mpeg.skip_tags(content, 0)
        if content.startswith(_FLAC, behind):
            _refuse_second_flac(file, name, behind)
            return (Stream(content[behind:]),)
    look = _BY_BEGIN.get(begin[:4])
    if look is not None:
        return look(file, name)
    if begin.startswith(_FLAC):
        _refuse_second_flac(file, name, 0)
        return AS_IT_IS
    content = read_at(file, 0)
    if begin.startswith(b"OggS"):
        return ogg.streams(content, name)
    if mpeg.is_mpeg(content):
        return mpeg.streams(content, name)
    raise InputError(
        f"{name}: is broken or not audio that is read here (WAV, AIFF, AU, CAF, SPHERE, FLAC, Ogg, MP3). "
        "Convert it to wav or flac, or copy it again."
    )


def _refuse_second_flac(file: BinaryIO, name: str, start: int) -> None:
    for begin in _STREAMINFO:
        refuse_second(file, name, begin, start + 1)
