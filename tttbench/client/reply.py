"""A reply under way: its status is fine, its body comes piece by piece, and may break off, stall or never end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tttbench.client.place import without_key
from tttbench.core.errors import UserError, kind_and_message
from tttbench.core.json_values import JsonObject
from tttbench.wire import sse
from tttbench.wire.faults import stream_fault
from tttbench.wire.fields import parsed_object

if TYPE_CHECKING:
    from openai import APIResponse

LARGEST_REPLY = 512 * 2**20
"""Bytes of a whole reply: an hour and a half of pcm16 at 24 kHz, in base64."""


class BrokenError(UserError):
    """A reply that began and can't be used: it broke off, took too long, or isn't what it should be."""


class Reply:
    """The body of a reply. ``n_bytes`` of it have come; ``is_done``: ``[DONE]`` has."""

    def __init__(
        self, response: APIResponse[Any], longest_s: float, key: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read ``response`` for ``longest_s`` seconds at most; ``key`` is left out of messages."""
        self._response = response
        self._longest_s, self._clock = longest_s, clock
        self._until_s = clock() + longest_s
        self._key = key
        self.n_bytes = 0
        self.is_done = False

    @property
    def kind(self) -> str:
        """The content type, without parameters; ``""`` if the server names none."""
        return str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def retries(self) -> int:
        """How often the request was made before."""
        return self._response.retries_taken

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            BrokenError: the connection breaks, nothing comes for too long, or there is no end to it.
        """
        pieces = self._response.iter_bytes()
        while True:
            try:
                piece = next(pieces, None)
            except Exception as error:  # of whichever HTTP library the package uses
                said = without_key(kind_and_message(error), self._key)[:200]
                stalled = "Timeout" in type(error).__name__
                what = "nothing more came for too long (timeout_s)" if stalled else "the connection broke"
                raise BrokenError(f"the reply broke off after {self.n_bytes:,} bytes: {what} ({said}).") from error
            if piece is None:
                return
            self.n_bytes += len(piece)
            if self.n_bytes > LARGEST_REPLY:
                raise BrokenError(f"the reply is larger than {LARGEST_REPLY:,} bytes; it was given up.")
            yield piece
            if self._clock() > self._until_s:
                raise BrokenError(
                    f"the reply wasn't whole after {self._longest_s:g} s (longest_s) and {self.n_bytes:,} bytes; it "
                    "was given up."
                )

    def whole(self) -> bytes:
        """Return the whole body; raises ``BrokenError``."""
        return b"".join(self.pieces())

    def document(self) -> JsonObject:
        """Return the whole body as JSON; raises ``BrokenError`` for another kind of body, ``WireError`` for bad JSON.

        Servers that don't name JSON as such are believed if it is.
        """
        body = self.whole()
        is_json = self.kind.endswith(("/json", "+json")) or self.kind in ("text/plain", "")
        if not is_json or not body.strip():
            raise self.other("JSON", body)
        return parsed_object(body, "the server's reply")

    def events(self) -> Iterator[JsonObject]:
        """Yield the events of a stream up to its end, or to ``[DONE]``.

        Raises:
            BrokenError: as ``pieces``; the stream ends within an event, or carries an error, in the server's words.
            WireError: an event is no JSON object, or larger than any may be.
        """
        decoder = sse.Decoder()
        for piece in self.pieces():
            for event in decoder.push(piece):
                if event.is_done:
                    self.is_done = True
                    return
                body = parsed_object(event.data, "an event of the stream")
                if (said := stream_fault(body)) is not None:
                    said = without_key(said, self._key)
                    raise BrokenError(f"the server ended the stream with an error ({said.rstrip('.')}).")
                yield body
        if not decoder.finish():
            raise BrokenError(f"the stream ended within an event, after {self.n_bytes:,} bytes.")

    def other(self, expected: str, body: bytes) -> BrokenError:
        """Return the error for a body of another kind than expected."""
        start = without_key(body[:60].decode(errors="replace"), self._key)
        kind = self.kind or "no content type"
        told = f"begins with {start!r}" if body else "is empty"
        return BrokenError(f"the server replied with {kind!s:.60} where {expected} was expected; the reply {told}.")
