"""The metadata of an ONNX file, read without loading it. Knows nothing of what the model does.

sherpa-onnx ends the whole process where an entry that it needs is missing, so a file is looked into beforehand.
An ONNX file is one protobuf message, ``ModelProto`` (onnx/onnx.proto): its field 14 is repeated, each a message with
the text fields 1 (key) and 2 (value).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_METADATA, _KEY, _VALUE = 14, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_BYTES = 1 << 24
"""Of an entry: the longest, a value for each of 560 features, takes some ten thousand."""


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of an ONNX file by key.

    Raises:
        ValueError: it isn't one, or ends too early.
        OSError: it can't be read.
    """
    found = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        for entry in _fields(file, size, _METADATA):
            texts = {number: next(_fields(io.BytesIO(entry), len(entry), number), b"") for number in (_KEY, _VALUE)}
            found[texts[_KEY].decode()] = texts[_VALUE].decode()
    return found


def _fields(file: BinaryIO, size: int, wanted: int) -> Iterator[bytes]:
    """The contents of the fields ``wanted`` of a message of ``size`` bytes; all others are passed over."""
    while file.tell() < size:
        tag = _varint(file)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _varint(file)
            continue
        if kind not in (_FIXED64, _BYTES, _FIXED32):
            raise ValueError("it is no ONNX file")
        length = _varint(file) if kind == _BYTES else 8 if kind == _FIXED64 else 4
        if file.tell() + length > size:
            raise ValueError(f"it ends at byte {size:,}, byte {file.tell() + length:,} is needed")
        if number == wanted and kind == _BYTES:
            if length > _MOST_BYTES:
                raise ValueError(f"its metadata hold an entry of {length:,} bytes")
            yield file.read(length)
        else:
            file.seek(length, io.SEEK_CUR)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("it ends in the middle of a number")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("it is no ONNX file")
