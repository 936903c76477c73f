"""The scripted server of the judges' tests, which also speaks and transcribes; with faults of streams to switch on."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import numpy as np

from tttbench.core.exchange import Waveform
from tttbench.wire import sse
from tttbench.wire.chat_reply import ChatReply, ReplyAudio
from tttbench.wire.chat_stream import Delta, Dialect, StreamHead
from tttbench.wire.extension import Extension
from tttbench.wire.faults import fault_body
from tttbench.wire.sound import RAW_HZ, pcm16_of, wav_of
from tttbench.wire.speech import SpeechDelta
from tttbench.wire.transcription import Transcription, TranscriptionDelta
from tttbench.wire.usage import Usage

from ..derive.judge_server import Handler, Script

WORDS = ("It", " is", " Paris.")
PIECES: tuple[Waveform, ...] = tuple((np.arange(n) % 50 / 64).astype(np.float32) for n in (240, 480, 120))
"""Multiples of 1/64: pcm16 keeps them exactly."""
SOUND: Waveform = np.concatenate(PIECES)
CODES = (5, 6, 7)
EXTENSION = Extension(CODES, (0, 0, 1), (0.5, 0.25, 1.0), (2, 1), 4, 2, WORDS, {"decode": 0.25}, "ttt:x", "f")
USAGE = Usage(30, 20, 12, 9)
PAUSE_S = 0.3


@dataclass
class Voice(Script):
    """What the server does beside.

    Attributes:
        dialect: in which streams come.
        speaks: whether it does; else it writes.
        refuses: what it says to those who ask for speech; ``""``: it ignores them.
        wav: whether each piece of audio is a file of its own.
        words: what it says.
        together: replies wait until so many requests are there.
        forms: of transcriptions: the fields as they came; ``files`` the recordings.
    """

    dialect: Dialect = "openai"
    speaks: bool = True
    refuses: str = ""
    wav: bool = False
    words: tuple[str, ...] = WORDS
    together: threading.Barrier | None = None
    forms: list[dict[str, str]] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)


class VoiceHandler(Handler):
    """One request."""

    script: Voice

    def post(self) -> None:
        script = self.script
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        form = self.headers.get("Content-Type", "").startswith("multipart/")
        body: dict[str, Any] = self.read_form(raw) if form else json.loads(raw)
        is_trial = "to try the server out" in json.dumps(body.get("messages", ""))
        with script.lock:
            (script.trials if is_trial else script.bodies).append(body)
            script.keys.append(self.headers.get("Authorization", ""))
        if "modalities" in body and script.refuses:
            self.send_json(400, fault_body(script.refuses))
        elif is_trial and "max_tokens" in body and script.happens("no max_tokens"):
            self.send_json(400, fault_body("Unsupported parameter: 'max_tokens'; use 'max_completion_tokens'"))
        elif is_trial:
            self.send_json(200, self.whole(body))
        elif not self.refused():
            if script.together is not None:
                script.together.wait(20)
            self.reply(body)

    def refused(self) -> bool:
        """Whether a fault of the whole reply happens."""
        script = self.script
        for fault, status, after in (
            ("429", 429, {"Retry-After": "0.05"}),
            ("429 for long", 429, {"Retry-After": "3600"}),
            ("500", 500, {"retry-after-ms": "10"}),
            ("400", 400, {}),
            ("401", 401, {}),
        ):
            if script.happens(fault):
                words = f"scripted {fault}, asked with {self.headers.get('Authorization', '')}"
                self.send_json(status, fault_body(words), **after)
                return True
        if script.happens("no reply"):
            script.released.wait(2)
            self.close_connection = True
            return True
        if script.happens("wrong content type"):
            self.send_typed("text/html; charset=utf-8", b"<html><b>502</b></html>")
            return True
        if script.happens("empty"):
            self.send_typed("application/json", b"")
            return True
        if script.happens("broken body"):
            self.send_typed("application/json", b'{"choices": [')
            return True
        return False

    def reply(self, body: Mapping[str, Any]) -> None:
        if self.path.endswith("/audio/speech"):
            self.speak(body)
        elif self.path.endswith("/audio/transcriptions"):
            self.transcribe(body)
        elif body.get("stream") and not self.script.happens("never streams"):
            self.stream([sse.encoded(one) for one in self.chunks(body)])
        else:
            self.send_json(200, self.whole(body))

    def is_spoken(self, body: Mapping[str, Any]) -> bool:
        return self.script.speaks and "audio" in body.get("modalities", ())

    def whole(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        words = "".join(self.script.words)
        audio = ReplyAudio(wav_of(SOUND, RAW_HZ), words, "a1", 99) if self.is_spoken(body) else None
        extension = EXTENSION if body.get("tttbench") else None
        reply = ChatReply(self.script.model, "" if audio else words, audio, "stop", "", USAGE, extension, "c1", 7)
        return reply.body()

    def chunks(self, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The events of a reply: a word and its sound, one after the other."""
        script, is_spoken = self.script, self.is_spoken(body)
        head = StreamHead("c1", script.model, 7)
        found = []
        for at, word in enumerate(script.words):
            written = Delta(transcript=word) if is_spoken and script.dialect == "openai" else Delta(word)
            found.append(head.chunk(written, script.dialect))
            if is_spoken:
                rate = 16_000 if at == 1 and script.happens("wrong rate") else RAW_HZ
                as_file = script.wav or script.dialect == "modality"
                data = wav_of(PIECES[at], rate) if as_file else pcm16_of(PIECES[at])
                if at == 2 and script.happens("half a sample"):
                    data += b"\0"
                said_hz = 16_000 if script.happens("wrong rate said") else 0
                found.append(head.chunk(Delta(audio=data, rate_hz=said_hz), script.dialect))
        extension = EXTENSION if body.get("tttbench") else None
        finish = "length" if script.happens("length") else "stop"
        finish = "content_filter" if script.happens("content filter") else finish
        end = [head.chunk(Delta(finish_reason=finish, extension=extension))]
        usage = [head.chunk(Delta(usage=USAGE))] if body.get("stream_options", {}).get("include_usage") else []
        return [*([] if finish == "content_filter" else found), *end, *usage]

    def stream(self, events: list[bytes], end: bytes = sse.encoded(sse.DONE), kind: str = sse.CONTENT_TYPE) -> None:
        """Send events one after the other, with the faults of streams."""
        script = self.script
        if script.happens("bad JSON"):
            events[1] = b'data: {"choices": [\n\n'
        if script.happens("no object"):
            events[1] = b"data: [1]\n\n"
        if script.happens("bad base64"):
            events[1] = sse.encoded({"choices": [{"index": 0, "delta": {"audio": {"data": "!!!"}}}]})
        if script.happens("base64 as text"):
            events[1] = sse.encoded({"choices": [{"index": 0, "delta": {"content": "QUJD1" * 200}}]})
        if script.happens("error event"):
            events[1] = sse.encoded(fault_body(f"Out of memory for {self.headers['Authorization']}"))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.send_events(events, end)
        except OSError:  # the client has gone
            self.close_connection = True

    def send_events(self, events: list[bytes], end: bytes) -> None:
        script = self.script
        if script.happens("late"):
            time.sleep(PAUSE_S)
        for at, event in enumerate(events):
            if at == 2 and script.happens("silent"):
                script.released.wait(2)
            if at == 2 and script.happens("gap"):
                time.sleep(PAUSE_S)
            if at == 2 and script.happens("cut"):
                self.close_connection = True
                return
            if at == 2 and script.happens("cut within an event"):
                self.chunk(event[:10])
                self.chunk(b"")
                return
            if at == 2 and script.happens("closes early"):
                self.chunk(b"")
                return
            if at == 2 and script.happens("huge frame"):
                self.chunk(b"data: ")
                for _ in range(70):
                    self.chunk(b"x" * 2**20)
            self.chunk(event)
        while script.happens("never ends"):
            self.chunk(sse.COMMENT)
            time.sleep(0.02)
        self.chunk(b"" if script.happens("no [DONE]") else end)
        self.chunk(b"")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n" if data else b"0\r\n\r\n")
        self.wfile.flush()

    def speak(self, body: Mapping[str, Any]) -> None:
        if body.get("stream_format") == "sse":
            events: list[Mapping[str, Any]] = [SpeechDelta(pcm16_of(piece)).body() for piece in PIECES]
            self.stream([sse.encoded(one) for one in (*events, SpeechDelta(None, True, USAGE).body())], b"")
            return
        if body["response_format"] == "wav":
            self.stream([wav_of(SOUND, 16_000)[:301], wav_of(SOUND, 16_000)[301:]], b"", "audio/wav")
            return
        pieces = [pcm16_of(piece) for piece in PIECES]
        if self.script.happens("half a sample"):
            pieces[2] += b"\0"
        self.stream(pieces, b"", "audio/pcm")

    def read_form(self, raw: bytes) -> dict[str, str]:
        message = message_from_bytes(b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + raw)
        found: dict[str, str] = {}
        for part in message.get_payload():
            name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
            data = part.get_payload(decode=True)  # type: ignore[union-attr]
            if name == "file":
                self.script.files.append(bytes(data))
            else:
                found[str(name)] = bytes(data).decode()
        self.script.forms.append(found)
        return found

    def transcribe(self, form: Mapping[str, str]) -> None:
        text = "".join(self.script.words)
        if form.get("stream") == "true":
            events: list[Mapping[str, Any]] = [TranscriptionDelta(word).body() for word in self.script.words]
            events.append(TranscriptionDelta(text, True, USAGE).body())
            self.stream([sse.encoded(one) for one in events], b"")
            return
        self.send_json(200, Transcription(text, Usage(audio_s=2.0)).body())

    def send_typed(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
