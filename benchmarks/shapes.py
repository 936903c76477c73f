"""The shapes that are measured, random weights for them, prompts, and answers with a given schedule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from reference_model.config import Objective, TtTConfig
from reference_model.transformer import TtTModel

TEXT, CODES = 13, 26
"""Text tokens and codes that take turns in an interleaved answer."""

SPAN = CODES + 1
"""The codes and the token that ends them: the block length at which such a span is one block."""


@dataclass(frozen=True)
class Shape:
    """A network's shape; the vocabulary is ``n_text`` text ids, the tag, ``n_codes`` codes, the mask, two ends."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    n_text: int
    n_codes: int


SHAPES: Mapping[str, Shape] = {
    "3b": Shape(36, 2048, 11008, 16, 2, 151_684, 16_384),
    "half-b": Shape(24, 896, 4864, 14, 2, 151_684, 16_384),
    "mini": Shape(5, 256, 480, 4, 2, 453, 1000),
    "tiny": Shape(2, 32, 48, 4, 2, 40, 24),
}
"""Qwen2.5's 3B and 0.5B with the released vocabulary, the shipped mini model, and one for smoke tests."""


def config_of(shape: Shape) -> TtTConfig:
    """The shape as a configuration, with a tied head; the last five text ids are the special ones."""
    tag = shape.n_text
    mask = tag + 1 + shape.n_codes
    return TtTConfig(
        vocab_size=mask + 3,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        audio_token_id_start=tag,
        n_audio_codes=shape.n_codes,
        mask_token_id=mask,
        end_of_audio_new_token_id=mask + 1,
        end_of_audio_span_last_token_id=mask + 2,
        begin_of_audio_token_id=tag - 1,
        begin_of_quad_token_id=tag - 2,
        end_of_audio_token_id=tag - 3,
        im_start_token_id=tag - 4,
        im_end_token_id=tag - 5,
        tie_word_embeddings=True,
    )


def random_model(shape: Shape, dtype: torch.dtype = torch.float32, device: str = "cpu") -> TtTModel:
    """A network of fresh weights, the same ones every time, made where it will stay."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return TtTModel(config_of(shape)).eval()
    finally:
        torch.set_default_dtype(before)


def with_objective(model: TtTModel, objective: Objective) -> TtTModel:
    """The same weights, decoded as a model of another objective."""
    other = TtTModel.__new__(TtTModel)
    other.__dict__.update(model.__dict__)
    other.config = dataclasses.replace(model.config, objective=objective)
    return other


def some(low: int, high: int, n: int, seed: int) -> list[int]:
    """``n`` random ids of ``[low, high)``."""
    return torch.randint(low, high, (n,), generator=torch.Generator().manual_seed(seed)).tolist()


def prompt_ids(config: TtTConfig, length: int, seed: int = 0) -> tuple[int, ...]:
    """A prompt as the chat layout makes it: text, input audio (about half of it), text."""
    n_text = config.im_end_token_id
    n_audio = length // 2
    head = [config.im_start_token_id, *some(0, n_text, max(0, length - n_audio - 8), seed), config.im_end_token_id]
    audio = some(config.code_id_start, config.mask_token_id, n_audio, seed + 1)
    tail = [config.im_end_token_id, config.im_start_token_id, *some(0, n_text, 2, seed + 2)]
    ids = (*head, config.begin_of_audio_token_id, *audio, config.end_of_audio_token_id, *tail)
    return ids[-length:]


def answer_ids(
    config: TtTConfig, groups: int, seed: int = 0, n_text: int = TEXT, n_codes: int = CODES
) -> tuple[int, ...]:
    """An interleaved answer: ``groups`` times ``n_text`` text tokens and a span of ``n_codes`` codes, then the end."""
    ids: list[int] = []
    for group in range(groups):
        ids += some(0, config.im_end_token_id, n_text, 2 * group + seed)
        ids.append(config.begin_of_audio_token_id)
        ids += some(config.code_id_start, config.mask_token_id, n_codes, 2 * group + 1 + seed)
        ids.append(config.end_of_audio_new_token_id)
    return (*ids, config.im_end_token_id)
