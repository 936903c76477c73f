"""FlexAttention: block-sparse, never holds the L x L mask; training and prefill on CUDA."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from reference_model.errors import BackendError


@cache
def _compiled() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=False)


class FlexBackend:
    """See ``AttentionBackend``. On a CPU it runs uncompiled and without a backward: for tests only."""

    name = "flex"

    def plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: torch.dtype) -> Any:
        """See ``AttentionBackend.plan``; the plan is a ``BlockMask``."""
        from torch.nn.attention.flex_attention import create_block_mask

        del of
        if limit.device.type != "cuda" and torch.is_grad_enabled():
            raise BackendError("attention='flex' has no backward on a CPU; use attention='sdpa'")
        limit = limit.contiguous()
        first = torch.zeros_like(limit) if start is None else start.contiguous()

        def sees(batch: Tensor, head: Tensor, row: Tensor, key: Tensor) -> Tensor:
            del head
            return (first[batch, row] <= key) & (key < limit[batch, row])

        return create_block_mask(sees, limit.shape[0], None, limit.shape[1], n_keys, device=str(limit.device))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, plan: Any) -> Tensor:
        """See ``AttentionBackend.attend``."""
        from torch.nn.attention.flex_attention import flex_attention

        call = _compiled() if q.device.type == "cuda" else flex_attention
        out: Tensor = call(q, k, v, block_mask=plan, enable_gqa=q.shape[1] != k.shape[1])
        return out
