"""Decoding equals the published loop, token for token, over the grid of its settings and over any others.

The other side is ``oracle``, which shares the network's weights with the decoder and nothing of its masks and caches.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import float64

from reference_model.config import PromptAudio
from reference_model.decoding import DecodeConfig, Engine, Prompt, generate
from reference_model.transformer import TtTModel

from .cases import MODELS, prompt_for
from .oracle import Told, oracle
from .shapes import random_model, tiny_config

BLOCKS, STEPS, GUIDANCE = (1, 3, 8, 26), (1, 2, 5), (0.0, 0.1, 1.5)
N_CODES = {1: 6, 3: 10, 8: 18, 26: 30}
"""Audio tokens of an answer by length of block: enough for a second block and its cut."""
PROMPT_AUDIO: tuple[PromptAudio, ...] = ("bidirectional", "causal")
TEXT = ((0.0, 0, 1.0), (1.0, 10, 0.95), (1.0, 0, 0.9), (0.7, 3, 1.0))
"""Temperature, top-k and top-p: greedy, as published, and each filter alone."""


def with_prompt_audio(model: TtTModel, prompt_audio: PromptAudio) -> TtTModel:
    model = copy.copy(model)
    model.config = dataclasses.replace(model.config, prompt_audio=prompt_audio)
    return model


def answers_of(model: TtTModel, prompts: list[Prompt], chosen: DecodeConfig, room: int | None = None) -> list[Told]:
    """What the published loop says, after the decoder has said the same: uncached alone, and cached in a batch."""
    told = [oracle(model, prompt, chosen) for prompt in prompts]
    expected = [one.ids for one in told]
    uncached = generate(model, prompts, dataclasses.replace(chosen, cache="none"))
    assert [answer.ids for answer in uncached] == expected
    engine = Engine(model, dataclasses.replace(chosen, cache="exact"), max_cache_positions=room)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    assert [engine.answers[handle].ids for handle in handles] == expected
    return told


def cases_of_the_grid() -> list[object]:
    """All of it; without the slow tests, one length and one number of steps."""
    return [
        pytest.param(*case, marks=[] if case[:2] == (8, 2) else [pytest.mark.slow])
        for case in itertools.product(BLOCKS, STEPS, GUIDANCE, (True, False), PROMPT_AUDIO)
        if case[:2] != (1, 2)  # more steps than a block has codes: (1, 5) and (3, 5)
    ]


@pytest.mark.parametrize(("block_length", "steps", "cfg", "forbid_non_audio", "prompt_audio"), cases_of_the_grid())
def test_decoding_is_the_published_loop(
    block_length: int, steps: int, cfg: float, forbid_non_audio: bool, prompt_audio: PromptAudio
) -> None:
    """With every way to draw text; in spans that either token opens, and of several blocks."""
    told: list[Told] = []
    for number, (text, forbid_audio_in_text) in enumerate(itertools.product(TEXT, (True, False))):
        model = with_prompt_audio(MODELS["hybrid", *((6, 2), (60, 1))[number % 2]], prompt_audio)
        temperature, top_k, top_p = text
        chosen = DecodeConfig(
            strategy="topk",
            block_length=block_length,
            steps_per_block=steps,
            cfg=cfg,
            text_temperature=temperature,
            text_top_k=top_k,
            text_top_p=top_p,
            forbid_non_audio=forbid_non_audio,
            forbid_audio_in_text=forbid_audio_in_text,
            min_text_after_audio=number % 3,
            max_text_tokens=5,
            max_audio_tokens=N_CODES[block_length],
        )
        # Either token opens a span of either model, as text is drawn in every way.
        opener = model.config.span_begin_ids[(number + number // 2) % 2]
        told += answers_of(model, [Prompt(prompt_for(model, number), seed=number, forced=(opener,))], chosen)
    # What the grid is about does happen: a text id that was drawn among masks cuts the span before the next step.
    n_cut = sum(one.n_cut > 0 for one in told)
    assert n_cut >= len(told) // 4 if steps > 1 and block_length > 1 and not forbid_non_audio else n_cut == 0
    assert max(n for one in told for n in one.n_blocks) > 1


any_settings = st.builds(
    DecodeConfig,
    strategy=st.just("topk"),
    block_length=st.integers(1, 30),
    steps_per_block=st.integers(1, 8),
    cfg=st.one_of(st.sampled_from([0.0, 0.1]), st.floats(0.01, 3.0)),
    text_temperature=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    text_top_k=st.integers(0, 12),
    text_top_p=st.sampled_from([1.0, 0.95, 0.5]),
    forbid_non_audio=st.booleans(),
    forbid_audio_in_text=st.booleans(),
    min_text_after_audio=st.integers(0, 3),
    max_text_tokens=st.integers(1, 12),
    max_audio_tokens=st.integers(0, 60),
)


@pytest.mark.slow
@given(
    st.integers(0, 10**6),
    st.integers(1, 40),
    any_settings,
    st.lists(st.integers(0, 10**6), min_size=1, max_size=4, unique=True),
    st.sampled_from(PROMPT_AUDIO),
    st.sampled_from([None, 256]),
)
@settings(max_examples=60, deadline=None)
def test_any_model_and_settings_decode_as_the_published_loop(
    weights: int,
    n_codes: int,
    chosen: DecodeConfig,
    seeds: list[int],
    prompt_audio: PromptAudio,
    room: int | None,
) -> None:
    model = random_model(tiny_config(n_codes, prompt_audio=prompt_audio), seed=weights, dtype=float64)
    answers_of(model, [Prompt(prompt_for(model, seed), seed) for seed in seeds], chosen, room)
