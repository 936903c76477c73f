"""The layout of an answer: text and codes in turns. Knows ids; the inverse of reading an answer."""

from __future__ import annotations

from collections.abc import Sequence

from reference_model.config import TtTConfig

TEXT_CHUNK = 13
AUDIO_CHUNK = 26


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
    read = heard = 0
    while len(text) - read > text_chunk and len(codes) - heard > audio_chunk:
        out += [*text[read : read + text_chunk], config.begin_of_audio_token_id]
        out += [*codes[heard : heard + audio_chunk], config.end_of_audio_new_token_id]
        read, heard = read + text_chunk, heard + audio_chunk
    out += [*text[read:], config.begin_of_quad_token_id, *codes[heard:], config.end_of_audio_span_last_token_id]
    return [*out, config.im_end_token_id]
