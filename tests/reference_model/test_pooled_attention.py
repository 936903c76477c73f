"""Decode passes in which all sequences share two attention calls over one pool: the answers of a call for each.

xformers has no operator for a CPU, so its call is stood in for by one written in loops; that its biases say what the
runs say is tested in ``test_backends.py``, and the operator itself by ``benchmarks/gpu_check.py`` on CUDA.
"""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from reference_model.attention import Chooser
from reference_model.cache import CachePool, KeyValueCache
from reference_model.decoding import CacheMode, DecodeConfig, Engine, Prompt, generate
from reference_model.errors import BackendError
from reference_model.transformer import RowGroup, TtTModel

from .cases import MODELS, prompt_for, same
from .loops import Loops
from .shapes import random_model, tiny_config


def sharing(model: TtTModel, operator: Loops) -> TtTModel:
    """The same weights, with ``operator`` in place of xformers'."""
    other = copy.copy(model)
    other.attention, other.chooser = "xformers", Chooser(operator)
    return other


@pytest.mark.parametrize("key", sorted(MODELS))
@pytest.mark.parametrize("mode", ["exact", "block"])
@pytest.mark.parametrize("cfg", [0.0, 0.5])
def test_answers_are_those_of_a_call_for_each_sequence(key: tuple[str, int, int], mode: CacheMode, cfg: float) -> None:
    model, operator = MODELS[key], Loops()
    chosen = DecodeConfig(
        cache=mode,
        block_length=5,
        steps_per_block=2,
        text_temperature=1.5,
        audio_temperature=1.0,
        max_text_tokens=8,
        max_audio_tokens=16,
        cfg=0.0 if key[0] == "ar" else cfg,
    )
    prompts = [Prompt(prompt_for(model, case), seed=case) for case in range(6)]
    alone = generate(model, prompts, chosen)
    engine = Engine(sharing(model, operator), chosen, max_batch=4, max_cache_positions=400)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    for handle, expected in zip(handles, alone, strict=True):
        same(engine.answers[handle], expected)
    assert max(operator.n_rows) > 4


@pytest.mark.parametrize("strategy", ["mapi", "pmi"])
def test_variants_and_blocks_without_context_keep_their_own_calls(strategy: str) -> None:
    """``mapi`` runs several contents of one block, which cannot share its places; ``pmi`` a block without context."""
    model, loops = MODELS["hybrid", 60, 1], Loops()
    chosen = DecodeConfig(strategy=strategy, block_length=6, max_text_tokens=6, max_audio_tokens=18)
    prompts = [Prompt(prompt_for(model, case), seed=case) for case in range(4)]
    engine = Engine(sharing(model, loops), chosen, max_cache_positions=400)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    assert loops.n_rows
    for handle, expected in zip(handles, generate(model, prompts, chosen), strict=True):
        same(engine.answers[handle], expected)


def test_one_pass_makes_at_most_two_calls_a_layer() -> None:
    """A text row, an open block and a prompt, of three sequences: rows of texts in one call, of spans in the other."""
    config, loops = tiny_config(), Loops()
    model = random_model(config, dtype=torch.float64)
    pool = CachePool(config, 40, torch.float64, torch.device("cpu"))
    groups = []
    for first, ids, limit in (
        (6, [3], [7]),
        (4, [33, 33, 33], [7, 7, 7]),
        (0, [1, 13, 22, 23, 15, 2], [1, 2, 4, 4, 5, 6]),
    ):
        cache = pool.take(10)
        assert cache is not None
        for layer in cache.views(0, first):
            layer.normal_(generator=torch.Generator().manual_seed(first))
        groups.append(RowGroup(torch.tensor(ids), first, tuple(limit), cache))
    together = sharing(model, loops).step(groups)
    assert loops.n_rows == [5, 5] * config.num_hidden_layers
    apart = torch.cat([model.step([dataclasses.replace(group)]) for group in groups])
    torch.testing.assert_close(together, apart, atol=1e-12, rtol=1e-12)


def test_without_a_bound_sequences_like_the_first_share_a_pool_and_longer_ones_have_their_own_memory() -> None:
    model, loops = MODELS["hybrid", 60, 1], Loops()
    chosen = DecodeConfig(block_length=6, max_text_tokens=6, max_audio_tokens=18)
    short = [Prompt(prompt_for(model, case), seed=case) for case in range(3)]
    long = Prompt(prompt_for(model, 3) * 12, seed=3, forced=(1, 2, 3))
    prompts = [*short, long]
    engine = Engine(sharing(model, loops), chosen, max_batch=4)
    handles = [engine.submit(prompt) for prompt in prompts]
    engine.step()
    n_shared = 4 * (len(short[0].ids) + 6 + 18 + 6)
    n_alone = len(long.ids) + 256
    assert engine.cache_bytes == (n_shared + n_alone) * KeyValueCache.bytes_per_position(model.config, torch.float64)
    while engine.step():
        pass
    assert max(loops.n_rows) > max(len(prompt.ids) for prompt in short)
    for handle, expected in zip(handles, generate(model, prompts, chosen), strict=True):
        same(engine.answers[handle], expected)


def test_xformers_on_a_cpu_is_refused_before_a_pass_is_run() -> None:
    model = TtTModel(tiny_config(), attention="xformers").eval()
    with pytest.raises(BackendError, match=r"CUDA only.*attention='sdpa'"):
        generate(model, [Prompt((1, 2, 3))])
