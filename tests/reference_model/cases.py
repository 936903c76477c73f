"""Models, prompts and comparisons of decoding that several test files share."""

from __future__ import annotations

import pytest
import torch

from reference_model.decoding import Answer
from reference_model.transformer import TtTModel

from .shapes import random_model, tiny_config

# In fp64 two orders of summation never swap two candidates, so tokens can be compared one by one.
MODELS = {
    (objective, n_codes, kv_heads): random_model(
        tiny_config(n_codes, objective=objective, num_key_value_heads=kv_heads),
        seed=n_codes + kv_heads,
        dtype=torch.float64,
    )
    for objective in ("hybrid", "ar", "nar")
    for n_codes, kv_heads in ((6, 2), (60, 1))
}

FILLING = (
    "topk",
    "threshold:tau=0.5",
    "entropy:gamma=1.5",
    "factor:f=2.5",
    "first_hitting",
    "klass:tau=0.3,epsilon=0.5,history=1",
    "mapi",
    "par",
    "pmi",
    "saber:per_back=2",
    "remdm:start=0.7,back=2",
    "edit:tau_mask=0.3,tau_edit=0.15,post_steps=3",
)
"""Every strategy that fills masks, with settings at which random weights show what it does."""


def prompt_for(model: TtTModel, case: int) -> tuple[int, ...]:
    """Text, a span of input audio, text."""
    config = model.config
    generator = torch.Generator().manual_seed(case)

    def some(low: int, high: int, n: int) -> list[int]:
        return torch.randint(low, high, (n,), generator=generator).tolist()

    audio = some(config.code_id_start, config.mask_token_id, 1 + case % 9)
    begin, end = config.begin_of_audio_token_id, config.end_of_audio_token_id
    return (16, *some(0, 13, 3), begin, *audio, end, *some(0, 13, 1 + case % 3))


def same(one: Answer, other: Answer) -> None:
    assert one.ids == other.ids
    assert one.finish_reason == other.finish_reason
    assert one.trace.nfe == other.trace.nfe
    assert one.trace.commit_step == other.trace.commit_step
    assert one.trace.commit_confidence == pytest.approx(other.trace.commit_confidence, abs=1e-9)
