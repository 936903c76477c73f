"""The events of a streamed chat completion, in both dialects; what arrives tells which one it is.

OpenAI: ``{"id", "object": "chat.completion.chunk", "created", "model", "choices": [{"index", "delta": {"role",
"content", "audio": {"id", "data": BASE64, "transcript", "expires_at"}}, "finish_reason"}], "usage"}``; any field of
``audio`` may come alone, audio is raw pcm16 at 24 kHz that goes on from delta to delta, ``usage`` comes in a last chunk
without choices, and ``[DONE]`` behind it.

vLLM-Omni: a field ``modality`` beside ``choices``, ``"text"`` or ``"audio"``; where it is audio, the base64 stands in
``delta.content``, each a file of its own in the format asked for, with ``audio_metadata`` (``sample_rate``).

The object ``tttbench`` stands beside ``choices`` in the chunk with the ``finish_reason``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire.chat_reply import checked_text, is_audio_text, text_in
from tttbench.wire.extension import FIELD, Extension, read_extension
from tttbench.wire.fields import object_of, objects_of, text_of, whole_of, without_nothing
from tttbench.wire.sound import base64_of, from_base64
from tttbench.wire.usage import Usage, read_usage

Dialect = Literal["openai", "modality"]


@dataclass(frozen=True)
class Delta:
    """What one event adds to an answer.

    Attributes:
        text: of the content; ``transcript``: of the speech. Servers send the words in one of them.
        audio: bytes of a file of its own, or raw PCM that goes on; None if there is none.
        rate_hz: what the event says of the audio's rate; 0: nothing.
        audio_id, expires_at: of the speech, for later turns; ``""`` and 0.
        finish_reason: ``""`` before the end.
        refusal: what a model says in the place of an answer.
        usage, extension: where the event has them.
        model: as the server names it.
    """

    text: str = ""
    transcript: str = ""
    audio: bytes | None = None
    rate_hz: int = 0
    audio_id: str = ""
    expires_at: int = 0
    finish_reason: str = ""
    refusal: str = ""
    usage: Usage | None = None
    extension: Extension | None = None
    model: str = ""


@dataclass(frozen=True)
class StreamHead:
    """What all events of a stream have in common: id, seconds since 1970, the model's name."""

    id: str
    model: str
    created: int = 0

    def chunk(self, delta: Delta, dialect: Dialect = "openai") -> JsonObject:
        """Return the event of a delta. In the dialect ``modality`` one holds either text or audio."""
        inner: dict[str, JsonValue] = {"role": "assistant"}
        found: dict[str, JsonValue] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
        }
        if dialect == "modality":
            found["modality"] = "text" if delta.audio is None else "audio"
            inner["content"] = (delta.text or delta.transcript) if delta.audio is None else base64_of(delta.audio)
            if delta.rate_hz:
                found["audio_metadata"] = {"sample_rate": delta.rate_hz}
        else:
            audio = without_nothing(
                {
                    "id": delta.audio_id,
                    "data": None if delta.audio is None else base64_of(delta.audio),
                    "transcript": delta.transcript,
                    "expires_at": delta.expires_at or None,
                    # Ours; raw PCM without it is 24 kHz.
                    "sample_rate": delta.rate_hz or None,
                }
            )
            inner.update(without_nothing({"content": delta.text, "audio": audio or None, "refusal": delta.refusal}))
        is_usage_alone = delta == Delta(usage=delta.usage) and delta.usage is not None
        choice: JsonObject = {"index": 0, "delta": inner, "finish_reason": delta.finish_reason or None}
        found["choices"] = [] if is_usage_alone else [choice]
        if delta.usage is not None:
            found["usage"] = delta.usage.chat()
        if delta.extension is not None:
            found[FIELD] = delta.extension.body()
        return found


def read_chunk(body: JsonObject) -> Delta:
    """Return what an event adds, in whichever dialect it is. Choices but the first of each kind are one answer's.

    Raises:
        WireError: audio that isn't base64, or base64 where the text belongs.
    """
    texts, transcripts, audio = [], [], b""
    audio_id = finish = refusal = ""
    expires_at, rate_hz, has_audio = 0, _rate_of(body), False
    for choice in objects_of(body, "choices"):
        delta = object_of(choice, "delta") or object_of(choice, "message")
        spoken = object_of(delta, "audio")
        content = text_in(delta.get("content"))
        modality = text_of(body, "modality") or text_of(choice, "modality") or text_of(delta, "modality")
        if content and (modality == "audio" or is_audio_text(content)):
            audio += from_base64(content, "delta.content")
            has_audio = True
        else:
            texts.append(checked_text(content, "delta.content"))
        if data := text_of(spoken, "data"):
            audio += from_base64(data, "delta.audio.data")
            has_audio = True
        transcripts.append(checked_text(text_of(spoken, "transcript"), "delta.audio.transcript"))
        rate_hz = rate_hz or _rate_of(choice) or _rate_of(delta) or whole_of(spoken, "sample_rate") or 0
        audio_id = audio_id or text_of(spoken, "id")
        expires_at = expires_at or whole_of(spoken, "expires_at") or 0
        finish = finish or text_of(choice, "finish_reason")
        refusal += text_of(delta, "refusal")
    return Delta(
        "".join(texts),
        "".join(transcripts),
        audio if has_audio else None,
        rate_hz,
        audio_id,
        expires_at,
        finish,
        refusal,
        read_usage(body.get("usage")),
        read_extension(body),
        text_of(body, "model"),
    )


def _rate_of(table: JsonObject) -> int:
    told = table.get("audio_metadata")
    if not isinstance(told, Mapping):
        return 0
    return whole_of(told, "sample_rate") or whole_of(told, "sample_rate_hz") or 0
