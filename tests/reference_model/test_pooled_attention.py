"""Decode passes in which all sequences share two attention calls over one pool: the answers of a call for each.

xformers has no operator for a CPU, so its call is stood in for by one written in loops; that its biases say what the
runs say is tested in ``test_backends.py``, and the operator itself by ``benchmarks/gpu_check.py`` on CUDA.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from cases import MODELS, prompt_for, same
from shapes import random_model, tiny_config
from torch import Tensor

from reference_model.attention.xformers import Runs
from reference_model.cache import CachePool
from reference_model.decoding import DecodeConfig, Engine, Prompt, generate
from reference_model.errors import BackendError
from reference_model.transformer import RowGroup, TtTModel


class Loops:
    """What xformers' gappy biases mean, row by row. Counts its calls, and the rows of each."""

    def __init__(self) -> None:
        self.n_rows: list[int] = []

    def prepare(self, runs: Runs, causal: bool, total_keys: int, device: torch.device) -> Any:
        del device
        seen = []
        for n_rows, first, n_keys in zip(runs.n_rows, runs.key_start, runs.n_keys, strict=True):
            assert 0 <= first <= first + n_keys <= total_keys
            seen += [(first, first + n_keys - (n_rows - 1 - r if causal else 0)) for r in range(n_rows)]
        return seen

    def attend(self, rows: Tensor, keys: Tensor, values: Tensor, prepared: Any) -> Tensor:
        self.n_rows.append(rows.shape[1])
        out = torch.empty_like(rows)
        for row, (first, end) in enumerate(prepared):
            scores = torch.einsum("hgd,khgd->khg", rows[0, row], keys[0, first:end]) / rows.shape[-1] ** 0.5
            out[0, row] = torch.einsum("khg,khgd->hgd", scores.softmax(0), values[0, first:end])
        return out


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> Loops:
    operator = Loops()
    monkeypatch.setattr(TtTModel, "_pool_operator", lambda model: operator)
    return operator


@pytest.mark.parametrize("key", sorted(MODELS))
@pytest.mark.parametrize("mode", ["exact", "block"])
@pytest.mark.parametrize("cfg", [0.0, 0.5])
def test_answers_are_those_of_a_call_for_each_sequence(
    monkeypatch: pytest.MonkeyPatch, key: tuple[str, int, int], mode: str, cfg: float
) -> None:
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
    monkeypatch.setattr(TtTModel, "_pool_operator", lambda model: operator)
    engine = Engine(model, chosen, max_batch=4, max_cache_positions=400)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    for handle, expected in zip(handles, alone, strict=True):
        same(engine.answers[handle], expected)
    assert max(operator.n_rows) > 4


@pytest.mark.parametrize("strategy", ["mapi", "pmi"])
def test_variants_and_blocks_without_context_keep_their_own_calls(loops: Loops, strategy: str) -> None:
    """``mapi`` runs several contents of one block, which cannot share its places; ``pmi`` a block without context."""
    model = MODELS["hybrid", 60, 1]
    chosen = DecodeConfig(strategy=strategy, block_length=6, max_text_tokens=6, max_audio_tokens=18)
    prompts = [Prompt(prompt_for(model, case), seed=case) for case in range(4)]
    engine = Engine(model, chosen, max_cache_positions=400)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    assert loops.n_rows
    for handle, expected in zip(handles, generate(model, prompts, chosen), strict=True):
        same(engine.answers[handle], expected)


def test_one_pass_makes_at_most_two_calls_a_layer(loops: Loops) -> None:
    """A text row, an open block and a prompt, of three sequences: rows of texts in one call, of spans in the other."""
    config = tiny_config()
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
    together = model.step(groups)
    assert loops.n_rows == [5, 5] * config.num_hidden_layers
    apart = torch.cat([model.step([dataclasses.replace(group)]) for group in groups])
    torch.testing.assert_close(together, apart, atol=1e-12, rtol=1e-12)


def test_xformers_on_a_cpu_is_refused_before_a_pass_is_run() -> None:
    model = TtTModel(tiny_config(), attention="xformers").eval()
    with pytest.raises(BackendError, match=r"CUDA only.*attention='sdpa'"):
        generate(model, [Prompt((1, 2, 3))])
