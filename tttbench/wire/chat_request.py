"""The body of ``POST /v1/chat/completions``, with audio in and out.

OpenAI: ``{"model", "messages", "modalities": ["text", "audio"], "audio": {"voice", "format"}, "stream",
"stream_options": {"include_usage"}, "seed", "max_tokens" | "max_completion_tokens", "temperature", "top_p"}``; a
message's ``content`` is a text or a list of parts, ``{"type": "text", "text"}`` and ``{"type": "input_audio",
"input_audio": {"data": BASE64, "format": "wav" | "mp3"}}``. vLLM also takes ``{"type": "audio_url", "audio_url":
{"url": "data:audio/wav;base64,…"}}``. An assistant's message may refer to earlier speech by ``"audio": {"id"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tttbench.core.exchange import Message
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.sample import Role
from tttbench.wire.extension import FIELD, Ask, read_ask
from tttbench.wire.fields import (
    WireError,
    items_of,
    number_of,
    object_of,
    objects_of,
    switch_of,
    text_of,
    told,
    whole_of,
    without_nothing,
)
from tttbench.wire.sound import SampleFormat, base64_of, from_base64, read_wav, wav_of

PATH = "/v1/chat/completions"

AudioPart = Literal["input_audio", "audio_url"]
"""How a message holds audio: OpenAI's part, or vLLM's older one."""

_ROLES: Mapping[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True)
class ChatMessage:
    """A message: text, and audio as an encoded file.

    Attributes:
        role: ``developer`` is read as ``system``.
        text: several text parts are joined by line feeds.
        audio: a file (``format``: ``wav``, ``mp3`` …); None if there is none.
        audio_id: of the assistant's earlier speech, kept by the server; ``""`` if none.
    """

    role: Role
    text: str = ""
    audio: bytes | None = None
    format: str = "wav"
    audio_id: str = ""

    @classmethod
    def of(cls, message: Message, form: SampleFormat = "pcm16") -> ChatMessage:
        """A turn of the suite: its audio as WAV at its own rate."""
        if message.audio is None:
            return cls(message.role, message.text)
        return cls(message.role, message.text, wav_of(message.audio, message.sample_rate, form))

    def message(self) -> Message:
        """Return it as a turn of the suite; raises ``WireError`` for audio that isn't WAV or broken."""
        if self.audio is None:
            return Message(self.role, self.text)
        sound = read_wav(self.audio)
        return Message(self.role, self.text, sound.samples, sound.rate_hz)

    def body(self, part: AudioPart = "input_audio") -> JsonObject:
        """As the request carries it: a text alone as it is, else audio and then text as parts."""
        found: dict[str, JsonValue] = {"role": self.role}
        if self.audio is None:
            found["content"] = self.text or (None if self.audio_id else "")
        else:
            data = base64_of(self.audio)
            audio: JsonObject = (
                {"type": "input_audio", "input_audio": {"data": data, "format": self.format}}
                if part == "input_audio"
                else {"type": "audio_url", "audio_url": {"url": f"data:audio/{self.format};base64,{data}"}}
            )
            found["content"] = [audio, *([{"type": "text", "text": self.text}] if self.text else [])]
        return {**found, "audio": {"id": self.audio_id}} if self.audio_id else found


@dataclass(frozen=True)
class ChatRequest:
    """A request.

    Attributes:
        model: as the server calls it.
        messages: the conversation; the last is the user's.
        speaks: whether audio is asked for (``modalities`` holds ``"audio"``).
        voice, format: of that audio (``wav``, ``mp3``, ``flac``, ``opus``, ``pcm16``); ``""``: as the server likes.
        stream: whether the reply comes as events; ``include_usage``: with token counts at their end.
        seed: of sampling; None: the server's own.
        max_tokens, temperature, top_p: None: as the server likes.
        ask: what is asked of the object ``tttbench``; None: nothing.
        more: further fields of the body, as they are; of a request that was read, those that aren't known here.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    speaks: bool = False
    voice: str = ""
    format: str = ""
    stream: bool = False
    include_usage: bool = False
    seed: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    ask: Ask | None = None
    more: JsonObject = field(default_factory=dict)

    def body(self, part: AudioPart = "input_audio") -> JsonObject:
        """As it is sent; fields without a value are left out, and ``more`` wins over all."""
        found: dict[str, JsonValue] = {
            "model": self.model,
            "messages": [one.body(part) for one in self.messages],
            "seed": self.seed,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
        }
        if self.speaks:
            found["modalities"] = ["text", "audio"]
            found["audio"] = without_nothing({"voice": self.voice, "format": self.format}) or None
        if self.stream:
            found["stream"] = True
            found["stream_options"] = {"include_usage": True} if self.include_usage else None
        if self.ask is not None:
            found[FIELD] = self.ask.body()
        return {**without_nothing(found), **self.more}


_KNOWN = frozenset(
    {
        *("model", "messages", "modalities", "audio", "stream", "stream_options", "seed", "max_tokens"),
        *("max_completion_tokens", "temperature", "top_p", FIELD),
    }
)


def read_chat_request(body: JsonObject) -> ChatRequest:
    """Return the request that a body makes; what isn't known is in ``more``.

    Raises:
        WireError: it makes none; ``param`` names the field.
    """
    messages = tuple(_message(one, f"messages[{at}]") for at, one in enumerate(objects_of(body, "messages")))
    if not messages:
        raise WireError("must hold a message at least", "messages")
    model = text_of(body, "model")
    audio = object_of(body, "audio")
    modalities = items_of(body, "modalities")
    if odd := [one for one in modalities if one not in ("text", "audio")]:
        raise WireError(f"must hold 'text' and 'audio' alone, not {told(odd[0])}", "modalities")
    most = whole_of(body, "max_completion_tokens", whole_of(body, "max_tokens"))
    if most is not None and most < 1:
        raise WireError("must be 1 or more", "max_tokens")
    voice = audio.get("voice")
    return ChatRequest(
        model,
        messages,
        "audio" in modalities,
        # OpenAI's voices of one's own are {"id": …}.
        text_of(voice, "id") if isinstance(voice, Mapping) else text_of(audio, "voice"),
        text_of(audio, "format"),
        switch_of(body, "stream"),
        switch_of(object_of(body, "stream_options"), "include_usage"),
        whole_of(body, "seed"),
        most,
        number_of(body, "temperature"),
        number_of(body, "top_p"),
        read_ask(body),
        {name: value for name, value in body.items() if name not in _KNOWN},
    )


def _message(table: JsonObject, where: str) -> ChatMessage:
    role = text_of(table, "role")
    if role not in _ROLES:
        raise WireError(f"must be system, user or assistant, not {role!r:.40}", f"{where}.role")
    content = table.get("content")
    audio_id = text_of(object_of(table, "audio"), "id")
    if content is None or isinstance(content, str):
        return ChatMessage(_ROLES[role], content or "", audio_id=audio_id)
    texts, found = [], ChatMessage(_ROLES[role], audio_id=audio_id)
    for at, part in enumerate(objects_of(table, "content")):
        here = f"{where}.content[{at}]"
        kind = text_of(part, "type")
        if kind == "text":
            texts.append(text_of(part, "text"))
            continue
        if kind not in ("input_audio", "audio_url"):
            raise WireError(f"must be text, input_audio or audio_url, not {kind!r:.40}", f"{here}.type")
        if found.audio is not None:
            raise WireError("a message may hold one audio", here)
        inner = object_of(part, kind)
        data = text_of(inner, "data" if kind == "input_audio" else "url")
        if kind == "audio_url" and not data.startswith("data:"):
            raise WireError("must be a data: address; nothing is fetched", f"{here}.audio_url.url")
        form = text_of(inner, "format", "wav")
        if kind == "audio_url":
            form = data.partition(";")[0].removeprefix("data:audio/").removeprefix("x-") or "wav"
        found = ChatMessage(found.role, "", from_base64(data, here), form, audio_id)
    return ChatMessage(found.role, "\n".join(texts), found.audio, found.format, audio_id)
