"""``speculate`` writes the tokens of the strategy that it speculates on, drawn or not, in no more passes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from reference_model.config import Objective
from reference_model.decoding import Block, CacheMode, DecodeConfig, Engine, Look, Prompt, generate, make_strategy
from reference_model.decoding.strategy import is_untrained
from reference_model.errors import DecodeError

from .cases import MODELS, prompt_for
from .shapes import random_model, tiny_config

INNER = [
    *("topk", "threshold:tau=0.3", "threshold:tau=0.9", "pmi", "first_hitting", "par", "mapi:variants=2"),
    *("factor", "entropy", "klass:tau=0.3", "saber", "remdm", "edit:tau_mask=0.3,tau_edit=0.2"),
]
CACHES: tuple[CacheMode, ...] = ("none", "exact", "block")
OBJECTIVES: tuple[Objective, ...] = ("hybrid", "hybrid", "nar")
any_settings = st.builds(
    DecodeConfig,
    cache=st.sampled_from(CACHES),
    block_length=st.integers(1, 12),
    steps_per_block=st.integers(1, 8),
    cfg=st.sampled_from([0.0, 0.0, 0.5]),
    text_temperature=st.sampled_from([0.0, 1.5]),
    audio_temperature=st.sampled_from([0.0, 0.0, 1.0]),
    max_text_tokens=st.integers(1, 6),
    max_audio_tokens=st.integers(0, 24),
    forbid_non_audio=st.booleans(),
)


def writes_the_same(
    weights: int,
    objective: Objective,
    inner: str,
    depth: int,
    chosen: DecodeConfig,
    seeds: Sequence[int],
) -> None:
    config = tiny_config(1 + weights % 12, objective=objective, num_hidden_layers=1)
    # Small weights make predictions that hardly change, and long chains come true.
    model = random_model(config, seed=weights, dtype=torch.float64, scale=(0.05, 0.3)[weights % 2])
    prompts = [
        Prompt(prompt_for(model, seed), seed, forced=(13,) if seed % 2 and objective == "hybrid" else ())
        for seed in seeds
    ]
    expected = generate(model, prompts, dataclasses.replace(chosen, strategy=inner))
    strategy = f"speculate:depth={depth},of={inner}"
    found = generate(model, prompts, dataclasses.replace(chosen, strategy=strategy), batch_size=len(prompts))
    for one, other in zip(found, expected, strict=True):
        assert one.ids == other.ids
        assert one.finish_reason == other.finish_reason
        assert one.trace.commit_confidence == pytest.approx(other.trace.commit_confidence, abs=1e-9)
        assert one.trace.nfe <= other.trace.nfe


cases = (
    st.integers(0, 10**6),
    st.sampled_from(OBJECTIVES),
    st.sampled_from(INNER),
    st.integers(1, 6),
    any_settings,
    st.lists(st.integers(0, 10**6), min_size=1, max_size=3, unique=True),
)


@given(*cases)
@settings(max_examples=20, deadline=None)
def test_it_writes_what_the_other_strategy_writes(
    weights: int, objective: Objective, inner: str, depth: int, chosen: DecodeConfig, seeds: list[int]
) -> None:
    writes_the_same(weights, objective, inner, depth, chosen, seeds)


@pytest.mark.slow
@given(*cases)
@settings(max_examples=300, deadline=None)
def test_it_writes_what_the_other_strategy_writes_in_300_cases(
    weights: int, objective: Objective, inner: str, depth: int, chosen: DecodeConfig, seeds: list[int]
) -> None:
    writes_the_same(weights, objective, inner, depth, chosen, seeds)


def drive(spec: str, changes_at: int | None) -> tuple[Block, list[Look]]:
    """A block of six in six steps, whose logits are always the same, or others from so many committed tokens on."""
    block = Block(
        6,
        steps=6,
        mask_id=109,
        end_ids=(108,),
        first_candidate=100,
        temperature=0.0,
        generator=torch.Generator(),
        device=torch.device("cpu"),
    )

    def logits(content: Sequence[int], rows: Sequence[int]) -> Tensor:
        n_done = sum(token != 109 for token in content)
        has_changed = changes_at is not None and n_done >= changes_at
        out = torch.full((len(rows), 10), math.log(0.01))
        for row, position in enumerate(rows):
            # The least confident first, once predictions have changed.
            out[row, position] = math.log(0.5 + 0.05 * (6 - position if has_changed else position))
        return out

    looks: list[Look] = []
    filling = make_strategy(spec).fill(block)
    try:
        look = next(filling)
        while True:
            block.looks += 1
            looks.append(look)
            contents = [block.ids] if look.variants is None else [variant.tolist() for variant in look.variants]
            rows = block.open if look.rows is None else look.rows
            look = filling.send(torch.stack([logits(content, rows) for content in contents]))
    except StopIteration:
        return block, looks


def test_predictions_that_stay_save_passes() -> None:
    block, looks = drive("speculate:depth=2,of=topk", None)
    # The first look knows nothing of the block; the second verifies its own step and two more, the third the rest.
    assert [len(look.variants or (0,)) for look in looks] == [1, 3, 2]
    assert block.committed_at == [2, 2, 1, 1, 1, 0]
    assert block.ids == [100, 101, 102, 103, 104, 105]


def test_a_chain_ends_where_predictions_change() -> None:
    block, looks = drive("speculate:depth=9,of=topk", 2)
    # Position 5, then 4 as before; with two committed the order turns, and the chain that went on from 3 is dropped.
    assert block.committed_at == [1, 2, 2, 2, 1, 0]
    assert block.committed_at != drive("topk", 2)[0].committed_at
    assert block.ids == drive("topk", 2)[0].ids
    assert len(looks) == 3


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (DecodeConfig(cfg=0.5, cfg_approximate_reuse=1), "cfg_approximate_reuse: counts passes"),
        (DecodeConfig(cache="refresh"), "cache='refresh': counts passes"),
    ],
)
def test_what_counts_passes_does_not_go_with_speculation(chosen: DecodeConfig, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        Engine(MODELS["hybrid", 6, 2], dataclasses.replace(chosen, strategy="speculate:of=topk"))


def test_it_is_untrained_where_the_other_strategy_is() -> None:
    assert is_untrained(make_strategy("speculate:depth=2,of=saber"))
    assert not is_untrained(make_strategy("speculate:of=topk"))
    assert make_strategy("speculate:of=topk") == make_strategy("speculate:of=topk")
