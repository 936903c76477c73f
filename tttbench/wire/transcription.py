"""``POST /v1/audio/transcriptions``: a recording in, its words out.

OpenAI: a form (multipart) with ``file, model, language (ISO 639-1), prompt, response_format (json, text, srt,
verbose_json, vtt, diarized_json), temperature, timestamp_granularities[], stream, chunking_strategy``. The reply is
``{"text", "usage"}``, with ``verbose_json`` also ``{"language", "duration", "segments", "words"}``, with ``text`` the
text itself; streamed (not by every model) the events ``{"type": "transcript.text.delta", "delta"}`` and ``{"type":
"transcript.text.done", "text", "usage"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire.chat_reply import checked_text
from tttbench.wire.fields import WireError, text_of, without_nothing
from tttbench.wire.usage import Usage, read_usage

PATH = "/v1/audio/transcriptions"

DELTA, DONE = "transcript.text.delta", "transcript.text.done"


@dataclass(frozen=True)
class TranscriptionRequest:
    """The fields of the form but the file.

    Attributes:
        model: as the server calls it.
        language: ISO 639-1, e.g. ``"en"``; ``""``: the server finds it out.
        prompt: text before the recording; ``""``: none.
        format: ``response_format``.
        temperature: None: the server's.
        stream: whether the reply is asked for as events.
        more: further fields, as texts.
    """

    model: str
    language: str = ""
    prompt: str = ""
    format: str = "json"
    temperature: float | None = None
    stream: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    def form(self) -> Mapping[str, str]:
        """As the form carries them: all are texts."""
        return {
            **{
                name: str(value)
                for name, value in without_nothing(
                    {
                        "model": self.model,
                        "language": self.language,
                        "prompt": self.prompt,
                        "response_format": self.format,
                        "temperature": self.temperature,
                        "stream": "true" if self.stream else None,
                    }
                ).items()
            },
            **self.more,
        }


_KNOWN = frozenset(("model", "language", "prompt", "response_format", "temperature", "stream"))
_FORMATS = ("json", "text", "verbose_json")


def read_transcription_request(form: Mapping[str, str]) -> TranscriptionRequest:
    """Return the request that a form's fields make; raises ``WireError``, ``param`` naming the field."""
    kind = form.get("response_format") or "json"
    if kind not in _FORMATS:
        raise WireError(f"must be one of {', '.join(_FORMATS)}, not {kind!r:.40}", "response_format")
    heat = form.get("temperature") or None
    try:
        temperature = None if heat is None else float(heat)
    except ValueError as error:
        raise WireError(f"must be a number, not {heat!r:.40}", "temperature") from error
    return TranscriptionRequest(
        form.get("model", ""),
        form.get("language", ""),
        form.get("prompt", ""),
        kind,
        temperature,
        form.get("stream", "").lower() in ("true", "1"),
        {name: value for name, value in form.items() if name not in _KNOWN},
    )


@dataclass(frozen=True)
class Transcription:
    """A reply: its text, and where a server tells them the recording's language and length in seconds."""

    text: str
    usage: Usage | None = None
    language: str = ""
    duration_s: float | None = None

    def body(self) -> JsonObject:
        """As ``json`` and ``verbose_json`` carry it."""
        counts: dict[str, JsonValue] = {} if self.usage is None else {"usage": self.usage.plain()}
        told = without_nothing({"language": self.language, "duration": self.duration_s})
        return {"text": self.text, **told, **counts}


def read_transcription(body: JsonObject) -> Transcription:
    """Return the reply that a body makes; raises ``WireError`` if there is no text in it."""
    if not isinstance(body.get("text"), str):
        raise WireError("the reply is no transcript: it has no text")
    length = body.get("duration")
    return Transcription(
        checked_text(text_of(body, "text"), "text"),
        read_usage(body.get("usage")),
        text_of(body, "language"),
        # OpenAI's whisper-1 writes it as a text.
        float(length) if isinstance(length, int | float) and not isinstance(length, bool) else None,
    )


@dataclass(frozen=True)
class TranscriptionDelta:
    """An event: further text, or at the end (``is_done``) all of it and the counts."""

    text: str = ""
    is_done: bool = False
    usage: Usage | None = None

    def body(self) -> JsonObject:
        """As it is sent."""
        if not self.is_done:
            return {"type": DELTA, "delta": self.text}
        counts: dict[str, JsonValue] = {} if self.usage is None else {"usage": self.usage.plain()}
        return {"type": DONE, "text": self.text, **counts}


def read_transcription_event(body: JsonObject) -> TranscriptionDelta:
    """Return what an event says; one of another type says nothing."""
    kind = text_of(body, "type")
    if kind == DONE:
        return TranscriptionDelta(checked_text(text_of(body, "text"), "text"), True, read_usage(body.get("usage")))
    if kind == DELTA:
        return TranscriptionDelta(checked_text(text_of(body, "delta"), "delta"))
    return TranscriptionDelta()
