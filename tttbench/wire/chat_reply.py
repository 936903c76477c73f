"""The body of a reply to a chat completion that isn't streamed.

OpenAI: ``{"id", "object": "chat.completion", "created", "model", "choices": [{"index", "message": {"role", "content",
"refusal", "audio": {"id", "data": BASE64, "expires_at", "transcript"}}, "finish_reason"}], "usage"}``; with audio,
``content`` is null and the words are ``audio.transcript``. vLLM-Omni: ``message.audio`` with a transcript ``""`` beside
``content``, older releases in a second choice. The object ``tttbench`` stands beside ``choices``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire.extension import FIELD, Extension, read_extension
from tttbench.wire.fields import WireError, object_of, objects_of, text_of, whole_of
from tttbench.wire.sound import base64_of, from_base64
from tttbench.wire.usage import Usage, read_usage


@dataclass(frozen=True)
class ReplyAudio:
    """The speech of a reply: an encoded file, or raw pcm16 if that was asked for."""

    data: bytes
    transcript: str = ""
    id: str = ""
    expires_at: int = 0


@dataclass(frozen=True)
class ChatReply:
    """A reply.

    Attributes:
        model: as the server names it.
        text: the message's content. ``words`` are what the answer says, wherever it stands.
        audio: its speech; None if there is none.
        finish_reason: ``"stop"``, ``"length"``, ``"content_filter"``.
        refusal: what a model says in the place of an answer; ``""``.
        usage, extension: None where a reply has none.
        id, created, fingerprint: of the reply; seconds since 1970; ``system_fingerprint``.
    """

    model: str
    text: str = ""
    audio: ReplyAudio | None = None
    finish_reason: str = "stop"
    refusal: str = ""
    usage: Usage | None = None
    extension: Extension | None = None
    id: str = ""
    created: int = 0
    fingerprint: str = ""

    @property
    def words(self) -> str:
        """The content, or the speech's transcript where there is none."""
        return self.text or (self.audio.transcript if self.audio is not None else "")

    def body(self) -> JsonObject:
        """As OpenAI sends it: words that are spoken stand in the transcript alone."""
        message: dict[str, JsonValue] = {"role": "assistant", "content": self.text, "refusal": self.refusal or None}
        if self.audio is not None:
            message["content"] = None
            message["audio"] = {
                "id": self.audio.id,
                "data": base64_of(self.audio.data),
                "expires_at": self.audio.expires_at,
                "transcript": self.audio.transcript or self.text,
            }
        found: dict[str, JsonValue] = {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason, "logprobs": None}],
        }
        if self.fingerprint:
            found["system_fingerprint"] = self.fingerprint
        if self.usage is not None:
            found["usage"] = self.usage.chat()
        if self.extension is not None:
            found[FIELD] = self.extension.body()
        return found


def read_chat_reply(body: JsonObject) -> ChatReply:
    """Return the reply that a body makes.

    Text and audio may be of one choice or of two.

    Raises:
        WireError: it is no chat completion with choices, or its audio can't be read.
    """
    choices = objects_of(body, "choices")
    if not choices:
        raise WireError("the reply is no chat completion with choices")
    found = ChatReply(
        text_of(body, "model"),
        usage=read_usage(body.get("usage")),
        extension=read_extension(body),
        id=text_of(body, "id"),
        created=whole_of(body, "created") or 0,
        fingerprint=text_of(body, "system_fingerprint"),
        finish_reason="",
    )
    for choice in choices:
        message = object_of(choice, "message")
        text, audio = text_in(message.get("content")), object_of(message, "audio")
        if audio.get("data") and found.audio is None:
            found = replace(
                found,
                audio=ReplyAudio(
                    from_base64(text_of(audio, "data"), "message.audio.data"),
                    text_of(audio, "transcript"),
                    text_of(audio, "id"),
                    whole_of(audio, "expires_at") or 0,
                ),
            )
        found = replace(
            found,
            text=found.text or checked_text(text, "message.content"),
            refusal=found.refusal or text_of(message, "refusal"),
            finish_reason=found.finish_reason or text_of(choice, "finish_reason"),
        )
    return replace(found, finish_reason=found.finish_reason or "stop")


def text_in(content: JsonValue) -> str:
    """Return the text of a content: itself, or of its text parts; ``""`` for null."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, Mapping):
        return text_of(content, "text")
    parts = objects_of({"content": content}, "content")
    return "".join(text_of(part, "text") for part in parts if part.get("type") in ("text", "output_text"))


_LEAST_SUSPICIOUS = 400
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def is_audio_text(text: str) -> bool:
    """Whether what stands where a text should is a WAV file in base64, or a ``data:`` address of audio."""
    return text.startswith(("UklGR", "data:audio/"))


def checked_text(text: str, param: str) -> str:
    """Return a text; raises ``WireError`` for base64 in its place, which would be scored as words."""
    if is_audio_text(text) or (
        len(text) >= _LEAST_SUSPICIOUS and _BASE64.issuperset(text) and any(map(str.isdigit, text))
    ):
        raise WireError("holds base64 where the answer's text belongs, and nothing says that it is audio", param)
    return text
