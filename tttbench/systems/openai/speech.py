"""``openai_speech:MODEL``: a voice behind ``/v1/audio/speech``; speaks the text of a request, timed as it arrives."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

from tttbench.client.reply import BrokenError, Reply
from tttbench.client.server import Server
from tttbench.core.errors import InputError
from tttbench.core.exchange import Request, Response
from tttbench.core.json_values import JsonValue
from tttbench.core.system import Capability, SystemCard
from tttbench.systems.openai.answer import Answer
from tttbench.systems.openai.asking import finished, register, respond_to
from tttbench.systems.openai.settings import SpeechSettings
from tttbench.wire import sse
from tttbench.wire.extension import Ask
from tttbench.wire.speech import SpeechRequest, read_speech_event

KIND = "openai_speech"


class SpeechSystem:
    """A voice behind a server."""

    def __init__(self, model: str, settings: SpeechSettings, server: Server) -> None:
        """Ask ``server`` for speech by ``model``."""
        self.name = f"{KIND}:{model}"
        self._model, self._settings, self._server = model, settings, server

    @property
    def card(self) -> SystemCard:
        """The model card. How the server is reached changes no answer."""
        one = self._settings
        told: dict[str, JsonValue] = {
            "voice": one.voice,
            "format": one.format,
            "instructions": one.instructions,
            "speed": one.speed,
        }
        return SystemCard(
            self.name,
            Capability(
                accepts=frozenset({"text"}),
                produces=frozenset({"text", "audio"}),
                streams=True,
                families=frozenset({"repetition"}),
                instruction=False,
                concurrency=one.concurrency,
            ),
            settings={**{name: value for name, value in told.items() if value not in (None, "")}, **one.shared_card},
            details=one.details(self._server.base_url),
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Have texts spoken, as many at once as the settings allow; the text of an answer is the request's."""
        return respond_to(requests, self._respond, self._settings.concurrency)

    def _respond(self, request: Request, began_s: float) -> Response:
        one = self._settings
        if not request.text.strip():
            raise InputError(f"{request.id}: has no text to speak. Give the sample a text.")
        ask = Ask.of(request) if one.asks else None
        made = SpeechRequest(
            self._model, request.text, one.voice, one.instructions, one.format, one.speed, one.events, ask, one.more
        )
        body = dict(made.body())
        model, text = cast(str, body.pop("model")), cast(str, body.pop("input"))
        voice: Any = body.pop("voice", None) or self._server.openai.omit
        speech = self._server.client.audio.speech.with_streaming_response
        with self._server.reply(
            speech.create(model=model, input=text, voice=voice, extra_body=body), one.longest_s
        ) as reply:
            answer = Answer(began_s, time.perf_counter, one.format, one.raw_hz)
            self._read(reply, answer)
            found = finished(answer, reply, one)
        # What is spoken was given: it has no time of its own.
        return Response(request.text, None, found.waveform, found.sample_rate, "stop", found.trace, found.cost)

    @staticmethod
    def _read(reply: Reply, answer: Answer) -> None:
        if reply.kind == sse.CONTENT_TYPE:
            for event in reply.events():
                delta = read_speech_event(event)
                if delta.audio:
                    answer.audio(delta.audio, answer.now())
                answer.usage = delta.usage or answer.usage
                if delta.is_done:
                    return
            if not reply.is_done:
                raise BrokenError(f"the stream ended before the speech did, after {answer.so_far}: no end of it came.")
            return
        if reply.kind and not reply.kind.startswith("audio/") and reply.kind != "application/octet-stream":
            raise reply.other("audio", reply.whole())
        for piece in reply.pieces():
            answer.audio(piece, answer.now())


register(KIND, "a voice behind a server with OpenAI's speech protocol", SpeechSettings, SpeechSystem)
