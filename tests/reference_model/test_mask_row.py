"""A sequence of masks has the same logits in every row, whatever its length; they are the model's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from reference_model.config import Objective, PromptAudio
from reference_model.decoding import CacheMode, DecodeConfig, Engine, Prompt
from reference_model.limits import limits
from reference_model.roofline import PassShape
from reference_model.transformer import TtTModel

from .cases import MODELS, prompt_for
from .oracle import dense_logits
from .shapes import random_model, tiny_config


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
@pytest.mark.parametrize("prompt_audio", ["bidirectional", "causal"])
@pytest.mark.parametrize("n", [1, 2, 37])
def test_every_row_of_masks_is_the_same(objective: Objective, prompt_audio: PromptAudio, n: int) -> None:
    config = tiny_config(6, objective=objective, prompt_audio=prompt_audio)
    model = random_model(config, seed=3, dtype=torch.float64)
    ids = torch.full((n,), config.mask_token_id)
    limit = limits(
        ids, config.audio_token_id_start, prompt_audio=prompt_audio, objective=objective, answer_start=n // 2
    )
    with torch.no_grad():
        rows = model.logits(model.hidden(ids.unsqueeze(0), limit.unsqueeze(0)))[0]
    known = model.mask_logits(0, config.vocab_size)
    torch.testing.assert_close(rows, known.expand(n, -1), atol=1e-10, rtol=0)
    assert torch.equal(model.mask_logits(21, 25), known[21:25])


def test_in_fp32_rows_of_masks_are_equal_up_to_rounding() -> None:
    model = random_model(tiny_config(60), seed=1)
    rows = dense_logits(model, [model.config.mask_token_id] * 300, 0)
    known = model.mask_logits(0, model.config.vocab_size).clone()
    torch.testing.assert_close(rows, known.expand(300, -1), atol=1e-4, rtol=1e-5)


def changed_in_place(model: TtTModel) -> None:
    with torch.no_grad():
        model.model.norm.weight.mul_(2.0)


def replaced(model: TtTModel) -> None:
    model.model.norm.weight = torch.nn.Parameter(model.model.norm.weight * 2)


def loaded(model: TtTModel) -> None:
    state = {name: value.clone() for name, value in model.state_dict().items()}
    state["model.norm.weight"] *= 2
    model.load_state_dict(state)


@pytest.mark.parametrize("change", [changed_in_place, replaced, loaded])
def test_it_is_computed_again_when_weights_change(change: Callable[[TtTModel], None]) -> None:
    model = random_model(tiny_config(6), seed=2, dtype=torch.float64)
    before = model.mask_logits(0, model.config.vocab_size)
    assert model.mask_logits(0, model.config.vocab_size) is before
    change(model)
    torch.testing.assert_close(model.mask_logits(0, model.config.vocab_size), 2 * before, atol=1e-10, rtol=0)


def sequences_run(chosen: DecodeConfig) -> tuple[list[int], int]:
    """For each pass of an answer with one guided block of four, how many sequences it ran; and the trace's count."""
    model = MODELS["hybrid", 60, 1]
    begin, end = model.config.begin_of_audio_token_id, model.config.end_of_audio_new_token_id
    code = model.config.code_id_start
    prompt = Prompt(prompt_for(model, 3), forced=(begin, code, code + 1, code + 2, end))
    groups: list[int] = []

    def on_pass(shape: PassShape) -> None:
        groups.append(len(shape.sequences))

    engine = Engine(model, chosen, on_pass=on_pass)
    handle = engine.submit(prompt)
    while engine.step():
        pass
    return groups, engine.answers[handle].trace.nfe_unconditional


CACHES: tuple[CacheMode, ...] = ("exact", "block")


@pytest.mark.parametrize("cache", CACHES)
def test_the_first_pass_of_a_block_runs_no_unconditional_side(cache: CacheMode) -> None:
    chosen = DecodeConfig(cfg=0.5, block_length=4, steps_per_block=4, max_text_tokens=2, cache=cache)
    groups, nfe_unconditional = sequences_run(chosen)
    # The prompt, four passes of the block of which the first is alone, and text.
    assert groups == [1, 1, 2, 2, 2, 1]
    assert nfe_unconditional == 3


def test_the_oracle_runs_it() -> None:
    chosen = DecodeConfig(cfg=0.5, block_length=4, steps_per_block=4, max_text_tokens=2, cache="none")
    groups, nfe_unconditional = sequences_run(chosen)
    assert groups == [1, 2, 2, 2, 2, 1]
    assert nfe_unconditional == 4


@pytest.mark.parametrize(("reuse", "expected"), [(1, [1, 1, 1, 2, 1, 1]), (2, [1, 1, 1, 1, 2, 1]), (9, [1] * 6)])
def test_reuse_runs_a_look_for_so_many_more(reuse: int, expected: list[int]) -> None:
    chosen = DecodeConfig(cfg=0.5, cfg_approximate_reuse=reuse, block_length=4, steps_per_block=4, max_text_tokens=2)
    groups, nfe_unconditional = sequences_run(chosen)
    assert groups == expected
    assert nfe_unconditional == expected.count(2)


def test_a_prior_without_context_takes_no_pass() -> None:
    chosen = DecodeConfig(strategy="pmi", block_length=4, steps_per_block=1, max_text_tokens=2)
    assert sequences_run(chosen) == ([1, 1, 1], 0)
