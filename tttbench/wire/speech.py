"""``POST /v1/audio/speech``: a text in, its speech out.

OpenAI: ``{"model", "input", "voice", "instructions", "response_format": "mp3" | "opus" | "aac" | "flac" | "wav" |
"pcm", "speed", "stream_format": "audio" | "sse"}``. The reply is the file's bytes, sent as they are made (``pcm``: raw
pcm16 at 24 kHz; ``wav`` with a header that may tell no length), or with ``sse`` the events ``{"type":
"speech.audio.delta", "audio": BASE64}`` and ``{"type": "speech.audio.done", "usage"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tttbench.core.json_values import JsonObject
from tttbench.wire.extension import FIELD, Ask, read_ask
from tttbench.wire.fields import WireError, number_of, text_of, without_nothing
from tttbench.wire.sound import base64_of, from_base64
from tttbench.wire.usage import Usage, read_usage

PATH = "/v1/audio/speech"

CONTENT_TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""Of replies, by format."""

DELTA, DONE = "speech.audio.delta", "speech.audio.done"


@dataclass(frozen=True)
class SpeechRequest:
    """A text to be spoken.

    Attributes:
        model, voice: as the server calls them.
        text: ``input``.
        instructions: on the manner; ``""``: none.
        format: ``response_format``; ``""``: the server's (OpenAI: mp3).
        speed: 1 is as usual; None: the server's.
        events: whether the reply is asked for as events (``stream_format: "sse"``).
        ask, more: as ``ChatRequest``.
    """

    model: str
    text: str
    voice: str = ""
    instructions: str = ""
    format: str = ""
    speed: float | None = None
    events: bool = False
    ask: Ask | None = None
    more: JsonObject = field(default_factory=dict)

    def body(self) -> JsonObject:
        """As it is sent."""
        found = without_nothing(
            {
                "model": self.model,
                "input": self.text,
                "voice": self.voice,
                "instructions": self.instructions,
                "response_format": self.format,
                "speed": self.speed,
                "stream_format": "sse" if self.events else None,
                FIELD: None if self.ask is None else self.ask.body(),
            }
        )
        return {**found, **self.more}


_KNOWN = frozenset(("model", "input", "voice", "instructions", "response_format", "speed", "stream_format", FIELD))


def read_speech_request(body: JsonObject) -> SpeechRequest:
    """Return the request that a body makes; raises ``WireError``, ``param`` naming the field."""
    text, form = text_of(body, "input"), text_of(body, "response_format")
    if not text.strip():
        raise WireError("must hold the text to speak", "input")
    if form and form not in CONTENT_TYPES:
        raise WireError(f"must be one of {', '.join(CONTENT_TYPES)}, not {form!r:.40}", "response_format")
    events = text_of(body, "stream_format", "audio")
    if events not in ("sse", "audio"):
        raise WireError(f"must be sse or audio, not {events!r:.40}", "stream_format")
    voice = body.get("voice")
    return SpeechRequest(
        text_of(body, "model"),
        text,
        text_of(voice, "id") if isinstance(voice, Mapping) else text_of(body, "voice"),
        text_of(body, "instructions"),
        form,
        number_of(body, "speed"),
        events == "sse",
        read_ask(body),
        {name: value for name, value in body.items() if name not in _KNOWN},
    )


@dataclass(frozen=True)
class SpeechDelta:
    """An event: audio, or at the end (``is_done``) the counts."""

    audio: bytes | None = None
    is_done: bool = False
    usage: Usage | None = None

    def body(self) -> JsonObject:
        """As it is sent."""
        if not self.is_done:
            return {"type": DELTA, "audio": base64_of(self.audio or b"")}
        return without_nothing({"type": DONE, "usage": None if self.usage is None else self.usage.plain()})


def read_speech_event(body: JsonObject) -> SpeechDelta:
    """Return what an event says; one of another type says nothing."""
    kind = text_of(body, "type")
    if kind == DONE:
        return SpeechDelta(None, True, read_usage(body.get("usage")))
    data = text_of(body, "audio") or text_of(body, "delta")
    if kind in (DELTA, "") and data:
        return SpeechDelta(from_base64(data, "audio"))
    return SpeechDelta()
