"""The layout of a conversation: a prompt, and an answer of text and codes interleaved. Knows ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reference_model.config import TtTConfig

Ids = npt.NDArray[np.int64]

TEXT_CHUNK = 13
AUDIO_CHUNK = 26


@dataclass(frozen=True)
class Example:
    """One conversation: the prompt up to where the answer begins, and the answer with its ``<|im_end|>``.

    Attributes:
        prompt, answer: token ids.
        transcript: text ids of the prompt's audio; empty where unknown.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    transcript: tuple[int, ...] = ()


def interleave(
    text: Sequence[int],
    codes: Sequence[int],
    config: TtTConfig,
    text_chunk: int = TEXT_CHUNK,
    audio_chunk: int = AUDIO_CHUNK,
) -> list[int]:
    """An answer's ids: 13 text tokens, a span of 26 codes, again and again; then the rest of the speech; the end.

    Args:
        text: text token ids.
        codes: audio token ids (already in the vocabulary), without end tokens.
        config: gives the control ids.
        text_chunk: text tokens in front of a span.
        audio_chunk: codes in a span; the last span holds all that is left.

    Returns:
        Text is never dropped: where the speech ends before the text, the rest of the text stands before the last span.
    """
    out: list[int] = []
    written = spoken = 0
    while len(text) - written > text_chunk and len(codes) - spoken > audio_chunk:
        out += [*text[written : written + text_chunk], config.begin_of_audio_token_id]
        out += [*codes[spoken : spoken + audio_chunk], config.end_of_audio_new_token_id]
        written, spoken = written + text_chunk, spoken + audio_chunk
    out += [*text[written:], config.begin_of_quad_token_id, *codes[spoken:], config.end_of_audio_span_last_token_id]
    return [*out, config.im_end_token_id]


def answer_spans(ids: Ids, begin: int, config: TtTConfig) -> list[tuple[int, int]]:
    """Audio spans ``[low, high)`` of the answer, end tokens included, in order."""
    audio = np.concatenate([[False], ids[begin:] >= config.audio_token_id_start, [False]])
    edges = np.flatnonzero(audio[1:] != audio[:-1]) + begin
    return [(int(low), int(high)) for low, high in edges.reshape(-1, 2)]
