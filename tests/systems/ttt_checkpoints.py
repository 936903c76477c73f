"""Small random checkpoints of TtT's form, each objective's, and their codec."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from reference_model import checkpoint
from reference_model.config import Objective, TtTConfig
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import CodecConfig
from reference_model.tokens import TtTTokenizer
from reference_model.transformer import TtTModel
from tttbench.core.exchange import Response

Folders = dict[Objective, Path]
"""Of checkpoints."""

LEVELS = (4, 3)
PROMPTS = {"asr": "Transcribe.", "qa": "Answer."}
DECODE = {"max_text_tokens": 24, "max_audio_tokens": 70, "block_length": 10, "steps_per_block": 3}


def answered(outcomes: Iterable[Response | Exception]) -> list[Response]:
    """The answers to requests, none of which may have failed."""
    answers = []
    for outcome in outcomes:
        assert isinstance(outcome, Response), outcome
        answers.append(outcome)
    return answers


def write_codec(folder: Path, levels: tuple[int, ...] = LEVELS) -> None:
    torch.manual_seed(3)
    MiniCodec(CodecConfig(levels, 16, 16, 16)).save(folder)


def write_checkpoint(folder: Path, tokenizer: TtTTokenizer, objective: Objective = "hybrid", **decode: object) -> Path:
    """Random weights under which texts are short, spans end, and a few letters compete with the control tokens."""
    config = TtTConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=400,
        rope_theta=10000.0,
        objective=objective,
        **dict[str, Any](tokenizer.ids),
    )
    generator = torch.Generator().manual_seed(4)
    model = TtTModel(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.1 * noise if "norm" in name else 0.3 * noise)
        model.lm_head.weight[9 : config.im_start_token_id] = 0.0
    checkpoint.save(model, tokenizer, folder)
    note = {"codec": "codec", "prompts": PROMPTS, "decode": {**DECODE, **decode}}
    (folder / "assistant.json").write_text(json.dumps(note))
    return folder
