"""``openai_transcriptions:MODEL``: a transcriber behind ``/v1/audio/transcriptions``.

It takes ASR tasks, and so transcribes spoken answers: ``transcriber:openai_transcriptions:MODEL``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from tttbench.client.reply import BrokenError, Reply
from tttbench.client.server import Server
from tttbench.core.errors import InputError
from tttbench.core.exchange import Request, Response
from tttbench.core.json_values import JsonValue
from tttbench.core.system import Capability, SystemCard
from tttbench.systems.openai.answer import Answer
from tttbench.systems.openai.asking import finished, register, respond_to
from tttbench.systems.openai.settings import TranscriptionSettings
from tttbench.wire import sse
from tttbench.wire.sound import wav_of
from tttbench.wire.transcription import TranscriptionRequest, read_transcription, read_transcription_event

KIND = "openai_transcriptions"


class TranscriptionSystem:
    """A transcriber behind a server."""

    def __init__(self, model: str, settings: TranscriptionSettings, server: Server) -> None:
        """Ask ``server`` for transcripts by ``model``."""
        self.name = f"{KIND}:{model}"
        self._model, self._settings, self._server = model, settings, server

    @property
    def card(self) -> SystemCard:
        """The model card. How the server is reached changes no answer."""
        one = self._settings
        told: dict[str, JsonValue] = {
            "prompt": one.prompt,
            "temperature": one.temperature,
            "language": "the sample's or the task's, else detected" if one.send_language else "detected",
            "samples": one.samples,
        }
        return SystemCard(
            self.name,
            Capability(
                accepts=frozenset({"audio"}),
                produces=frozenset({"text"}),
                streams=one.stream,
                families=frozenset({"asr"}),
                instruction=False,
                concurrency=one.concurrency,
            ),
            settings={**{name: value for name, value in told.items() if value not in (None, "")}, **one.shared_card},
            details=one.details(self._server.base_url),
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Have recordings transcribed, as many at once as the settings allow."""
        return respond_to(requests, self._respond, self._settings.concurrency)

    def _respond(self, request: Request, began_s: float) -> Response:
        one = self._settings
        if request.family not in ("asr", ""):
            raise InputError(
                f"{request.id}: {self.name} transcribes speech and answers no questions. Give it ASR tasks."
            )
        if request.audio is None or not len(request.audio):
            raise InputError(f"{request.id}: has no audio to transcribe. Give the sample an audio file.")
        # ISO 639-1, where the suite has BCP 47.
        language = request.language.partition("-")[0].lower() if one.send_language else ""
        made = TranscriptionRequest(
            self._model,
            "" if language == "und" else language,
            one.prompt,
            temperature=one.temperature,
            stream=one.stream,
            more={name: str(value) for name, value in one.more.items()},
        )
        body = dict(made.form())
        file = ("audio.wav", wav_of(request.audio, request.sample_rate, one.samples), "audio/wav")
        transcriptions = self._server.client.audio.transcriptions.with_streaming_response
        call = transcriptions.create(model=body.pop("model"), file=file, extra_body=body)
        with self._server.reply(call, one.longest_s) as reply:
            answer = Answer(began_s, time.perf_counter, "", one.raw_hz)
            self._read(reply, answer)
            return finished(answer, reply, one)

    @staticmethod
    def _read(reply: Reply, answer: Answer) -> None:
        if reply.kind != sse.CONTENT_TYPE:
            whole = read_transcription(reply.document())
            answer.text(whole.text, answer.now())
            answer.usage = whole.usage
            return
        n_pieces = 0
        for event in reply.events():
            delta = read_transcription_event(event)
            answer.usage = delta.usage or answer.usage
            if delta.is_done:
                # It holds all of the text once more.
                answer.text("" if n_pieces else delta.text, answer.now())
                return
            answer.text(delta.text, answer.now())
            n_pieces += bool(delta.text)
        if not reply.is_done:
            raise BrokenError(f"the stream ended before the transcript did, after {answer.so_far}: no end of it came.")


register(KIND, "a transcriber behind a server with OpenAI's protocol", TranscriptionSettings, TranscriptionSystem)
