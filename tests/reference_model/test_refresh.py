"""The cache ``refresh`` lies between ``exact`` (every pass refreshes) and ``block`` (none does), and ends in both."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.decoding import DecodeConfig, Prompt, generate, measure_divergence
from reference_model.errors import DecodeError
from reference_model.transformer import RowGroup, TtTModel

from .cases import FILLING, MODELS, prompt_for, same

ENDLESS = 10**6
configs = st.builds(
    DecodeConfig,
    block_length=st.integers(1, 9),
    steps_per_block=st.integers(1, 4),
    cfg=st.sampled_from([0.0, 0.3]),
    audio_temperature=st.sampled_from([0.0, 1.0]),
    max_text_tokens=st.integers(2, 8),
    max_audio_tokens=st.integers(10, 40),
    forbid_non_audio=st.booleans(),
    strategy=st.sampled_from(FILLING),
)


def opened(model: TtTModel, n: int) -> list[Prompt]:
    """Prompts whose answers begin with a span."""
    return [Prompt(prompt_for(model, seed), seed, (model.config.begin_of_audio_token_id,)) for seed in range(n)]


@pytest.mark.slow
@given(
    st.sampled_from([key for key in sorted(MODELS) if key[0] != "ar"]),
    configs,
    st.lists(st.integers(0, 10**6), min_size=1, max_size=3, unique=True),
    st.booleans(),
)
@settings(max_examples=12, deadline=None)
def test_it_ends_in_exact_and_in_block(
    key: tuple[str, int, int], chosen: DecodeConfig, seeds: list[int], causal_prompt: bool
) -> None:
    model = copy.copy(MODELS[key])
    if causal_prompt:
        model.config = dataclasses.replace(model.config, prompt_audio="causal")
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in seeds]

    def answers(**changed: Any) -> Any:
        return generate(model, prompts, dataclasses.replace(chosen, **changed), batch_size=len(prompts))

    for every, other in ((1, "exact"), (ENDLESS, "block")):
        for one, expected in zip(answers(cache="refresh", refresh_every=every), answers(cache=other), strict=True):
            same(one, expected)


@pytest.mark.parametrize(("every", "other"), [(1, "exact"), (ENDLESS, "block")])
@pytest.mark.parametrize("strategy", ["topk", "mapi", "remdm:start=0.7,back=2", "edit:tau_mask=0.3,tau_edit=0.15"])
def test_every_kind_of_strategy_has_its_ends(strategy: str, every: int, other: Any) -> None:
    model = MODELS["hybrid", 60, 1]
    chosen = DecodeConfig(strategy=strategy, block_length=4, steps_per_block=3, max_text_tokens=6, max_audio_tokens=24)
    prompts = opened(model, 4)
    refreshed = generate(model, prompts, dataclasses.replace(chosen, cache="refresh", refresh_every=every))
    assert any(len(span) > 8 for answer in refreshed for span in answer.spans)
    for one, expected in zip(
        refreshed, generate(model, prompts, dataclasses.replace(chosen, cache=other)), strict=True
    ):
        same(one, expected)


@pytest.mark.parametrize("strategy", ["topk", "mapi"])
def test_an_answer_is_the_same_alone_and_in_a_batch(strategy: str) -> None:
    model = MODELS["hybrid", 6, 2]
    chosen = DecodeConfig(
        strategy=strategy,
        cache="refresh",
        refresh_every=2,
        block_length=4,
        steps_per_block=3,
        text_temperature=1.5,
        audio_temperature=1.0,
        max_text_tokens=6,
        max_audio_tokens=24,
    )
    prompts = opened(model, 8)
    for one, other in zip(
        generate(model, prompts, chosen, batch_size=5), generate(model, prompts, chosen), strict=True
    ):
        same(one, other)


def test_models_of_next_tokens_have_nothing_to_refresh() -> None:
    model = MODELS["ar", 60, 1]
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in range(6)]
    chosen = DecodeConfig(max_text_tokens=10, max_audio_tokens=30)
    for one, other in zip(
        generate(model, prompts, dataclasses.replace(chosen, cache="refresh", refresh_every=3)),
        generate(model, prompts, chosen),
        strict=True,
    ):
        same(one, other)


def rows_of(model: TtTModel, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> list[int]:
    """Rows of every pass from the one that opens a span of three blocks of four codes, two steps each, to its close."""
    counted: list[int] = []
    step = model.step

    def counting(groups: Sequence[RowGroup]) -> torch.Tensor:
        counted.append(sum(len(group.limit) for group in groups))
        return step(groups)

    monkeypatch.setattr(model, "step", counting)
    config = model.config
    codes = tuple(config.code_id_start + (5 * i) % 60 for i in range(11))
    forced = (config.begin_of_audio_token_id, *codes, config.end_of_audio_new_token_id, 3)
    chosen = DecodeConfig(block_length=4, steps_per_block=2, max_text_tokens=2, **changed)
    generate(model, [Prompt(prompt_for(model, 1), forced=forced)], chosen)
    return counted[1:]


@pytest.mark.parametrize(
    ("changed", "rows"),
    [
        # The opening token rides with the first pass; the last pass writes the text token behind the span.
        ({"cache": "exact"}, [1 + 4, 4, 4 + 4, 4 + 4, 8 + 4, 8 + 4, 12]),
        # A finished block is run once more with the next pass, in which it holds its tokens, and then frozen.
        ({"cache": "block"}, [1 + 4, 4, 4 + 4, 4, 4 + 4, 4, 4]),
        # Every second pass runs the span from its start.
        ({"cache": "refresh", "refresh_every": 2}, [1 + 4, 4, 4 + 4, 4 + 4, 4 + 4, 8 + 4, 4]),
        ({"cache": "refresh", "refresh_every": 3}, [1 + 4, 4, 4 + 4, 4, 4 + 4, 8 + 4, 4]),
        ({"cache": "refresh", "refresh_every": 7}, [1 + 4, 4, 4 + 4, 4, 4 + 4, 4, 12]),
    ],
)
def test_rows_of_every_pass_by_hand(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], rows: list[int]) -> None:
    assert rows_of(copy.copy(MODELS["hybrid", 60, 1]), monkeypatch, **changed) == rows


def test_more_refreshing_is_nearer_to_exact() -> None:
    model = MODELS["hybrid", 60, 1]
    prompts = opened(model, 12)
    chosen = DecodeConfig(block_length=4, max_text_tokens=8, max_audio_tokens=40, refresh_every=2)
    refresh, block = (measure_divergence(model, prompts, chosen, cache=cache) for cache in ("refresh", "block"))
    assert 0 < block.same_codes < refresh.same_codes < 1


def test_a_period_of_no_passes_is_refused() -> None:
    with pytest.raises(DecodeError, match="refresh_every=0: expected at least 1"):
        DecodeConfig(cache="refresh", refresh_every=0)
