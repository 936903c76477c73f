"""The pool of caches: no two sequences share a position, nothing is lost, and an engine stays within it."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model.cache import CachePool, KeyValueCache
from reference_model.decoding import CacheMode, DecodeConfig, Engine, Prompt, generate
from reference_model.errors import DecodeError

from .cases import MODELS, prompt_for, same
from .shapes import tiny_config

CONFIG = tiny_config()
CPU = torch.device("cpu")
SETTINGS = DecodeConfig(block_length=5, steps_per_block=2, max_text_tokens=8, max_audio_tokens=16)
NEED = 8 + 16 + 5


def pool_of(n_positions: int) -> CachePool:
    return CachePool(CONFIG, n_positions, torch.float32, CPU)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=40))
def test_slots_never_overlap_and_everything_comes_back(steps: list[tuple[bool, int]]) -> None:
    pool = pool_of(64)
    held: list[KeyValueCache] = []
    for gives_back, n in steps:
        if gives_back and held:
            pool.give_back(held.pop(n % len(held)))
        elif (cache := pool.take(n)) is not None:
            held.append(cache)
        slots = sorted((cache.slot.first, cache.slot.end) for cache in held if cache.slot)
        assert len(slots) == len(held)
        assert all(0 <= first < end <= 64 for first, end in slots)
        assert all(before[1] <= after[0] for before, after in pairwise(slots))
        assert pool.n_free == 64 - sum(end - first for first, end in slots)
    for cache in held:
        pool.give_back(cache)
    assert pool.take(64) is not None


def test_what_a_cache_writes_lies_at_its_slot_alone() -> None:
    pool = pool_of(10)
    for layer in range(CONFIG.num_hidden_layers):
        for part in pool.layer(layer):
            part.zero_()
    pool.take(3)
    cache = pool.take(4)
    assert cache is not None
    cache.views(1, 3)[1].fill_(7.0)
    keys, values = pool.layer(1)
    for part in (keys, values):
        assert part[0, :, 0].tolist() == [0, 0, 0, 0, 7, 7, 0, 0, 0, 0]
    assert not pool.layer(0)[0].any()


def test_its_memory_is_what_the_positions_cost() -> None:
    assert pool_of(100).n_bytes == 100 * KeyValueCache.bytes_per_position(CONFIG, torch.float32)


def test_a_slot_is_not_outgrown() -> None:
    cache = pool_of(10).take(4)
    assert cache is not None
    with pytest.raises(DecodeError, match="5 positions does not fit into a cache of 4"):
        cache.reserve(5)


def test_a_cache_is_given_back_once_and_to_its_own_pool() -> None:
    pool, other = pool_of(10), pool_of(10)
    cache = pool.take(4)
    assert cache is not None
    with pytest.raises(DecodeError, match="holds no positions of this pool"):
        other.give_back(cache)
    pool.give_back(cache)
    with pytest.raises(DecodeError, match="holds no positions of this pool"):
        pool.give_back(cache)
    with pytest.raises(DecodeError, match="holds no positions of this pool"):
        pool.give_back(KeyValueCache(CONFIG, 4, torch.float32, CPU))


@pytest.mark.parametrize("key", sorted(MODELS))
@pytest.mark.parametrize("mode", ["exact", "block"])
def test_requests_wait_for_room_and_all_are_answered_alike(key: tuple[str, int, int], mode: CacheMode) -> None:
    """Room for two and a half requests, sixteen asked: never three at once, and the answers of unbounded memory."""
    chosen = dataclasses.replace(SETTINGS, cache=mode, text_temperature=1.5, audio_temperature=1.0)
    prompts = [Prompt(prompt_for(MODELS[key], case), seed=case) for case in range(16)]
    longest = max(len(prompt.ids) for prompt in prompts)
    engine = Engine(MODELS[key], chosen, max_batch=16, max_cache_positions=int(2.5 * (NEED + longest)))
    handles = [engine.submit(prompt) for prompt in prompts]
    allocated = engine.cache_bytes
    at_once = []
    while engine.step():
        at_once.append(engine.n_running)
        assert engine.cache_bytes == allocated
    assert max(at_once) >= 2
    assert len(at_once) > max(len(engine.answers[handle].ids) for handle in handles) / 5
    for handle, expected in zip(handles, generate(MODELS[key], prompts, chosen), strict=True):
        same(engine.answers[handle], expected)


def test_a_cancelled_request_leaves_its_room_to_the_next() -> None:
    model = MODELS["hybrid", 6, 2]
    prompt = Prompt(prompt_for(model, 3), seed=3)
    engine = Engine(model, SETTINGS, max_cache_positions=NEED + len(prompt.ids))
    first, second = engine.submit(prompt), engine.submit(prompt)
    engine.step()
    engine.step()
    assert engine.n_running == 1
    engine.cancel(first)
    while engine.step():
        pass
    assert engine.answers[first].finish_reason == "cancelled"
    same(engine.answers[second], generate(model, [prompt], SETTINGS)[0])


def test_a_request_that_can_never_fit_is_refused_at_once() -> None:
    model = MODELS["hybrid", 6, 2]
    prompt = Prompt(prompt_for(model, 3))
    engine = Engine(model, SETTINGS, max_cache_positions=NEED + len(prompt.ids) - 1)
    with pytest.raises(DecodeError, match="raise it or lower max_text_tokens and max_audio_tokens"):
        engine.submit(prompt)


@pytest.mark.parametrize("seed", range(12))
def test_the_longest_answer_fits_its_slot(seed: int) -> None:
    """Models that hardly ever stop, blocks that don't divide the budget, guidance, spans that follow one another."""
    model = MODELS["hybrid", 60, 1]
    chosen = dataclasses.replace(SETTINGS, block_length=7 + seed % 3, cfg=(0.0, 0.5)[seed % 2], min_text_after_audio=2)
    prompt = Prompt(prompt_for(model, seed), seed=seed)
    need = len(prompt.ids) + 8 + 16 + chosen.block_length
    engine = Engine(model, chosen, max_cache_positions=need)
    handle = engine.submit(prompt)
    while engine.step():
        pass
    same(engine.answers[handle], generate(model, [prompt], chosen)[0])
