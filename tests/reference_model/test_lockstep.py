"""Lockstep decoding writes what the engine writes, and asks the device for no number on the way."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from reference_model.cache import KeyValueCache
from reference_model.decoding import DecodeConfig, Prompt, generate
from reference_model.decoding.lockstep import Lockstep
from reference_model.errors import DecodeError
from reference_model.limits import limits
from reference_model.transformer import RowGroup, TtTModel

from .cases import MODELS, prompt_for

BLOCK = 6


def prefix(model: TtTModel, ids: tuple[int, ...]) -> KeyValueCache:
    cache = KeyValueCache(model.config, len(ids) + 8, model.dtype, model.device)
    limit = limits(torch.tensor(ids), model.config.audio_token_id_start)
    model.step([RowGroup(torch.tensor(ids), 0, tuple(limit.tolist()), cache)])
    cache.length = len(ids)
    return cache


def free(model: TtTModel, ids: tuple[int, ...], forced: tuple[int, ...], n_text: int) -> tuple[int, ...]:
    """What the engine writes behind the forced tokens."""
    settings = DecodeConfig(block_length=BLOCK, max_text_tokens=n_text, max_audio_tokens=BLOCK)
    (answer,) = generate(model, [Prompt(ids, forced=forced)], settings)
    return answer.ids[len(forced) :]


def cut(model: TtTModel, block: list[int]) -> tuple[int, ...]:
    ends = [i for i, token in enumerate(block) if token in model.config.span_end_ids]
    return tuple(block[: ends[0] + 1] if ends else block)


@pytest.mark.parametrize("key", [("hybrid", 6, 2), ("hybrid", 60, 1)])
def test_a_ragged_batch_writes_the_engines_text_and_blocks(key: tuple[str, int, int]) -> None:
    model = MODELS[key]
    prompts = [prompt_for(model, case) for case in range(5)]
    together = Lockstep(model, [prefix(model, ids) for ids in prompts], 64, block_length=BLOCK)
    tokens = [5, 6, 7, 8, 9]
    for _ in range(3):
        logits = together.text(torch.tensor(tokens).unsqueeze(1))
        prompts = [(*ids, token) for ids, token in zip(prompts, tokens, strict=True)]
        tokens = logits[:, :13].argmax(-1).tolist()
        unfiltered = logits.argmax(-1).tolist()
        assert unfiltered == [free(model, ids, (), 1)[0] for ids in prompts]
    begin = model.config.begin_of_audio_token_id
    blocks = together.block(torch.full((5,), begin)).tolist()
    for ids, block in zip(prompts, blocks, strict=True):
        assert cut(model, block) == free(model, ids, (begin,), 2)[: len(cut(model, block))]


def test_a_closed_span_is_run_with_the_next_text_token() -> None:
    model = MODELS["hybrid", 60, 1]
    prompts = [prompt_for(model, case) for case in range(3)]
    together = Lockstep(model, [prefix(model, ids) for ids in prompts], 64, block_length=BLOCK)
    begin, end = model.config.begin_of_audio_token_id, model.config.end_of_audio_new_token_id
    together.block(torch.full((3,), begin))
    code = model.config.code_id_start
    span = (code, code + 3, code + 1, code + 7, code + 2, end)
    found = together.text(torch.tensor([span] * 3)).argmax(-1).tolist()
    assert found == [free(model, ids, (begin, *span), 2)[0] for ids in prompts]
    assert together.lengths.tolist() == [len(ids) + 1 + BLOCK for ids in prompts]


class Asked(TorchDispatchMode):
    """Notes every operation whose outcome, or its shape, the host must wait for."""

    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "unique", "_unique2", "is_nonzero")

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.waited: list[str] = []
        self.n_calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        self.n_calls += 1
        if name in self.WAITING:
            self.waited.append(name)
        return func(*args, **(kwargs or {}))


def test_a_block_and_a_text_pass_ask_the_device_for_nothing() -> None:
    model = MODELS["hybrid", 6, 2]
    together = Lockstep(model, [prefix(model, prompt_for(model, case)) for case in range(3)], 64, block_length=BLOCK)
    ids = torch.tensor([[5], [6], [7]])
    with Asked() as asked:
        together.text(ids)
        together.block(ids[:, 0])
    assert asked.n_calls > 20
    assert asked.waited == []
    with Asked() as asked:
        int(ids.sum())
    assert asked.waited == ["_local_scalar_dense"]


def test_a_model_without_blocks_is_refused() -> None:
    with pytest.raises(DecodeError, match="'ar'"):
        Lockstep(MODELS["ar", 6, 2], [], 64)


def test_more_than_the_room_is_refused() -> None:
    model = MODELS["hybrid", 6, 2]
    small = Lockstep(model, [prefix(model, prompt_for(model, 1))], 1, block_length=BLOCK)
    # What is set aside is a multiple of 64 positions.
    assert len(prompt_for(model, 1)) < 64
    with pytest.raises(DecodeError, match="more room"):
        small.text(torch.ones(1, 64, dtype=torch.int64))


def test_what_was_written_can_be_forgotten() -> None:
    model = MODELS["hybrid", 6, 2]
    ids = prompt_for(model, 1)
    one = Lockstep(model, [prefix(model, ids)], 64, block_length=BLOCK)
    first = one.text(torch.tensor([[5]])).clone()
    one.block(torch.tensor([13]))
    one.rewind(len(ids))
    assert torch.equal(one.text(torch.tensor([[5]])), first)
    with pytest.raises(DecodeError, match="shortest"):
        one.rewind(len(ids) + 1)
