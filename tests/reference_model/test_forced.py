"""Forced answers: the given tokens come out, by the passes of free decoding."""

from __future__ import annotations

import pytest

from reference_model.decoding import CacheMode, DecodeConfig, Prompt, generate
from reference_model.decoding.forced import next_forced
from reference_model.errors import DecodeError

from .cases import MODELS, prompt_for, same

HYBRID = MODELS["hybrid", 60, 1]
CODE, END, LAST_END = HYBRID.config.code_id_start, *HYBRID.config.span_end_ids
SCHEDULE = (1, 2, 3, 13, *range(CODE, CODE + 5), END, 4, 14, *range(CODE, CODE + 9), LAST_END, 17)


@pytest.mark.parametrize("strategy", ["topk", "threshold:tau=0.5", "first_hitting", "par", "pmi", "mapi"])
@pytest.mark.parametrize("cache", ["none", "exact", "block"])
def test_the_forced_answer_is_written(strategy: str, cache: CacheMode) -> None:
    settings = DecodeConfig(strategy=strategy, cache=cache, block_length=6)
    (answer,) = generate(HYBRID, [Prompt(prompt_for(HYBRID, 3), forced=SCHEDULE)], settings)
    assert answer.ids == SCHEDULE
    assert answer.finish_reason == "stop"


def test_a_model_of_next_tokens_writes_it_too() -> None:
    model = MODELS["ar", 60, 1]
    (answer,) = generate(model, [Prompt(prompt_for(model, 3), forced=SCHEDULE)])
    assert answer.ids == SCHEDULE
    assert answer.trace.nfe == len(SCHEDULE)


def test_the_passes_are_counted_by_hand() -> None:
    # 4 text tokens, a block of 6 in 2 steps, 2 text tokens, a block of 6 in 2 steps; then one whose 4th token of 6
    # ends the span, in 2 steps or, if its first four happen to be chosen first, in 1; then one text token.
    (answer,) = generate(HYBRID, [Prompt(prompt_for(HYBRID, 3), forced=SCHEDULE)], DecodeConfig(block_length=6))
    assert answer.trace.nfe in (4 + 2 + 2 + 2 + 2 + 1, 4 + 2 + 2 + 2 + 1 + 1)


def test_forcing_what_would_be_drawn_changes_nothing() -> None:
    settings = DecodeConfig(block_length=6, max_text_tokens=8, max_audio_tokens=14)
    for case in range(8):
        ids = prompt_for(HYBRID, case)
        (free,) = generate(HYBRID, [Prompt(ids)], settings)
        (forced,) = generate(HYBRID, [Prompt(ids, forced=free.ids)], settings)
        same(free, forced)


def test_behind_the_forced_tokens_decoding_is_free() -> None:
    settings = DecodeConfig(block_length=6, max_text_tokens=8, max_audio_tokens=14)
    ids = prompt_for(HYBRID, 1)
    (free,) = generate(HYBRID, [Prompt(ids)], settings)
    (continued,) = generate(HYBRID, [Prompt(ids, forced=free.ids[:2])], settings)
    assert continued.ids == free.ids


@pytest.mark.parametrize(
    ("forced", "message"),
    [
        ((1, CODE), "position 1 .* expected text"),
        ((13, 1), "position 1 .* expected audio"),
        ((17, 1), "behind the end"),
        ((13, HYBRID.config.mask_token_id), "not an id"),
    ],
)
def test_what_cannot_be_written_is_refused(forced: tuple[int, ...], message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        generate(HYBRID, [Prompt((1, 2), forced=forced)])


def test_the_next_forced_tokens_stop_at_an_end_token() -> None:
    assert next_forced((5, 6, 7, 8), 1, 3, (7,)) == (6, 7)
    assert next_forced((5, 6, 7, 8), 1, 2, ()) == (6, 7)
    assert next_forced((5, 6), 2, 3, ()) == ()
