"""Speech to text with an openai-whisper model: what ``whisper.transcribe`` does at temperature 0, clips in batches.

A window of 30 s moves over each clip (``windows``); the windows of several clips are decoded together (``greedy``).
Knows waveforms, languages and text; normalizing and scoring happen elsewhere.
"""

from __future__ import annotations

import codecs
import importlib.metadata
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.exchange import Waveform
from tttbench.systems.whisper.greedy import MEAN_LOGPROB, NO_SPEECH, DecodedWindow, decode_greedy
from tttbench.systems.whisper.weights import LoadedWhisper, load_whisper
from tttbench.systems.whisper.windows import FRAMES, take

if TYPE_CHECKING:
    import torch

SAMPLE_RATE_HZ = 16_000

VERSION = 2
"""Raised whenever the same recording may get another text."""


@dataclass(frozen=True)
class Transcript:
    """The text of one clip, and when it came. Times in seconds since the call of ``WhisperTranscriber.timed``.

    Attributes:
        text: without leading and trailing blanks; empty where nothing is spoken.
        tokens: texts of the tokens; joined they are the text.
        token_times_s: one per token.
        end_s: when the text was complete.
        stages_s: compute seconds of ``features``, ``encode`` and ``decode``, and of ``language`` where it was detected.
        passes: forward passes of the decoder.
        finish_reason: ``"stop"``, or ``"length"`` if the token limit cut a window's text.
        language: Whisper's code of the language that it was transcribed in; ``""`` where nothing was recorded.
    """

    text: str
    tokens: tuple[str, ...] = ()
    token_times_s: tuple[float, ...] = ()
    end_s: float = 0.0
    stages_s: Mapping[str, float] = field(default_factory=dict)
    passes: int = 0
    finish_reason: str = "stop"
    language: str = ""


class WhisperTranscriber:
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
        self._tokenizer = get_tokenizer(loaded.model.is_multilingual, num_languages=loaded.model.num_languages)

    @classmethod
    def load(cls, name: str = "tiny.en", device: str = "cpu", batch_size: int = 8) -> WhisperTranscriber:
        """Load the Whisper model ``name``; raises ``UserError`` if its weights cannot be had."""
        return cls(load_whisper(name, device), batch_size)

    @property
    def recipe(self) -> str:
        """What made the text: model, hash of its weights, version of openai-whisper, way of decoding, language."""
        version = importlib.metadata.version("openai-whisper")
        language = "language given or detected" if self._model.is_multilingual else "language en"
        return (
            f"whisper {self.name}@{self.weights_sha256[:12]} openai-whisper {version} greedy@{VERSION} "
            f"({language}, timestamps, no-speech gate {NO_SPEECH:g} and {MEAN_LOGPROB:g}, conditioned on previous text)"
        )

    @property
    def is_english_only(self) -> bool:
        """Whether the model knows English alone."""
        return not self._model.is_multilingual

    @property
    def n_languages(self) -> int:
        """How many languages the model knows."""
        return int(self._model.num_languages)

    @property
    def n_parameters(self) -> int:
        """Number of weights of the model."""
        return sum(parameter.numel() for parameter in self._model.parameters())

    def transcribe(self, waveforms: Sequence[Waveform], language: str = "") -> list[str]:
        """Transcribe mono 16 kHz waveforms of any length in one language (``""``: detected), one text each."""
        return [transcript.text for transcript in self.timed(waveforms, [language] * len(waveforms))]

    def timed(self, waveforms: Sequence[Waveform], languages: Sequence[str]) -> list[Transcript]:
        """Like ``transcribe``, with times. A text depends on its waveform and language alone, not on the others.

        Args:
            waveforms: mono, 16 kHz, of any length.
            languages: Whisper's code of each one's language; ``""`` where it is to be detected. English-only models
                don't look at it.
        """
        import torch

        start = time.perf_counter()
        found = []
        with torch.inference_mode():
            for first in range(0, len(waveforms), self._batch_size):
                chosen = slice(first, first + self._batch_size)
                clips = [
                    _Clip(waveform, language if self._model.is_multilingual else "en")
                    for waveform, language in zip(waveforms[chosen], languages[chosen], strict=True)
                ]
                self._transcribe(clips)
                found += [self._transcript(clip, start) for clip in clips]
        return found

    def _transcribe(self, clips: Sequence[_Clip]) -> None:
        """Move the windows of ``clips`` to their ends."""
        for clip in clips:
            # Where nothing at all was recorded there is nothing to transcribe.
            if np.any(clip.waveform):
                self._prepare(clip)
            clip.end = time.perf_counter()
        while running := [clip for clip in clips if clip.position < clip.n_frames]:
            # Prompts of one length make a batch: those of all first windows do.
            for _, group in groupby(sorted(running, key=self._prompt_length), key=self._prompt_length):
                self._next_windows(list(group))

    def _prepare(self, clip: _Clip) -> None:
        """Compute the features of a clip, and detect its language where that is needed."""
        import whisper

        before = time.perf_counter()
        waveform = np.ascontiguousarray(clip.waveform, dtype=np.float32)
        # With a window of silence behind it, as whisper.transcribe has it. Clip by clip, because its floor is relative
        # to the loudest value of what it is given.
        clip.mel = whisper.log_mel_spectrogram(
            waveform, self._model.dims.n_mels, padding=FRAMES * whisper.audio.HOP_LENGTH, device=self._model.device
        )
        clip.n_frames = clip.mel.shape[-1] - FRAMES
        between = time.perf_counter()
        clip.stages_s["features"] += between - before
        if not clip.language:
            features = self._model.embed_audio(whisper.pad_or_trim(clip.mel, FRAMES)[None])
            _, probabilities = whisper.detect_language(self._model, features, self._tokenizer)
            clip.language = max(probabilities[0], key=probabilities[0].__getitem__)
            clip.stages_s["language"] = time.perf_counter() - between

    def _next_windows(self, clips: Sequence[_Clip]) -> None:
        """Decode the next window of each clip. They are encoded one by one: a batch is neither faster nor as exact."""
        import torch
        import whisper

        features, prompts = [], []
        for clip in clips:
            before = time.perf_counter()
            assert clip.mel is not None  # only what was prepared has frames
            window = clip.mel[:, clip.position : clip.position + clip.window_frames]
            features.append(self._model.embed_audio(whisper.pad_or_trim(window, FRAMES)[None]))
            prompts.append(self._prompt(clip))
            clip.stages_s["encode"] += time.perf_counter() - before
        decoded = decode_greedy(self._model, self._tokenizer, torch.cat(features), prompts, time.perf_counter)
        for clip, written in zip(clips, decoded, strict=True):
            clip.add(written, self._tokenizer.timestamp_begin, self._has_text)

    def _prompt(self, clip: _Clip) -> list[int]:
        """The text before, as far as it fits, and the start of the transcript with language and task."""
        tokenizer = self._tokenizer
        start = [tokenizer.sot]
        if self._model.is_multilingual:
            start += [tokenizer.to_language_token(clip.language), tokenizer.transcribe]
        before = clip.tokens[-(self._model.dims.n_text_ctx // 2 - 1) :]
        return [tokenizer.sot_prev, *before, *start] if before else start

    def _prompt_length(self, clip: _Clip) -> int:
        return len(self._prompt(clip))

    def _has_text(self, tokens: Sequence[int]) -> bool:
        return bool(self._tokenizer.decode([token for token in tokens if token < self._tokenizer.eot]).strip())

    def _transcript(self, clip: _Clip, start: float) -> Transcript:
        spoken = [at for at, token in enumerate(clip.tokens) if token < self._tokenizer.timestamp_begin]
        texts = tuple(self._texts([clip.tokens[at] for at in spoken]))
        return Transcript(
            text=self._tokenizer.decode(clip.tokens).strip(),
            tokens=texts,
            token_times_s=tuple(clip.times[at] - start for at in spoken),
            end_s=clip.end - start,
            stages_s=clip.stages_s,
            passes=clip.passes,
            finish_reason="length" if clip.was_cut else "stop",
            language=clip.language,
        )

    def _texts(self, tokens: Sequence[int]) -> Iterator[str]:
        """The text of each token; a character of several tokens is the last one's."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for at, token in enumerate(tokens, 1):
            yield decoder.decode(self._tokenizer.encoding.decode_single_token_bytes(token), final=at == len(tokens))


class _Clip:
    """A clip on its way through its windows."""

    def __init__(self, waveform: Waveform, language: str) -> None:
        self.waveform = waveform
        self.language = language
        self.mel: torch.Tensor | None = None  # (mels, n_frames + FRAMES)
        self.n_frames = 0
        self.position = 0  # the frame where the next window begins
        self.tokens: list[int] = []  # kept so far, timestamps too
        self.times: list[float] = []
        self.end = 0.0  # when its last window was done
        self.stages_s = {"features": 0.0, "encode": 0.0, "decode": 0.0}
        self.passes = 0
        self.was_cut = False

    @property
    def window_frames(self) -> int:
        """Frames of the clip in its next window."""
        return min(FRAMES, self.n_frames - self.position)

    def add(self, window: DecodedWindow, first_stamp: int, has_text: Callable[[Sequence[int]], bool]) -> None:
        """Take what was decoded in the next window, and move on."""
        self.end = window.end
        self.stages_s["decode"] += window.compute_s
        self.passes += window.passes
        if window.is_silent:
            self.position += self.window_frames
            return
        taken = take(window.tokens, self.window_frames, first_stamp, has_text)
        self.tokens += [window.tokens[at] for at in taken.kept]
        self.times += [window.times[at] for at in taken.kept]
        self.was_cut |= taken.is_whole and not window.ended
        self.position += taken.advance
