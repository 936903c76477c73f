"""Small configurations and weights that the tests share."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from reference_model.config import TtTConfig
from reference_model.transformer import TtTModel

N_TEXT = 20
"""Ids 0 to 19 are text in ``tiny_config``; 13 to 17 are its special text tokens."""


def tiny_config(n_codes: int = 12, **changes: Any) -> TtTConfig:
    """A configuration with the released order of tokens: text, the tag, codes, mask, the two ends."""
    tag = N_TEXT
    base = TtTConfig(
        vocab_size=tag + 1 + n_codes + 3,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        audio_token_id_start=tag,
        n_audio_codes=n_codes,
        mask_token_id=tag + 1 + n_codes,
        end_of_audio_new_token_id=tag + 2 + n_codes,
        end_of_audio_span_last_token_id=tag + 3 + n_codes,
        begin_of_audio_token_id=13,
        begin_of_quad_token_id=14,
        end_of_audio_token_id=15,
        im_start_token_id=16,
        im_end_token_id=17,
        max_position_embeddings=512,
        rope_theta=10000.0,
    )
    return dataclasses.replace(base, **changes)


def random_model(config: TtTConfig, seed: int = 0, dtype: torch.dtype = torch.float32, scale: float = 0.3) -> TtTModel:
    """Weights large enough that logits differ clearly from row to row; biases and norms are random too."""
    generator = torch.Generator().manual_seed(seed)
    model = TtTModel(config).to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=dtype)
            parameter.copy_(1 + 0.1 * noise if "norm" in name else scale * noise)
    return model.eval()
