"""``openai_chat:MODEL``: a model behind ``/v1/chat/completions``, with speech in and, where it can, speech out.

Replies are streamed, and every piece is timed when it arrives. Instructions are the system message, verbatim.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from tttbench.client.reply import BrokenError, Reply
from tttbench.client.server import REFUSED, AskError, Server, without_path
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.json_values import JsonValue
from tttbench.core.sample import Modality
from tttbench.core.system import Capability, SystemCard
from tttbench.systems.openai.answer import Answer
from tttbench.systems.openai.asking import finished, register, respond_to
from tttbench.systems.openai.settings import ChatSettings
from tttbench.wire import sse
from tttbench.wire.chat_reply import ChatReply, read_chat_reply
from tttbench.wire.chat_request import ChatMessage, ChatRequest
from tttbench.wire.chat_stream import read_chunk
from tttbench.wire.extension import Ask

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from openai import APIResponse

KIND = "openai_chat"

log = logging.getLogger("tttbench")

TRIAL = "This is a first request, to try the server out. Say hello."
"""What a server is asked to find out whether it speaks."""
_TRIAL_TOKENS = 64
_OF_SPEECH = re.compile("modalit|audio|voice|speech|talker", re.IGNORECASE)
_OF_LENGTH = re.compile("max_tokens", re.IGNORECASE)


class ChatSystem:
    """A model behind a server."""

    def __init__(self, model: str, settings: ChatSettings, server: Server) -> None:
        """Ask ``server`` for ``model``; with ``speaks = "auto"`` a first request finds out whether it speaks.

        Raises:
            UserError: the server takes no request.
        """
        self.name = f"{KIND}:{model}"
        self._model, self._settings, self._server = model, settings, server
        self._served = ""
        self._speaks = settings.speaks == "yes"
        if settings.speaks == "auto":
            self._try_out()

    @property
    def card(self) -> SystemCard:
        """The model card. How the server is reached changes no answer."""
        one = self._settings
        told: dict[str, JsonValue] = {
            "speaks": self._speaks,
            "stream": one.stream,
            "temperature": one.temperature,
            "top_p": one.top_p,
            "max_tokens": one.max_tokens,
            "voice": one.voice if self._speaks else "",
            "format": one.spoken_format if self._speaks else "",
            "samples": one.sent_samples,
        }
        produces: set[Modality] = {"text", "audio"} if self._speaks else {"text"}
        return SystemCard(
            self.name,
            Capability(produces=frozenset(produces), turns=True, streams=one.stream, concurrency=one.concurrency),
            settings={
                **{name: value for name, value in told.items() if value not in (None, "")},
                **({} if one.send_seed else {"send_seed": False}),
                **one.shared_card,
            },
            details={
                **one.details(self._server.base_url),
                **({"replies_as": self._served} if self._served else {}),
            },
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Ask the server, for as many at once as the settings allow; what it refuses is an error of its own."""
        return respond_to(requests, self._respond, self._settings.concurrency)

    def _respond(self, request: Request, began_s: float) -> Response:
        one = self._settings
        call = self._call(self._request(request))
        with self._server.reply(call, one.longest_s) as reply:
            answer = Answer(began_s, time.perf_counter, one.spoken_format, one.raw_hz)
            self._read(reply, answer)
            return finished(answer, reply, one)

    @staticmethod
    def _read(reply: Reply, answer: Answer) -> None:
        """Take a reply, streamed or not, as the server sends it, whatever was asked for."""
        if reply.kind != sse.CONTENT_TYPE:
            answer.add_whole(read_chat_reply(reply.document()))
            return
        for event in reply.events():
            answer.add(read_chunk(event))
        if not answer.finish_reason and not reply.is_done:
            raise BrokenError(
                f"the stream ended before the answer did, after {answer.so_far}: neither finish_reason nor [DONE] came."
            )

    def _request(self, request: Request) -> ChatRequest:
        """Lay a request out; raises ``InputError`` for one that says nothing."""
        one, last = self._settings, request.messages[-1] if request.messages else None
        if last is None or ((last.audio is None or not len(last.audio)) and not last.text.strip()):
            raise InputError(f"{request.id}: has neither audio nor text. Give the sample one of them.")
        system = [ChatMessage("system", request.instruction)] if request.instruction else []
        return ChatRequest(
            self._model,
            (*system, *(self._message(message) for message in request.messages)),
            self._speaks,
            one.voice,
            one.spoken_format,
            one.stream,
            one.stream,
            # Some servers take 32 bits; one that sends the object is ours and takes all.
            (request.seed if one.asks else request.seed % 2**31) if one.send_seed else None,
            one.max_tokens,
            one.temperature,
            one.top_p,
            Ask.of(request) if one.asks else None,
            one.more,
        )

    def _message(self, message: Message) -> ChatMessage:
        """A turn as it is sent. Of earlier answers the words: servers take no audio of an assistant's."""
        if message.role == "assistant" and message.text.strip():
            return ChatMessage(message.role, message.text)
        if message.audio is not None and not len(message.audio):
            return ChatMessage(message.role, message.text)
        return ChatMessage.of(message, self._settings.sent_samples)

    def _call(self, request: ChatRequest) -> AbstractContextManager[APIResponse[Any]]:
        body = dict(request.body(self._settings.audio_part))
        model, messages = body.pop("model"), body.pop("messages")
        made = self._server.client.chat.completions.with_streaming_response
        return made.create(model=cast(str, model), messages=cast(Any, messages), extra_body=body)

    def _try_out(self) -> None:
        """Find out whether the server speaks: by one short request for speech, and without it where that is refused."""
        who = f"{self.name}: a first request, to try the server out"
        tokens: int | None = min(_TRIAL_TOKENS, self._settings.max_tokens or _TRIAL_TOKENS)
        self._speaks = True
        while True:
            try:
                reply = self._trial(tokens)
                break
            except AskError as error:
                said, status = str(error), getattr(error.__cause__, "status_code", 0)
                if status in REFUSED and tokens is not None and _OF_LENGTH.search(said):
                    tokens = None
                elif status in REFUSED and self._speaks and _OF_SPEECH.search(said):
                    self._speaks = False
                else:
                    raise UserError(f"{who}: {said}") from error
            except BrokenError as error:
                raise UserError(f"{who}: {error}") from error
        self._served = "" if reply.model == self._model else without_path(reply.model)[:200]
        if reply.audio is None:
            self._speaks = False
        if not self._speaks:
            log.warning("%s: the server answers without audio; it is asked for text alone.", self.name)

    def _trial(self, tokens: int | None) -> ChatReply:
        one = self._settings
        messages = (ChatMessage("user", TRIAL),)
        # Not every format can be had at once: wav can.
        form = "wav" if one.spoken_format == "pcm16" else one.spoken_format
        request = ChatRequest(
            self._model,
            messages,
            self._speaks,
            one.voice,
            form,
            max_tokens=tokens,
            temperature=one.temperature,
            more=one.more,
        )
        with self._server.reply(self._call(request), one.longest_s) as reply:
            return read_chat_reply(reply.document())


register(KIND, "a model behind a server with OpenAI's chat protocol, speech in and out", ChatSettings, ChatSystem)
