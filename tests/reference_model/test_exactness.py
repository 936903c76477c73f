"""``exact`` writes the tokens of ``none``; that ``none`` writes those of the published loop: test_published_loop."""

from __future__ import annotations

import copy
import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.decoding import DecodeConfig, Prompt, generate

from .cases import FILLING, MODELS, prompt_for, same

decode_configs = st.builds(
    DecodeConfig,
    block_length=st.integers(1, 64),
    steps_per_block=st.integers(1, 6),
    text_temperature=st.sampled_from([0.0, 1.0, 2.0]),
    text_top_k=st.sampled_from([0, 3, 10]),
    text_top_p=st.sampled_from([1.0, 0.9]),
    audio_temperature=st.sampled_from([0.0, 0.8]),
    min_text_after_audio=st.integers(0, 2),
    max_text_tokens=st.integers(1, 12),
    max_audio_tokens=st.one_of(st.integers(0, 40), st.integers(41, 100)),
    forbid_non_audio=st.booleans(),
    forbid_audio_in_text=st.booleans(),
)
model_keys = st.sampled_from(sorted(MODELS))


@pytest.mark.slow
@given(
    model_keys,
    decode_configs,
    st.lists(st.integers(0, 10**6), min_size=1, max_size=3, unique=True),
    st.sampled_from([0.0, 0.1, 2.0]),
    st.booleans(),
    st.sampled_from(("topk", *FILLING)),
)
@settings(max_examples=100, deadline=None)
def test_a_ragged_batch_with_exact_equals_none_alone(
    key: tuple[str, int, int], chosen: DecodeConfig, seeds: list[int], cfg: float, causal_prompt: bool, strategy: str
) -> None:
    model = MODELS[key]
    if causal_prompt:
        model = copy.copy(model)
        model.config = dataclasses.replace(model.config, prompt_audio="causal")
    if key[0] != "ar":
        chosen = dataclasses.replace(chosen, cfg=cfg, strategy=strategy)
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in seeds]
    together = generate(model, prompts, dataclasses.replace(chosen, cache="exact"), batch_size=len(prompts))
    for exact, prompt in zip(together, prompts, strict=True):
        same(exact, generate(model, [prompt], dataclasses.replace(chosen, cache="none"))[0])


@pytest.mark.slow
@pytest.mark.parametrize("block_length", [*range(1, 33), 47, 64])
def test_exact_equals_none_for_an_end_token_at_every_position_of_the_block(block_length: int) -> None:
    """The span is given, so that no position is missed; how its block is filled, and what follows, are free."""
    model = MODELS["hybrid", 60, 1]
    config = model.config
    begin, end = config.begin_of_audio_token_id, config.end_of_audio_new_token_id
    prompts = []
    for position in range(block_length):
        # In a block behind another one, too; a span of three long blocks would show nothing more.
        n_codes = position + (block_length if position % 2 and block_length <= 32 else 0)
        ids = (begin, *(config.code_id_start + (7 * i + position) % 60 for i in range(n_codes)), end)
        prompts.append(Prompt(prompt_for(model, position), position, forced=ids))
    chosen = DecodeConfig(
        block_length=block_length,
        steps_per_block=1 + block_length % 3,
        cfg=0.4 * (block_length % 2),
        text_temperature=block_length // 2 % 2,
        audio_temperature=block_length // 4 % 2,
        max_text_tokens=3,
        max_audio_tokens=2 * block_length,
        min_text_after_audio=1,
    )
    together = generate(model, prompts, dataclasses.replace(chosen, cache="exact"), batch_size=7)
    for exact, prompt in zip(together, prompts, strict=True):
        assert exact.ids[: len(prompt.forced)] == prompt.forced
        assert len(exact.ids) > len(prompt.forced)
        same(exact, generate(model, [prompt], dataclasses.replace(chosen, cache="none"))[0])


@pytest.mark.parametrize("block_length", [4, 8])
def test_exact_equals_none_wherever_the_drawn_end_token_falls(block_length: int) -> None:
    model = MODELS["hybrid", 6, 2]
    seen, most_spans = set(), 0
    for seed in range(60):
        chosen = DecodeConfig(
            block_length=block_length,
            steps_per_block=2,
            audio_temperature=3.0,
            text_temperature=2.0,
            max_text_tokens=10,
        )
        prompt = Prompt(prompt_for(model, seed), seed)
        exact, none = (
            generate(model, [prompt], dataclasses.replace(chosen, cache=mode))[0] for mode in ("exact", "none")
        )
        same(exact, none)
        seen |= {len(span) % block_length for span in exact.spans}
        most_spans = max(most_spans, len(exact.spans))
    assert seen == set(range(block_length))
    assert most_spans >= 3


@pytest.mark.parametrize("cfg", [0.0, 0.5])
def test_exact_equals_none_with_text_inside_a_block(cfg: float) -> None:
    """The released behavior lets text be drawn there: it cuts the span in two before its rows were run complete."""
    model = MODELS["hybrid", 6, 2]
    chosen = DecodeConfig(
        block_length=8,
        steps_per_block=3,
        cfg=cfg,
        audio_temperature=2.0,
        forbid_non_audio=False,
        max_text_tokens=4,
        max_audio_tokens=40,
    )
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in range(30)]
    exact, none = (generate(model, prompts, dataclasses.replace(chosen, cache=mode)) for mode in ("exact", "none"))
    start = model.config.audio_token_id_start
    assert sum(sum(token < start for token in answer.ids) > chosen.max_text_tokens for answer in none) > 5
    for one, other in zip(exact, none, strict=True):
        same(one, other)


@pytest.mark.parametrize("strategy", FILLING)
@pytest.mark.parametrize("cfg", [0.0, 0.5])
@pytest.mark.parametrize("forbid_non_audio", [True, False])
def test_block_equals_none_for_spans_of_one_block(strategy: str, cfg: float, forbid_non_audio: bool) -> None:
    model = MODELS["hybrid", 6, 2]
    chosen = DecodeConfig(
        strategy=strategy,
        block_length=40,
        steps_per_block=4,
        cfg=cfg,
        text_temperature=1.5,
        audio_temperature=1.0,
        max_text_tokens=10,
        max_audio_tokens=40,
        forbid_non_audio=forbid_non_audio,
    )
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in range(5)]
    block, none = (generate(model, prompts, dataclasses.replace(chosen, cache=mode)) for mode in ("block", "none"))
    assert any(answer.spans for answer in none)
    for one, other in zip(block, none, strict=True):
        # The budget may cut a later span into a shorter block, which is still one block.
        same(one, other)


def test_block_equals_none_for_models_of_next_tokens() -> None:
    """Every row of theirs is causal, so nothing that is frozen could still change."""
    model = MODELS["ar", 60, 1]
    chosen = DecodeConfig(text_temperature=1.5, audio_temperature=1.0, max_text_tokens=10, max_audio_tokens=40)
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in range(12)]
    block, none = (generate(model, prompts, dataclasses.replace(chosen, cache=mode)) for mode in ("block", "none"))
    for one, other in zip(block, none, strict=True):
        same(one, other)


def test_block_differs_somewhere_in_spans_of_several_blocks() -> None:
    model = MODELS["hybrid", 60, 1]
    chosen = DecodeConfig(block_length=4, max_text_tokens=8, max_audio_tokens=60)
    prompts = [Prompt(prompt_for(model, seed), seed) for seed in range(20)]
    block, none = (generate(model, prompts, dataclasses.replace(chosen, cache=mode)) for mode in ("block", "none"))
    assert [a.ids for a in block] != [a.ids for a in none]


@pytest.mark.parametrize("seed", range(10))
def test_released_settings_are_exact_too(seed: int) -> None:
    model = MODELS["hybrid", 60, 1]
    chosen = dataclasses.replace(DecodeConfig.released(), max_text_tokens=20, max_audio_tokens=80)
    prompt = Prompt(prompt_for(model, seed), seed)
    exact, none = (generate(model, [prompt], dataclasses.replace(chosen, cache=mode))[0] for mode in ("exact", "none"))
    same(exact, none)
