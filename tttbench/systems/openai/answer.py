"""An answer as it arrives: every piece of text and sound with the time at which it was there."""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tttbench.client.reply import BrokenError
from tttbench.core.errors import InputError
from tttbench.core.exchange import Chunk, Response, Trace, Waveform
from tttbench.wire.chat_reply import ChatReply
from tttbench.wire.chat_stream import Delta
from tttbench.wire.extension import Extension
from tttbench.wire.sound import SoundStream, is_other_file, is_wav
from tttbench.wire.usage import Usage

_STREAMED = ("pcm16", "pcm", "wav")
"""Formats whose samples are there as their bytes are; of others an answer's audio is decoded when it is whole."""


class Answer:
    """Collects an answer. Times count from ``began_s`` by ``clock``."""

    def __init__(self, began_s: float, clock: Callable[[], float], form: str, raw_hz: int) -> None:
        """Expect audio in the format ``form``; what arrives is believed where it shows what it is."""
        self._began_s, self._clock = began_s, clock
        self._form = form
        self._sound = SoundStream(raw_hz)
        self._texts: list[tuple[float, str]] = []
        self._transcripts: list[tuple[float, str]] = []
        self._sounds: list[tuple[float, Waveform]] = []
        self._file, self._file_s = b"", 0.0
        self._refusal = ""
        self.finish_reason = ""
        self.usage: Usage | None = None
        self.extension: Extension | None = None

    def now(self) -> float:
        """Seconds since the request."""
        return self._clock() - self._began_s

    def add(self, delta: Delta) -> None:
        """Take an event of a chat completion."""
        at_s = self.now()
        self.text(delta.text, at_s)
        if delta.transcript:
            self._transcripts.append((at_s, delta.transcript))
        if delta.audio:
            self.audio(delta.audio, at_s, delta.rate_hz)
        self._refusal += delta.refusal
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.usage = delta.usage or self.usage
        self.extension = delta.extension or self.extension

    def add_whole(self, reply: ChatReply) -> None:
        """Take a chat completion that wasn't streamed."""
        audio = reply.audio
        self.add(
            Delta(
                reply.text,
                "" if audio is None else audio.transcript,
                None if audio is None else audio.data,
                finish_reason=reply.finish_reason,
                refusal=reply.refusal,
                usage=reply.usage,
                extension=reply.extension,
            )
        )

    def text(self, piece: str, at_s: float) -> None:
        """Take further text."""
        if piece:
            self._texts.append((at_s, piece))

    def audio(self, data: bytes, at_s: float, rate_hz: int = 0) -> None:
        """Take further audio: raw PCM, a WAV file or its continuation, or bytes of a file in another format."""
        is_first = not self._sounds and not self._file
        if self._file or (is_first and (is_other_file(data) or (self._form not in _STREAMED and not is_wav(data)))):
            self._file, self._file_s = self._file + data, at_s
            return
        samples = self._sound.push(data, rate_hz)
        if len(samples):
            self._sounds.append((at_s, samples))

    @property
    def so_far(self) -> str:
        """What has come, in words, for messages."""
        seconds = sum(len(samples) for _, samples in self._sounds) / self._sound.rate_hz
        n_texts = len(self._texts) + len(self._transcripts)
        return f"{n_texts:,} piece{'s' * (n_texts != 1)} of text and {seconds:.1f} s of audio"

    def response(self, cost: Mapping[str, float]) -> Response:
        """Return the answer, which is whole.

        Raises:
            WireError: its audio ends within a sample.
            BrokenError: a filter of the server took the answer, or its audio can't be decoded.
        """
        self._sound.finish()
        waveform, rate_hz = self._waveform()
        told = self._texts if any(text.strip() for _, text in self._texts) else self._transcripts
        text = "".join(piece for _, piece in told) or self._refusal
        extension = self.extension
        if extension is not None:
            told = by_token(told, extension.text_tokens)
        if self.finish_reason == "content_filter" and not text.strip() and waveform is None:
            raise BrokenError("the server's content filter took the answer.")
        trace = Trace(
            text_times_s=tuple(at_s for at_s, _ in told),
            text_tokens=tuple(piece for _, piece in told),
            chunks=tuple(Chunk(at_s, len(samples)) for at_s, samples in self._sounds),
            end_s=self.now(),
        )
        return Response(
            text,
            None if extension is None else extension.codes,
            waveform,
            rate_hz,
            self.finish_reason or "stop",
            trace if extension is None else extension.within(trace),
            cost,
        )

    def _waveform(self) -> tuple[Waveform | None, int]:
        """The whole sound and its rate in Hz; None and 0 if there is none."""
        if self._file:
            from tttbench.data.decoding import decode

            try:
                found = decode(io.BytesIO(self._file), "the reply's audio", 0.0, None)
            except InputError as error:
                raise BrokenError(str(error)) from error
            self._sounds.append((self._file_s, found.samples))
            return found.samples, found.sample_rate
        if not self._sounds:
            return None, 0
        return np.concatenate([samples for _, samples in self._sounds]), self._sound.rate_hz


def by_token(pieces: Sequence[tuple[float, str]], tokens: Sequence[str]) -> list[tuple[float, str]]:
    """Return tokens with their times, each that of the piece in which it ends.

    Args:
        pieces: times and texts, as they arrived.
        tokens: of which their text consists; others, such as those that share a character, leave the pieces as they
            are.
    """
    if not tokens or not all(tokens) or "".join(tokens) != "".join(piece for _, piece in pieces):
        return list(pieces)
    ends = list(itertools.accumulate(len(piece) for _, piece in pieces))
    found = []
    for token, end in zip(tokens, itertools.accumulate(map(len, tokens)), strict=True):
        found.append((pieces[bisect.bisect_left(ends, end)][0], token))
    return found


def cost_of(usage: Usage | None, requests: int, price_in: float, price_out: float) -> Mapping[str, float]:
    """Return what an answer cost: requests, tokens as the server counts them, and USD where prices are known."""
    found: dict[str, float] = {"requests": requests, **({} if usage is None else usage.cost)}
    if price_in or price_out:
        found["usd"] = (found.get("tokens_in", 0) * price_in + found.get("tokens_out", 0) * price_out) / 1e6
    return found
