"""What is printed reaches a terminal as text: no escape sequence, nothing that turns the direction of writing.

Names, answers and messages of plug-ins are printed as they came; what a terminal would obey is written as an escape
such as ``\\u001b`` instead. In the JSON document of ``--json`` these escapes mean the same characters.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, cast

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""Control characters but tabs and line ends, separators of lines, marks of direction, halves of characters."""


def shown(text: str) -> str:
    """Return a text for a terminal, which may have several lines."""
    return text if text.isascii() and text.isprintable() else _OBEYED.sub(_escape, text)


def one_line(text: str) -> str:
    """Return a text for a terminal on a line of its own."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


class _Shown:
    """A stream that writes what is ``shown``, and is the other one in everything else."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(shown(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@contextmanager
def made_safe() -> Iterator[None]:
    """Let everything that is printed meanwhile be ``shown``. What draws on a terminal itself takes ``raw_stderr``."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", _Shown(one)) for one in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def raw_stderr() -> TextIO:
    """Standard error itself, for what draws on a terminal."""
    stream: object = sys.stderr
    while isinstance(stream, _Shown):
        stream = stream.stream
    return cast("TextIO", stream)
