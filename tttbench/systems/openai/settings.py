"""How the systems behind servers are set up: by the table ``decode`` of a suite, or behind a ``?`` in their names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl

from tttbench.client.place import KEY_ENV, Reach
from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.judging import plain_url, variable_name
from tttbench.core.secrets import without_secrets
from tttbench.core.system import SystemOptions
from tttbench.core.tables import Check, Count, Document, read_table
from tttbench.wire.chat_request import AudioPart
from tttbench.wire.extension import FIELD
from tttbench.wire.sound import RAW_HZ, SampleFormat

Above = Annotated[float, Check(above=0)]
NotBelow = Annotated[float, Check(least=0)]


@dataclass(frozen=True)
class Reached:
    """How a server is reached, and what it costs. None of it changes an answer but ``extra_body`` and ``raw_hz``.

    Attributes:
        base_url: of the server; ``""``: the environment variable ``OPENAI_BASE_URL``, or OpenAI's own.
        key_env: environment variable that holds the key.
        timeout_s: seconds without a byte, after which a request has failed.
        longest_s: seconds that a whole reply may take, from its first byte.
        retries: of a request that fails for a reason that may pass, before its reply begins.
        concurrency: requests at once, in a run with ``--executor threads`` or batches.
        per_minute: requests a minute at most; 0: as many as there can be.
        price_in, price_out: USD for a million tokens of prompts and of answers; 0 if unknown.
        extra_body: further fields of every request, as they are.
        tttbench: whether the object ``tttbench`` is asked for; requests then carry family, language and full seed.
        raw_hz: the rate of raw PCM in replies that don't name one.
    """

    base_url: str = ""
    key_env: str = KEY_ENV
    timeout_s: Above = 60.0
    longest_s: Above = 180.0
    retries: Annotated[int, Check(least=0, most=100)] = 2
    concurrency: Annotated[int, Check(least=1, most=256)] = 4
    per_minute: NotBelow = 0.0
    price_in: NotBelow = 0.0
    price_out: NotBelow = 0.0
    extra_body: JsonObject = field(default_factory=dict)
    tttbench: bool = False
    raw_hz: Annotated[int, Check(least=4_000, most=384_000)] = RAW_HZ

    def __post_init__(self) -> None:
        if self.base_url:
            plain_url("base_url", self.base_url)
        variable_name("key_env", self.key_env)

    def reach(self, who: str) -> Reach:
        """Return how the server is reached; ``who`` begins messages."""
        return Reach(who, self.base_url, self.key_env, self.timeout_s, self.retries, self.per_minute)

    @property
    def asks(self) -> bool:
        """Whether the object ``tttbench`` is asked for, in either way."""
        return self.tttbench or self.extra_body.get(FIELD) not in (None, False)

    @property
    def more(self) -> JsonObject:
        """Further fields of requests."""
        return {name: value for name, value in self.extra_body.items() if name != FIELD}

    @property
    def shared_card(self) -> dict[str, JsonValue]:
        """What of this can change an answer, for cards."""
        found: dict[str, JsonValue] = {}
        if self.more:
            found["extra_body"] = without_secrets(self.more)
        if self.asks:
            found["tttbench"] = True
        if self.raw_hz != RAW_HZ:
            found["raw_hz"] = self.raw_hz
        return found

    def details(self, base_url: str) -> JsonObject:
        """What is shown of how it is reached."""
        return {
            "base_url": base_url,
            "timeout_s": self.timeout_s,
            "longest_s": self.longest_s,
            "retries": self.retries,
            "per_minute": self.per_minute,
        }


@dataclass(frozen=True)
class ChatSettings(Reached):
    """Of ``openai_chat``.

    Attributes:
        speaks: whether audio is asked for; ``auto``: if a first request shows that the server can.
        stream: whether replies are asked for as events; without, an answer has one time, its end.
        voice, format: of the speech; ``""``: the server's voice, and pcm16 where it is streamed, else wav.
        temperature, top_p, max_tokens: None: the server's.
        send_seed: whether requests carry their seed.
        samples: of the audio that is sent; ``""``: pcm16, or float32 where the object ``tttbench`` is asked for.
        audio_part: how messages hold audio.
    """

    speaks: Literal["auto", "yes", "no"] = "auto"
    stream: bool = True
    voice: str = ""
    format: Literal["", "wav", "pcm16", "mp3", "flac", "opus", "aac"] = ""
    temperature: NotBelow | None = None
    top_p: Annotated[float, Check(above=0, most=1)] | None = None
    max_tokens: Count | None = None
    send_seed: bool = True
    samples: Literal["", "pcm16", "float32"] = ""
    audio_part: AudioPart = "input_audio"

    @property
    def spoken_format(self) -> str:
        """The format that is asked for."""
        return self.format or ("pcm16" if self.stream else "wav")

    @property
    def sent_samples(self) -> SampleFormat:
        """How samples are sent."""
        return self.samples or ("float32" if self.asks else "pcm16")


@dataclass(frozen=True)
class SpeechSettings(Reached):
    """Of ``openai_speech``.

    Attributes:
        voice: as the server calls it; ``""``: its own.
        format: of the audio; ``pcm`` and ``wav`` are timed piece by piece.
        instructions: on the manner of speaking.
        speed: None: the server's.
        events: whether the audio is asked for as events.
    """

    voice: str = ""
    format: Literal["pcm", "wav", "mp3", "flac", "opus", "aac"] = "pcm"
    instructions: str = ""
    speed: Above | None = None
    events: bool = False


@dataclass(frozen=True)
class TranscriptionSettings(Reached):
    """Of ``openai_transcriptions``.

    Attributes:
        prompt: text before every recording.
        temperature: None: the server's.
        stream: whether the transcript is asked for as events; not every model can.
        send_language: whether requests carry the language that is expected.
        samples: of the audio that is sent.
    """

    prompt: str = ""
    temperature: NotBelow | None = None
    stream: bool = False
    send_language: bool = True
    samples: Literal["pcm16", "float32"] = "pcm16"


S = TypeVar("S", ChatSettings, SpeechSettings, TranscriptionSettings)


@dataclass(frozen=True)
class Named:
    """What a spec names: the model, and the table of settings behind a ``?``."""

    model: str
    table: JsonObject


def named(kind: str, spec: str) -> Named:
    """Take a spec apart: ``MODEL`` or ``MODEL?OPTION=VALUE&…``; raises ``UserError``."""
    model, _, query = spec.partition("?")
    if not model.strip():
        raise UserError(f"{kind}:{spec}: names no model; give {kind}:MODEL, as the server calls it.")
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        # What isn't of this form isn't repeated: it may be a key.
        raise UserError(f"{kind}:{model}: behind the '?' must stand OPTION=VALUE, joined by '&'.") from error
    return Named(model.strip(), {name: _value(value) for name, value in given})


def _value(text: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)
    except ValueError:
        return text
    return found


def settings_of(kind: type[S], name: str, spec: str, options: SystemOptions) -> S:
    """Return the settings of a system; those of the suite win over those in its name.

    Raises:
        UserError: an unknown one, or a value that it can't have; a strategy, as a server has none.
    """
    if options.strategy:
        raise UserError(f"{name}: has no decoding strategies, so {options.strategy!r} cannot be used; leave it out.")
    parts = named(name, spec)
    where = f"{name}:{parts.model}"
    read_table(kind, Document(parts.table, where, "JSON"))
    return read_table(kind, Document({**parts.table, **options.settings}, where, "TOML", "decode"))
