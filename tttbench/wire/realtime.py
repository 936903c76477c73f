"""Events of the websocket ``/v1/realtime?model=MODEL``, the old names and the new, as one set of types.

Client events (OpenAI): ``session.update {session}``, ``input_audio_buffer.append {audio: BASE64}`` (15 MiB at most),
``input_audio_buffer.commit``, ``input_audio_buffer.clear``, ``conversation.item.create {item}``, ``response.create
{response}``, ``response.cancel``.

Server events (OpenAI): ``session.created|updated``, ``input_audio_buffer.speech_started|speech_stopped|committed``,
``response.created``, ``response.output_text.delta``, ``response.output_audio.delta``,
``response.output_audio_transcript.delta`` (each ``{delta, item_id, response_id, output_index, content_index}``, each
with ``….done``), ``response.done {response: {status, status_details, usage}}``, ``error {error}``.

The beta called them ``response.text.*``, ``response.audio.*``, ``response.audio_transcript.*``; servers still do.
vLLM-Omni puts the audio into ``audio`` in the place of ``delta``, with ``format`` and ``sample_rate_hz``; words come as
transcription events (``transcription.delta {delta}``). Audio is pcm16, 24 kHz unless an event says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire.chat_reply import checked_text
from tttbench.wire.extension import FIELD, Ask, Extension, read_extension
from tttbench.wire.faults import words_of
from tttbench.wire.fields import object_of, text_of, whole_of, without_nothing
from tttbench.wire.sound import RAW_HZ, base64_of, from_base64
from tttbench.wire.usage import Usage, read_usage

PATH = "/v1/realtime"

LARGEST_APPEND = 15 * 2**20
"""Bytes of audio that one ``input_audio_buffer.append`` may hold."""

Kind = Literal[
    "session", "speech_started", "speech_stopped", "committed", "begun", "text", "transcript", "audio", "done",
    "error", "other",
]  # fmt: skip
"""What an event says: ``begun`` a response, ``text``, ``transcript`` (of its speech) and ``audio`` more of it."""

_NEW: Mapping[str, str] = {
    "response.text.": "response.output_text.",
    "response.audio.": "response.output_audio.",
    "response.audio_transcript.": "response.output_audio_transcript.",
}
_KINDS: Mapping[str, Kind] = {
    "session.created": "session",
    "session.updated": "session",
    "input_audio_buffer.speech_started": "speech_started",
    "input_audio_buffer.speech_stopped": "speech_stopped",
    "input_audio_buffer.committed": "committed",
    "response.created": "begun",
    "response.output_text.delta": "text",
    "response.output_audio_transcript.delta": "transcript",
    "transcription.delta": "transcript",
    "response.output_audio.delta": "audio",
    "response.done": "done",
    "error": "error",
}


@dataclass(frozen=True)
class ServerEvent:
    """An event of a server, read.

    Attributes:
        kind: what it says; ``name``: its type, as the newest protocol calls it.
        text: further words (``text``, ``transcript``); of an ``error``, the server's words.
        audio: further audio, raw pcm16; None if there is none. ``rate_hz``: what the event says of it; 0: nothing.
        response_id: of the response it belongs to; ``""``.
        status: of a ``done`` response: ``completed``, ``cancelled``, ``incomplete``, ``failed``.
        usage, extension: of a ``done`` response, where it has them.
    """

    kind: Kind
    name: str
    text: str = ""
    audio: bytes | None = None
    rate_hz: int = 0
    response_id: str = ""
    status: str = ""
    usage: Usage | None = None
    extension: Extension | None = None


def new_name(name: str) -> str:
    """Return the type of an event as the newest protocol calls it."""
    return next((new + name.removeprefix(old) for old, new in _NEW.items() if name.startswith(old)), name)


def read_server_event(body: JsonObject) -> ServerEvent:
    """Return what a server's event says, under old names or new.

    Raises:
        WireError: audio that isn't base64, or base64 where the text belongs.
    """
    name = new_name(text_of(body, "type"))
    kind = _KINDS.get(name, "other")
    response = object_of(body, "response")
    response_id = text_of(body, "response_id") or text_of(response, "id")
    if kind == "audio":
        field_ = "delta" if body.get("delta") else "audio"
        data = from_base64(text_of(body, field_), field_)
        return ServerEvent(kind, name, "", data, whole_of(body, "sample_rate_hz") or 0, response_id)
    if kind in ("text", "transcript"):
        return ServerEvent(kind, name, checked_text(text_of(body, "delta"), "delta"), response_id=response_id)
    if kind == "done":
        status = text_of(response, "status", "completed")
        said = words_of(object_of(object_of(response, "status_details"), "error")) if status == "failed" else ""
        usage = read_usage(response.get("usage"))
        return ServerEvent(kind, name, said, None, 0, response_id, status, usage, read_extension(response))
    if kind == "error":
        return ServerEvent(kind, name, words_of(body))
    return ServerEvent(kind, name, response_id=response_id)


@dataclass(frozen=True)
class Session:
    """What a client asks of a session.

    Attributes:
        instructions: the system prompt.
        speaks: whether it wants speech, else text.
        voice: ``""``: the server's.
        turns: whether the server finds the end of the user's speech (``server_vad``), or the client commits.
        input_hz, output_hz: of raw pcm16.
        ask: as ``ChatRequest``; it stands in the session. more: further fields.
    """

    instructions: str = ""
    speaks: bool = True
    voice: str = ""
    turns: bool = False
    input_hz: int = RAW_HZ
    output_hz: int = RAW_HZ
    ask: Ask | None = None
    more: JsonObject = field(default_factory=dict)

    def update(self) -> JsonObject:
        """Return the event ``session.update``."""
        into: JsonObject = {
            "format": {"type": "audio/pcm", "rate": self.input_hz},
            "turn_detection": {"type": "server_vad"} if self.turns else None,
        }
        out = without_nothing({"format": {"type": "audio/pcm", "rate": self.output_hz}, "voice": self.voice})
        session: dict[str, JsonValue] = {
            "type": "realtime",
            "output_modalities": ["audio" if self.speaks else "text"],
            "audio": {"input": into, "output": out},
            **without_nothing({"instructions": self.instructions, FIELD: self.ask.body() if self.ask else None}),
        }
        return {"type": "session.update", "session": {**session, **self.more}}


def append(data: bytes) -> JsonObject:
    """Return the event that adds raw PCM to the input."""
    return {"type": "input_audio_buffer.append", "audio": base64_of(data)}


COMMIT: JsonObject = {"type": "input_audio_buffer.commit"}
CLEAR: JsonObject = {"type": "input_audio_buffer.clear"}
CANCEL: JsonObject = {"type": "response.cancel"}
CREATE: JsonObject = {"type": "response.create"}


def delta_event(kind: Literal["text", "transcript", "audio"], value: str | bytes, response_id: str = "") -> JsonObject:
    """Return a server's event with more of an answer, as the newest protocol writes it."""
    name = next(one for one, found in _KINDS.items() if found == kind)
    data = base64_of(value) if isinstance(value, bytes) else value
    places: JsonObject = {"item_id": f"{response_id}-item", "output_index": 0, "content_index": 0}
    return {"type": name, "response_id": response_id, **places, "delta": data}
