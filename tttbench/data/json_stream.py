"""Large JSON documents, one entry of a list at a time: lists of a gigabyte are never in memory as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.data.documents import refuse_irregular

_CHUNK = 1 << 20
"""Characters that are read at once, at least."""

_MOST = 1 << 26
"""The longest value that is taken for one; more is a document that is damaged."""

_BEHIND = frozenset(",:]} \t\r\n")
"""What may stand behind a value."""

_BLANKS = re.compile(r"[ \t\r\n]*")


def read_entries(path: Path, key: str) -> Iterator[tuple[int, JsonValue]]:
    """Read the entries of the list ``key`` of a document that is an object, numbered from 1, in constant memory.

    Keys that stand twice aren't noticed.

    Raises:
        UserError: no such file, it can't be read, isn't UTF-8 or valid JSON, or has no such list.
    """
    number = 0
    try:
        refuse_irregular(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, value in _entries(_Window(file), key):
                yield number, value
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). Check the path and its permissions.") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not valid JSON behind entry {number}: {error.msg}. Copy it again.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 behind entry {number}. Copy it again.") from error
    except ValueError as error:
        raise UserError(f"{path}: behind entry {number}: a number has too many digits. Correct it.") from error
    except RecursionError:
        raise UserError(f"{path}: behind entry {number}: nested too deeply. Make it flatter.") from None
    except KeyError:
        raise UserError(f"{path}: has no list {key!r}. Give the list as published.") from None


class _Window:
    """The part of a file that is being read; what lies before ``at`` is dropped."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._ended = False

    def next(self) -> str:
        """The next character that isn't blank, which stays; ``""`` at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._read()

    def take(self, allowed: str) -> str:
        """Take the next character, one of ``allowed``."""
        found = self.next()
        if not found or found not in allowed:
            raise self._error(f"expected {' or '.join(allowed)}")
        self._at += 1
        return found

    def value(self) -> JsonValue:
        """Take the next value, whatever it is."""
        self.next()
        while True:
            is_all = self._ended or len(self._text) - self._at > _MOST
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if is_all:
                    raise
            else:
                # A number at the end of what was read, or before the point of one, may go on behind it.
                if is_all or self._text[end : end + 1] in _BEHIND:
                    self._at = end
                    found: JsonValue = value
                    return found
            self._read()

    def _read(self) -> None:
        left = self._text[self._at :]
        chunk = self._file.read(max(_CHUNK, len(left)))
        self._text, self._at, self._ended = left + chunk, 0, not chunk

    def _error(self, message: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(message, self._text, self._at)


_DECODER = json.JSONDecoder()


def _entries(window: _Window, wanted: str) -> Iterator[tuple[int, JsonValue]]:
    """The entries of the list; raises ``KeyError`` if there is none, ``JSONDecodeError``."""
    number, is_there = 0, False
    window.take("{")
    separator = window.take("}") if window.next() == "}" else ","
    while separator == ",":
        key = window.value()
        window.take(":")
        if key != wanted or window.next() != "[":
            window.value()
        else:
            is_there = True
            window.take("[")
            within = window.take("]") if window.next() == "]" else ","
            while within == ",":
                number += 1
                yield number, window.value()
                within = window.take(",]")
        separator = window.take(",}")
    if not is_there:
        raise KeyError(wanted)
