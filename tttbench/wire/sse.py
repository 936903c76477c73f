"""Server-sent events, written and read piece by piece.

The format is WHATWG HTML's, section 9.2.6: lines ``data: …`` and ``event: …``, an empty line behind each event, a line
that begins with a colon being a comment, as servers send them to keep a connection open. OpenAI ends a stream of chat
completions by ``data: [DONE]``; streams of speech, transcripts and some servers end without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tttbench.core.json_values import JsonObject
from tttbench.wire.fields import WireError

CONTENT_TYPE = "text/event-stream"

DONE = "[DONE]"
"""The data of the event that ends a stream."""

LARGEST_EVENT = 64 * 2**20
"""Bytes of the largest event that is read: eleven minutes of pcm16 at 24 kHz in base64."""

COMMENT = b": waiting\n\n"
"""What a server may send to keep a connection open; it is no event."""


@dataclass(frozen=True)
class Event:
    """An event: its data, and its name (``""``: it has none, as those of chat completions)."""

    data: str
    name: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it ends the stream."""
        return self.data.strip() == DONE


def encoded(data: JsonObject | str, name: str = "") -> bytes:
    """Return an event as it is sent: an object as one line of JSON, a text as it is."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {line}" for line in text.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


class Decoder:
    """Reads a stream; an event is handed on as soon as its last byte is there."""

    def __init__(self, largest: int = LARGEST_EVENT) -> None:
        """Read events of at most ``largest`` bytes."""
        self._largest = largest
        self._rest = bytearray()
        self._searched = 0
        self._data: list[str] = []
        self._size = 0
        self._name = ""

    def push(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that end within a piece of the stream.

        Raises:
            WireError: an event is larger than it may be, or isn't UTF-8.
        """
        self._rest += piece
        while (line := self._line()) is not None:
            event = self._take(line)
            if event is not None:
                yield event
        if self._size + len(self._rest) > self._largest:
            raise WireError(f"an event of the stream is larger than {self._largest:,} bytes")

    def finish(self) -> bool:
        """Whether the stream ends behind an event, rather than within one."""
        return not self._data and not self._rest.strip()

    def _line(self) -> bytes | None:
        """The next whole line; a carriage return ends one too, with or without the line feed behind it."""
        rest = self._rest
        # The longest event arrives in many pieces: what was searched isn't searched again.
        at = min((found for end in (b"\n", b"\r") if (found := rest.find(end, self._searched)) >= 0), default=-1)
        if at < 0 or (rest[at : at + 1] == b"\r" and at + 1 == len(rest)):
            self._searched = len(rest) if at < 0 else at
            return None
        end = at + 2 if rest[at : at + 2] == b"\r\n" else at + 1
        line = bytes(rest[:at])
        del rest[:end]
        self._searched = 0
        return line

    def _take(self, line: bytes) -> Event | None:
        if not line:
            found = Event("\n".join(self._data), self._name) if self._data else None
            self._data, self._size, self._name = [], 0, ""
            return found
        try:
            field, _, value = line.decode().removeprefix("\ufeff").partition(":")
        except UnicodeDecodeError as error:
            raise WireError("a line of the stream isn't UTF-8") from error
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._size += len(line)
        elif field == "event":
            self._name = value
        return None
