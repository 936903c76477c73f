"""Which attention backend runs where, what it says where it can't, and training in bfloat16."""

from __future__ import annotations

import pytest
import torch

from reference_model.attention import PROCESS, attend
from reference_model.errors import BackendError
from reference_model.transformer import TtTModel

from .masks import heads
from .shapes import tiny_config


def test_xformers_on_a_cpu_names_the_backend_to_use() -> None:
    q, k, v = heads(1, 2, 2, 2, 1, seed=0)
    with pytest.raises(BackendError, match=r"CUDA only.*attention='sdpa'"):
        attend(q, k, v, torch.tensor([[1, 2]]), attention="xformers")


def test_flex_says_that_it_has_no_backward_on_a_cpu() -> None:
    q, k, v = heads(1, 2, 2, 2, 1, seed=0)
    with pytest.raises(BackendError, match="no backward on a CPU"):
        attend(q, k, v, torch.tensor([[1, 2]]), attention="flex")


def test_unknown_backends_are_named() -> None:
    with pytest.raises(BackendError, match="'flash' is unknown"):
        TtTModel(tiny_config(), attention="flash")
    with pytest.raises(BackendError, match="'flash' is unknown"):
        PROCESS.backend("flash")


@pytest.mark.parametrize("length", [9, 300])
def test_training_in_bfloat16_is_the_same_attention(length: int) -> None:
    sdpa = PROCESS.backend("sdpa")
    q, k, v = (torch.randn(2, n, length, 16, requires_grad=True) for n in (4, 2, 2))
    limit = torch.stack([torch.arange(1, length + 1), torch.arange(1, length + 1).clamp(min=length // 2)])
    for rows in (limit, limit[:1].expand(2, -1), torch.full_like(limit, length)):
        plan = sdpa.plan(rows, None, length, torch.float32)
        expected = sdpa.attend(q, k, v, plan)
        wanted = torch.autograd.grad(expected.square().sum(), (q, k, v))
        with torch.autocast("cpu", torch.bfloat16):
            got = sdpa.attend(q, k, v, plan)
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, expected, atol=0.02, rtol=0.02)
        for one, other in zip(torch.autograd.grad(got.square().sum(), (q, k, v)), wanted, strict=True):
            assert float((one - other).norm() / other.norm()) < 0.02
