"""Answers whose tokens are given: what may be forced, and which tokens come next. Knows ids only."""

from __future__ import annotations

from collections.abc import Sequence

from reference_model.config import TtTConfig
from reference_model.errors import DecodeError


def check_forced(ids: Sequence[int], config: TtTConfig) -> None:
    """Refuse tokens that no decoding could write where they stand.

    Raises:
        DecodeError: naming the position, if text stands inside a span, audio outside, or anything behind the end.
    """
    inside = ended = False
    whole_answer = config.objective == "nar"
    for position, token_id in enumerate(ids):
        where = f"forced token {token_id} at position {position} of the answer"
        if not 0 <= token_id < config.vocab_size or token_id == config.mask_token_id:
            raise DecodeError(f"{where}: not an id that an answer can hold")
        if ended:
            raise DecodeError(f"{where} stands behind the end of the answer")
        ended = token_id == config.im_end_token_id
        if whole_answer:
            continue
        if inside != (token_id >= config.audio_token_id_start):
            raise DecodeError(f"{where}: expected {'audio or the end of its span' if inside else 'text'} there")
        inside = token_id not in config.span_end_ids if inside else token_id in config.span_begin_ids


def next_forced(ids: Sequence[int], done: int, most: int, end_ids: Sequence[int]) -> tuple[int, ...]:
    """The forced tokens behind the first ``done``: at most ``most``, none behind the first of ``end_ids``."""
    coming = tuple(ids[done : done + most])
    for position, token_id in enumerate(coming):
        if token_id in end_ids:
            return coming[: position + 1]
    return coming
