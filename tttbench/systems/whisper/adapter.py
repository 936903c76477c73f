"""openai-whisper as a system under test (``whisper:NAME``) and what transcribes spoken answers (``Transcriber``).

Greedy, temperature 0, float32, English. A clip of up to 30 s is one window without timestamps; a longer one goes
through openai-whisper's own moving windows. Knows waveforms and text; normalising and scoring happen elsewhere.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import InputError, UserError, did_you_mean
from tttbench.core.exchange import Request, Response, Trace, Waveform
from tttbench.core.extras import require
from tttbench.core.plugins import register_system
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.data.audio import resample
from tttbench.systems.whisper.weights import LoadedWhisper, load_whisper

if TYPE_CHECKING:
    import torch

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 30 * SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Transcript:
    """The text of one clip, and when it came. Times in seconds since the call of ``Transcriber.timed``.

    Attributes:
        text: without leading and trailing blanks; empty for an empty or digitally silent clip.
        tokens: texts of the tokens; empty for clips over 30 s, whose windows tell no token times.
        token_times_s: one per token.
        end_s: when the text was complete.
        stages_s: compute seconds of ``features``, ``encode`` and ``decode``; ``windows`` for clips over 30 s.
        passes: forward passes of the decoder.
        finish_reason: ``"stop"`` or ``"length"``.
    """

    text: str
    tokens: tuple[str, ...] = ()
    token_times_s: tuple[float, ...] = ()
    end_s: float = 0.0
    stages_s: Mapping[str, float] = field(default_factory=dict)
    passes: int = 0
    finish_reason: str = "stop"


class Transcriber:
    """Whisper with one fixed way of decoding, named by ``recipe``; equal recipes give comparable texts."""

    def __init__(self, loaded: LoadedWhisper, batch_size: int = 8) -> None:
        """Wrap a loaded model; ``batch_size`` clips are decoded at once, which doesn't change their texts."""
        from whisper.tokenizer import get_tokenizer

        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.name = loaded.name
        self.weights_sha256 = loaded.parameters_sha256
        self._model = loaded.model
        self._batch_size = batch_size
        self._tokenizer = get_tokenizer(
            loaded.model.is_multilingual,
            num_languages=loaded.model.num_languages,
            language="en",
            task="transcribe",
        )

    @classmethod
    def load(cls, name: str = "tiny.en", device: str = "cpu", batch_size: int = 8) -> Transcriber:
        """Load the Whisper model ``name``; raises ``UserError`` if its weights cannot be had."""
        return cls(load_whisper(name, device), batch_size)

    @property
    def recipe(self) -> str:
        """What made the text: model, hash of its weights, version of openai-whisper, way of decoding."""
        version = importlib.metadata.version("openai-whisper")
        return f"whisper {self.name}@{self.weights_sha256[:12]} openai-whisper {version} greedy"

    @property
    def n_parameters(self) -> int:
        """Number of weights of the model."""
        return sum(parameter.numel() for parameter in self._model.parameters())

    def transcribe(self, waveforms: Sequence[Waveform]) -> list[str]:
        """Transcribe mono 16 kHz waveforms of any length, one text each."""
        return [transcript.text for transcript in self.timed(waveforms)]

    def timed(self, waveforms: Sequence[Waveform]) -> list[Transcript]:
        """Like ``transcribe``, with times. A text depends on its waveform alone, not on the others in the call."""
        import torch

        start = time.perf_counter()
        found: dict[int, Transcript] = {}
        short = []
        with torch.inference_mode():
            for index, waveform in enumerate(waveforms):
                # Whisper makes words up where nothing at all was recorded.
                if not np.any(waveform):
                    found[index] = Transcript("", end_s=time.perf_counter() - start)
                elif len(waveform) > WINDOW_SAMPLES:
                    found[index] = self._timed_long(waveform, start)
                else:
                    short.append(index)
            for first in range(0, len(short), self._batch_size):
                batch = short[first : first + self._batch_size]
                found.update(zip(batch, self._timed_short([waveforms[i] for i in batch], start), strict=True))
        return [found[index] for index in range(len(waveforms))]

    def _timed_short(self, waveforms: Sequence[Waveform], start: float) -> list[Transcript]:
        """Clips of one window each. They are encoded one by one: a batch would not be faster, and not as exact."""
        import torch

        from tttbench.systems.whisper.greedy import decode_greedy

        features, feature_s, encode_s = [], [], []
        for waveform in waveforms:
            before = time.perf_counter()
            mel = self._log_mel(waveform)
            between = time.perf_counter()
            features.append(self._model.embed_audio(mel[None]))
            encode_s.append(time.perf_counter() - between)
            feature_s.append(between - before)
        decoded = decode_greedy(self._model, self._tokenizer, torch.cat(features), time.perf_counter)
        return [
            Transcript(
                text=self._tokenizer.decode(list(clip.tokens)).strip(),
                tokens=tuple(self._tokenizer.decode([token]) for token in clip.tokens),
                token_times_s=tuple(moment - start for moment in clip.times),
                end_s=clip.end - start,
                stages_s={"features": feature_s[i], "encode": encode_s[i], "decode": clip.compute_s},
                passes=clip.passes,
                finish_reason="stop" if clip.ended else "length",
            )
            for i, clip in enumerate(decoded)
        ]

    def _timed_long(self, waveform: Waveform, start: float) -> Transcript:
        import whisper

        before = time.perf_counter()
        result = whisper.transcribe(
            self._model,
            np.ascontiguousarray(waveform, dtype=np.float32),
            temperature=0.0,
            # A text that conditions the next window can lock the rest of a long file into a loop.
            condition_on_previous_text=False,
            language="en",
            fp16=False,
        )
        end = time.perf_counter()
        return Transcript(str(result["text"]).strip(), end_s=end - start, stages_s={"windows": end - before})

    def _log_mel(self, waveform: Waveform) -> torch.Tensor:
        """Shape (mels, 3000). Clip by clip, because its floor is relative to the loudest value of what it is given."""
        import whisper

        padded = whisper.pad_or_trim(np.ascontiguousarray(waveform, dtype=np.float32))
        mel: torch.Tensor = whisper.log_mel_spectrogram(padded, self._model.dims.n_mels, device=self._model.device)
        return mel


class WhisperSystem:
    """``whisper:NAME``: transcribes speech; no spoken answers."""

    def __init__(self, transcriber: Transcriber, device: str) -> None:
        """Answer with ``transcriber``, whose model lies on ``device``."""
        self.name = f"whisper:{transcriber.name}"
        self._transcriber = transcriber
        self._device = device

    @property
    def card(self) -> SystemCard:
        """The model card."""
        return SystemCard(
            name=self.name,
            capability=Capability(
                accepts=frozenset({"audio"}),
                produces=frozenset({"text"}),
                families=frozenset({"asr"}),
                instruction=False,
            ),
            weights_sha256=self._transcriber.weights_sha256,
            settings={
                "decode": "greedy, temperature 0, no timestamps; over 30 s openai-whisper's windows; language en"
            },
            identity={"recipe": self._transcriber.recipe},
            details={"parameters": self._transcriber.n_parameters, "dtype": "float32", "device": self._device},
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Transcribe the requests' audio; a request without audio, or of another family, gets an ``InputError``."""
        answers: list[Response | Exception | None] = [_refusal(request) for request in requests]
        given = [index for index, refusal in enumerate(answers) if refusal is None]
        start = time.perf_counter()
        waveforms, resample_s = [], []
        for index in given:
            before = time.perf_counter()
            audio = requests[index].audio
            assert audio is not None
            waveforms.append(resample(audio, requests[index].sample_rate, SAMPLE_RATE_HZ))
            resample_s.append(time.perf_counter() - before)
        delay_s = time.perf_counter() - start
        transcripts = self._transcriber.timed(waveforms)
        for index, seconds, transcript in zip(given, resample_s, transcripts, strict=True):
            answers[index] = _response(transcript, delay_s, seconds)
        return [answer for answer in answers if answer is not None]


def _refusal(request: Request) -> InputError | None:
    if request.family not in ("asr", ""):
        return InputError(f"{request.id}: Whisper transcribes speech and answers no questions. Give it an asr task.")
    if request.audio is None:
        return InputError(f"{request.id}: has no audio to transcribe. Give the sample an audio file.")
    return None


def _response(transcript: Transcript, delay_s: float, resample_s: float) -> Response:
    trace = Trace(
        stages_s={"resample": resample_s, **transcript.stages_s},
        text_times_s=tuple(moment + delay_s for moment in transcript.token_times_s),
        text_tokens=transcript.tokens,
        end_s=transcript.end_s + delay_s,
        nfe=transcript.passes,
    )
    return Response(text=transcript.text, finish_reason=transcript.finish_reason, trace=trace)


def check(spec: str, options: SystemOptions) -> None:
    """Raise ``UserError`` for a model that openai-whisper lacks and for options that this system does not take."""
    require("whisper", f"whisper:{spec}")
    import whisper

    names = whisper.available_models()
    if spec and spec not in names:
        raise UserError(f"whisper:{spec}: openai-whisper has no such model. {did_you_mean(spec, names)}")
    if options.strategy:
        raise UserError(f"whisper: has no decoding strategies, so {options.strategy!r} cannot be used; leave it out.")
    if options.settings:
        raise UserError(f"whisper: unknown decode settings {', '.join(sorted(options.settings))}; it has none.")


@register_system("whisper", specs=("tiny.en",), summary="openai-whisper, greedy; any of its model names", check=check)
def build(spec: str, options: SystemOptions) -> WhisperSystem:
    """Build ``whisper:spec``; an empty spec is ``tiny.en``."""
    return WhisperSystem(Transcriber.load(spec or "tiny.en", options.device, options.batch_size), options.device)
