"""The same request alone, in a batch at any place, and joining late: the same tokens, whatever strategy and cache.

In fp64 without exception. In fp32 and bfloat16 matrix kernels may sum in another order for another number of rows,
which can swap two candidates that are equal up to rounding: nearly all answers are the same (docs/decisions.md).
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import random
from collections.abc import Sequence

import pytest
import torch

from reference_model.decoding import Answer, CacheMode, DecodeConfig, Engine, Prompt, generate
from reference_model.transformer import RowGroup, TtTModel

from .cases import MODELS, prompt_for, same
from .shapes import random_model, tiny_config

FILLING = ("topk", "threshold:tau=0.5", "first_hitting", "mapi", "par", "pmi")
CACHES: tuple[CacheMode, ...] = ("none", "exact", "block")
N_PROMPTS = 16
SAMPLED = DecodeConfig(
    block_length=5,
    steps_per_block=3,
    text_temperature=1.5,
    text_top_k=10,
    audio_temperature=1.0,
    max_text_tokens=7,
    max_audio_tokens=12,
)

Key = tuple[str, int, int]
# Both models of each objective with the default strategy, one of them with each other strategy.
CASES: list[tuple[Key, str]] = [
    (key, strategy)
    for key in sorted(MODELS)
    for number, strategy in enumerate(("ar",) if key[0] == "ar" else FILLING)
    if number == 0 or (number % 2 == 0) == (key[1] == 6)
]
SIZES = dict(zip(itertools.product(range(len(CASES)), CACHES), itertools.cycle(range(2, 16))))  # the second is endless
"""A batch size from 2 to 15 for every case; each size has several cases."""


def prompts_for(model: TtTModel, n: int) -> list[Prompt]:
    return [Prompt(prompt_for(model, case), seed=100 + case) for case in range(n)]


def settings_for(key: Key, strategy: str, cache: CacheMode) -> DecodeConfig:
    return dataclasses.replace(SAMPLED, strategy=strategy, cache=cache, cfg=0.0 if key[0] == "ar" else 0.3)


@functools.cache
def alone(key: Key, strategy: str, cache: CacheMode) -> tuple[Answer, ...]:
    answers = generate(MODELS[key], prompts_for(MODELS[key], N_PROMPTS), settings_for(key, strategy, cache))
    assert len({answer.ids for answer in answers}) > N_PROMPTS // 2
    return tuple(answers)


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{key[0]}-{key[1]}-{name}" for key, name in CASES])
def test_an_answer_is_the_same_in_a_batch_at_any_place(case: int, cache: CacheMode) -> None:
    key, strategy = CASES[case]
    expected, prompts = alone(key, strategy, cache), prompts_for(MODELS[key], N_PROMPTS)
    for batch_size in (SIZES[case, cache], *((16,) if cache == "exact" else ())):
        order = random.Random(batch_size).sample(range(N_PROMPTS), N_PROMPTS)
        chosen = settings_for(key, strategy, cache)
        together = generate(MODELS[key], [prompts[i] for i in order], chosen, batch_size=batch_size)
        for place, index in enumerate(order):
            same(together[place], expected[index])


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{key[0]}-{key[1]}-{name}" for key, name in CASES])
def test_an_answer_is_the_same_if_it_joins_late(case: int, cache: CacheMode) -> None:
    key, strategy = CASES[case]
    expected = alone(key, strategy, cache)
    prompts, chosen, when = prompts_for(MODELS[key], N_PROMPTS), settings_for(key, strategy, cache), random.Random(case)
    # Every other case in a pool, where a request gets the memory of one that has left.
    most = max(len(prompt.ids) for prompt in prompts) + chosen.max_text_tokens + chosen.max_audio_tokens
    room = 3 * (most + chosen.block_length) if case % 2 else None
    engine = Engine(MODELS[key], chosen, max_batch=2 + case % 6, max_cache_positions=room)
    handles = []
    for prompt in prompts:
        handles.append(engine.submit(prompt))
        for _ in range(when.randrange(4)):
            engine.step()
    while engine.step():
        pass
    for handle, answer in zip(handles, expected, strict=True):
        same(engine.answers[handle], answer)


def test_requests_join_while_others_are_in_every_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above relies on: the passes it runs really mix prompts, text and blocks."""
    model = copy.copy(MODELS["hybrid", 60, 1])
    engine = Engine(model, settings_for(("hybrid", 60, 1), "topk", "exact"), max_batch=5)
    step, seen = model.step, set()

    def noting(groups: Sequence[RowGroup]) -> torch.Tensor:
        kinds = ["prompt" if g.first == 0 else "text" if len(g.limit) == 1 else "block" for g in groups if g.cache]
        seen.add(frozenset(kinds))
        return step(groups)

    monkeypatch.setattr(model, "step", noting)
    for prompt in prompts_for(model, N_PROMPTS):
        engine.submit(prompt)
        engine.step()
        engine.step()
    while engine.step():
        pass
    assert {"prompt", "text", "block"} in seen


def test_every_batch_size_from_2_to_16_is_tried() -> None:
    assert {*SIZES.values(), 16} == set(range(2, 17))


# Wide enough that bfloat16 products take the kernels of real models.
WIDE = {"hidden_size": 256, "intermediate_size": 128, "num_attention_heads": 4}
SHARE = 0.99


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_nearly_all_answers_are_the_same_in_less_than_fp64(dtype: torch.dtype) -> None:
    n_same = n_all = 0
    for objective, cache in itertools.product(("hybrid", "ar"), CACHES):
        model = random_model(tiny_config(60, objective=objective, **WIDE), seed=3, scale=0.1).to(dtype)
        prompts = prompts_for(model, 8)
        for strategy in ("ar",) if objective == "ar" else FILLING:
            chosen = settings_for((objective, 60, 2), strategy, cache)
            together = generate(model, prompts, chosen, batch_size=8)
            for one, other in zip(generate(model, prompts, chosen), together, strict=True):
                n_same += one.ids == other.ids
                n_all += 1
    assert n_all == 168
    assert n_same >= SHARE * n_all
