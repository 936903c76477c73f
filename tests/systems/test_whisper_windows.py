"""Where a window's tokens are cut, what of them is kept, and where the next window begins."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import whisper
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import DecodingResult
from whisper.tokenizer import Tokenizer, get_tokenizer

from tttbench.systems.whisper.windows import FRAMES, Taken, take

FIRST_STAMP = 100


def stamps(*tokens: float | int) -> list[int]:
    """Whole numbers are text, all else timestamps in seconds."""
    return [token if isinstance(token, int) else FIRST_STAMP + round(token / 0.02) for token in tokens]


def has_text(tokens: Sequence[int]) -> bool:
    return any(0 < token < FIRST_STAMP for token in tokens)  # 0 is a blank


@pytest.mark.parametrize(
    ("tokens", "kept", "advance", "is_whole"),
    [
        # One segment with an end, and with silence after it: the window is done with.
        ([0.0, 5, 6, 2.0], [0, 1, 2, 3], 1_000, True),
        # The end token came without a timestamp.
        ([0.0, 5, 6], [0, 1, 2], 1_000, True),
        ([], [], 1_000, True),
        ([0.0, 0, 0], [], 1_000, True),
        # A pair of timestamps at the end: the next window begins there, at 4.24 s.
        ([0.0, 5, 2.0, 2.0, 6, 4.24, 4.24], [0, 1, 2, 3, 4, 5], 424, False),
        # Text behind the last pair is unfinished and decoded again.
        ([0.0, 5, 2.0, 2.0, 6, 7], [0, 1, 2], 200, False),
        # A single timestamp at the end closes the last segment.
        ([0.0, 5, 2.0, 2.0, 6, 4.0], [0, 1, 2, 3, 4, 5], 1_000, True),
        # Segments that take no time or hold no text are dropped.
        ([1.0, 5, 1.0, 1.0, 6, 3.0, 3.0, 0, 5.0], [3, 4, 5], 1_000, True),
    ],
)
def test_what_is_taken_of_a_window(
    tokens: Sequence[float | int], kept: Sequence[int], advance: int, is_whole: bool
) -> None:
    assert take(stamps(*tokens), 1_000, FIRST_STAMP, has_text) == Taken(tuple(kept), advance, is_whole)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made: Tokenizer = get_tokenizer(multilingual=False)
    return made


@st.composite
def windows(draw: st.DrawFn) -> list[list[int]]:
    """Tokens of several windows, as the decoder may write them: words and pairs of times that don't go back."""
    found = []
    for _ in range(8):
        words = st.lists(st.sampled_from([220, 257, 1_002, 3_797]), min_size=1, max_size=3)  # 220 is a blank
        times = sorted(draw(st.lists(st.integers(0, 1_500), min_size=1, max_size=6)))
        tokens = [times[0]]
        for time in times[1:]:
            tokens += [-word for word in draw(words)] + [time, time]
        ending = draw(st.sampled_from(["pair", "single", "text", "nothing"]))
        if ending == "single" and len(tokens) > 1:
            tokens.pop()
        elif ending == "text":
            tokens += [-word for word in draw(words)]
        found.append([50_363 + token if token >= 0 else -token for token in tokens])
    return found


@settings(max_examples=60)
@given(windows(), st.integers(1, 7_000))
def test_the_windows_are_those_of_whisper_transcribe(decoded: list[list[int]], n_frames: int) -> None:
    tokenizer = get_tokenizer(multilingual=False)
    given_to: list[int] = []

    class Model:
        """Writes what it is given, window by window; after that nothing."""

        dims = SimpleNamespace(n_mels=80, n_audio_ctx=1_500, n_text_ctx=448)
        device = torch.device("cpu")
        is_multilingual, num_languages = False, 99

        def decode(self, mel: Any, options: Any) -> DecodingResult:
            tokens = decoded[len(given_to)] if len(given_to) < len(decoded) else []
            given_to.append(int((mel[0] != 0).sum()))
            return DecodingResult(mel, "en", None, tokens, "", -0.1, 0.0, 0.0, 1.0)

    # Nothing of the mel spectrogram is zero but the padding, by which the window's frames can be counted.
    audio = np.full(160 * n_frames, 0.1, np.float32)
    theirs = whisper.transcribe(Model(), audio, language="en", temperature=0.0, fp16=False)

    position, text, frames = 0, [], []
    for tokens in [*decoded, *[[]] * 10_000]:
        if position >= n_frames:
            break
        frames.append(min(FRAMES, n_frames - position))
        taken = take(
            tokens,
            frames[-1],
            tokenizer.timestamp_begin,
            lambda some: bool(tokenizer.decode([token for token in some if token < tokenizer.eot]).strip()),
        )
        text += [tokens[at] for at in taken.kept]
        position += taken.advance
        assert taken.is_whole == (taken.advance == frames[-1]) or taken.advance <= FRAMES
    assert frames == given_to
    assert tokenizer.decode(text) == theirs["text"]
