"""A schedule of block lengths: which block has which length, whatever the strategy, the cache and the limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.decoding import AudioCommitted, DecodeConfig, Prompt, generate
from reference_model.decoding.answer import Event
from reference_model.decoding.engine import strategy_for
from reference_model.errors import DecodeError
from reference_model.transformer import TtTModel

from .cases import FILLING, MODELS, prompt_for, same


def blocks_of(model: TtTModel, chosen: DecodeConfig, spans: Sequence[int]) -> list[int]:
    """Codes of every block of an answer that consists of spans of so many codes, each ended by its end token."""
    config, sizes = model.config, list[int]()
    forced: list[int] = []
    for n_codes in spans:
        codes = (config.code_id_start + (7 * i) % 60 for i in range(n_codes))
        forced += [config.begin_of_audio_token_id, *codes, config.end_of_audio_new_token_id]

    def note(index: int, event: Event) -> None:
        del index
        if isinstance(event, AudioCommitted):
            sizes.append(len(event.codes))

    generate(model, [Prompt(prompt_for(model, 1), forced=tuple(forced))], chosen, on_event=note)
    return sizes


@pytest.mark.parametrize(
    ("lengths", "spans", "blocks"),
    [
        ((2, 4, 6), (17,), [2, 4, 6, 5]),
        # The schedule is the answer's, not each span's: the second span goes on where the first one ended. The end
        # token needs a place, too: the sixth code of the first span takes the last place of its second block.
        ((2, 4, 6), (5, 13), [2, 3, 6, 6, 1]),
        ((2, 4, 6), (6, 5), [2, 4, 0, 5]),
        ((), (12,), [5, 5, 2]),
        ((3,), (7,), [3, 3, 1]),
    ],
)
def test_the_blocks_of_an_answer_by_hand(lengths: tuple[int, ...], spans: tuple[int, ...], blocks: list[int]) -> None:
    chosen = DecodeConfig(block_length=5, block_lengths=lengths, max_text_tokens=len(spans) + 1, max_audio_tokens=60)
    found = blocks_of(MODELS["hybrid", 60, 1], chosen, spans)
    assert found[: len(blocks)] == blocks


@pytest.mark.parametrize("strategy", FILLING)
def test_every_strategy_fills_them(strategy: str) -> None:
    chosen = DecodeConfig(strategy=strategy, block_lengths=(1, 3, 5), max_text_tokens=2, max_audio_tokens=20)
    assert blocks_of(MODELS["hybrid", 60, 1], chosen, (13,)) == [1, 3, 5, 4]


def test_one_length_is_a_schedule_of_it() -> None:
    model = MODELS["hybrid", 6, 2]
    chosen = DecodeConfig(block_length=5, audio_temperature=1.0, text_temperature=1.5, max_text_tokens=8)
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in range(6)]
    scheduled = dataclasses.replace(chosen, block_length=26, block_lengths=(5, 5))
    for one, other in zip(generate(model, prompts, chosen), generate(model, prompts, scheduled), strict=True):
        same(one, other)


@pytest.mark.slow
@given(
    st.sampled_from([key for key in sorted(MODELS) if key[0] != "ar"]),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.sampled_from(FILLING),
    st.integers(0, 30),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=3, unique=True),
)
@settings(max_examples=10, deadline=None)
def test_exact_equals_none_and_the_limit_holds(
    key: tuple[str, int, int], lengths: list[int], strategy: str, most: int, seeds: list[int]
) -> None:
    model = MODELS[key]
    chosen = DecodeConfig(
        strategy=strategy, block_lengths=tuple(lengths), audio_temperature=1.0, max_text_tokens=6, max_audio_tokens=most
    )
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in seeds]
    together = generate(model, prompts, chosen, batch_size=len(prompts))
    none = dataclasses.replace(chosen, cache="none")
    for exact, prompt in zip(together, prompts, strict=True):
        same(exact, generate(model, [prompt], none)[0])
        assert len(exact.codes) <= most + (6 if key[0] == "nar" else 0)


@pytest.mark.parametrize(
    ("objective", "lengths", "said"),
    [
        ("ar", (8,), "block_lengths: strategy 'ar' has no blocks; leave it out"),
        ("hybrid", (8, 513), "a block of 513 masks doesn't fit the model, which has 512 positions; shorten it"),
    ],
)
def test_a_schedule_that_does_not_fit_the_model_is_refused(objective: str, lengths: tuple[int, ...], said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        strategy_for(MODELS[objective, 6, 2], DecodeConfig(block_lengths=lengths))


def test_an_impossible_length_is_named() -> None:
    with pytest.raises(DecodeError, match=r"block_lengths\[1\]=0: expected at least 1"):
        DecodeConfig(block_lengths=(8, 0))
