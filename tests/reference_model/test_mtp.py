"""``mtp`` writes the tokens of ``ar``, whatever its heads guess; right guesses save passes."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from reference_model import checkpoint
from reference_model.decoding import Answer, CacheMode, DecodeConfig, Engine, Prompt, generate, make_strategy
from reference_model.draft_heads import FILE, DraftHead, head_shapes, read_draft_heads
from reference_model.errors import CheckpointError, DecodeError
from reference_model.transformer import TtTModel

from .cases import MODELS, prompt_for
from .checkpoints import released_layout, small
from .shapes import random_model, tiny_config


def random_heads(width: int, n: int, seed: int, scale: float = 0.3) -> tuple[DraftHead, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        DraftHead(
            **{
                name: scale * torch.randn(shape, generator=generator, dtype=torch.float64)
                for name, shape in head_shapes(width).items()
            }
        )
        for _ in range(n)
    )


def with_heads(model: TtTModel, n: int, seed: int = 0) -> TtTModel:
    model = copy.copy(model)
    model.draft_heads = random_heads(model.config.hidden_size, n, seed)
    return model


def same_tokens(drafted: Answer, one_by_one: Answer) -> None:
    assert drafted.ids == one_by_one.ids
    assert drafted.finish_reason == one_by_one.finish_reason
    assert drafted.trace.commit_confidence == pytest.approx(one_by_one.trace.commit_confidence, abs=1e-9)
    assert drafted.trace.nfe <= one_by_one.trace.nfe


CACHES: tuple[CacheMode, ...] = ("none", "exact", "block", "refresh")
any_settings = st.builds(
    DecodeConfig,
    cache=st.sampled_from(CACHES),
    text_temperature=st.sampled_from([0.0, 1.0, 2.0]),
    text_top_k=st.sampled_from([0, 3]),
    audio_temperature=st.sampled_from([0.0, 0.7, 2.0]),
    min_text_after_audio=st.integers(0, 2),
    max_text_tokens=st.integers(1, 8),
    max_audio_tokens=st.integers(0, 40),
    forbid_non_audio=st.booleans(),
    forbid_audio_in_text=st.booleans(),
)


@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(1, 6),
    any_settings,
    st.lists(st.integers(0, 10**6), min_size=1, max_size=4, unique=True),
    st.sampled_from([None, 300]),
)
@settings(max_examples=60, deadline=None)
def test_any_model_and_settings_write_what_ar_writes(
    weights: int, n_codes: int, n_heads: int, chosen: DecodeConfig, seeds: list[int], room: int | None
) -> None:
    model = with_heads(
        random_model(tiny_config(n_codes, objective="ar"), seed=weights, dtype=torch.float64), n_heads, weights
    )
    prompts = [Prompt(prompt_for(model, seed), seed, forced=(13,) if seed % 2 else ()) for seed in seeds]
    expected = generate(model, prompts, dataclasses.replace(chosen, strategy="ar", cache="none"))
    engine = Engine(model, dataclasses.replace(chosen, strategy="mtp"), max_cache_positions=room)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    for handle, one in zip(handles, expected, strict=True):
        same_tokens(engine.answers[handle], one)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_right_guesses_save_passes(temperature: float) -> None:
    """Heads that leave the state as it is guess the same code again, which is often right in this model."""
    model = copy.copy(MODELS["ar", 6, 2])
    width = model.config.hidden_size
    heads = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in head_shapes(width).items()}
    model.draft_heads = (DraftHead(**heads),) * 4
    prompts = [Prompt(prompt_for(model, case), case, forced=(13,)) for case in range(8)]
    chosen = DecodeConfig(audio_temperature=temperature, max_text_tokens=3, max_audio_tokens=40)
    expected = generate(model, prompts, chosen)
    found = generate(model, prompts, dataclasses.replace(chosen, strategy="mtp"), batch_size=3)
    for drafted, one in zip(found, expected, strict=True):
        same_tokens(drafted, one)
    passes = [sum(answer.trace.nfe_audio for answer in answers) for answers in (found, expected)]
    assert passes[0] < 0.9 * passes[1]


def test_a_number_of_heads_may_be_asked_for() -> None:
    model = with_heads(MODELS["ar", 6, 2], 3)
    for spec, heads in (("mtp", 3), ("mtp:heads=2", 2)):
        assert Engine(model, DecodeConfig(strategy=spec)).strategy == make_strategy(f"mtp:heads={heads}")


def test_what_cannot_draft_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"needs draft heads, and the checkpoint has none \(mtp.safetensors\)"):
        Engine(MODELS["ar", 6, 2], DecodeConfig(strategy="mtp"))
    with pytest.raises(DecodeError, match="option heads=4: the checkpoint has 3 draft heads"):
        Engine(with_heads(MODELS["ar", 6, 2], 3), DecodeConfig(strategy="mtp:heads=4"))
    with pytest.raises(DecodeError, match="doesn't fit a model trained with objective 'hybrid'"):
        Engine(with_heads(MODELS["hybrid", 6, 2], 3), DecodeConfig(strategy="mtp"))


def tensors(n: int = 2, width: int = 16) -> dict[str, Tensor]:
    return {f"{i}.{name}": torch.ones(shape) for i in range(n) for name, shape in head_shapes(width).items()}


def test_heads_go_where_their_model_goes() -> None:
    model = random_model(tiny_config(), 0)
    model.draft_heads = random_heads(model.config.hidden_size, 2, 0)
    up = model.draft_heads[1].up
    assert model.half() is model
    assert all(getattr(head, name).dtype == torch.float16 for head in model.draft_heads for name in head_shapes(1))
    assert torch.equal(model.float().draft_heads[1].up, up.half().float())
    model.to("meta")
    assert all(head.down.device.type == "meta" for head in model.draft_heads)


def test_heads_are_loaded_with_their_checkpoint(tmp_path: Path) -> None:
    tokenizer = released_layout()
    model = TtTModel(dataclasses.replace(small(tokenizer), objective="ar"))
    checkpoint.save(model, tokenizer, tmp_path)
    assert checkpoint.load(tmp_path).model.draft_heads == ()
    save_file(tensors(), tmp_path / FILE)
    (one, two) = checkpoint.load(tmp_path, dtype="bfloat16").model.draft_heads
    assert one.up.dtype == two.norm_token.dtype == torch.bfloat16
    assert one.up.shape == (16, 32)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"1.down": None}, "tensor '1.down' is missing"),
        ({"0.left": torch.ones(1)}, "tensor '0.left' belongs to no draft head"),
        ({"1.up": torch.ones(16, 16)}, r"'1.up' is torch.float32 of the shape \(16, 16\), .* floats of \(16, 32\)"),
        ({"0.up": torch.ones(16, 32, dtype=torch.int64)}, "'0.up' is torch.int64"),
        ({"0.norm_token": torch.full((16,), torch.nan)}, "'0.norm_token' holds NaN or infinity"),
    ],
)
def test_a_damaged_tensor_is_named(tmp_path: Path, changed: dict[str, Tensor | None], message: str) -> None:
    held = {name: value for name, value in {**tensors(), **changed}.items() if value is not None}
    save_file(held, tmp_path / FILE)
    with pytest.raises(CheckpointError, match=message):
        read_draft_heads(tmp_path, 16)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        read_draft_heads(tmp_path, 16)
