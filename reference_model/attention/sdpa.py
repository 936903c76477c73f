"""``scaled_dot_product_attention`` with the mask written out: runs everywhere, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_model.limits import dense_mask

_SHORT = 256  # keys up to which plain products beat the CPU kernel where bfloat16 is trained


@dataclass(frozen=True)
class SdpaPlan:
    """``mask``: (B, 1, Lq, Lk) additive, or None where the pass needs none or ``causal`` says it all."""

    mask: Tensor | None
    causal: bool


class SdpaBackend:
    """See ``AttentionBackend``."""

    name = "sdpa"

    def plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: torch.dtype) -> SdpaPlan:
        """See ``AttentionBackend.plan``."""
        n_rows = limit.shape[1]
        # The comparisons below wait for the device, which only a CPU does for free.
        if start is None and limit.device.type == "cpu":
            if bool((limit == n_keys).all()):
                return SdpaPlan(None, causal=False)
            if n_rows == n_keys and torch.equal(limit, torch.arange(1, n_keys + 1).expand_as(limit)):
                return SdpaPlan(None, causal=True)
        seen = dense_mask(limit, start, n_keys).unsqueeze(1)
        # An additive mask costs the CPU kernel a third less in the backward than a boolean one.
        mask = torch.zeros(seen.shape, dtype=of, device=seen.device).masked_fill_(~seen, float("-inf"))
        return SdpaPlan(mask, causal=False)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, plan: SdpaPlan) -> Tensor:
        """See ``AttentionBackend.attend``."""
        grouped = q.shape[1] != k.shape[1]
        in_bf16 = q.dtype == torch.bfloat16 or torch.is_autocast_enabled(q.device.type)
        if in_bf16 and q.device.type == "cpu" and torch.is_grad_enabled():
            with torch.autocast("cpu", enabled=False):
                if k.shape[2] <= _SHORT:
                    return _plain(q.bfloat16(), k.bfloat16(), v.bfloat16(), plan).to(q.dtype)
                # The CPU kernel's bfloat16 backward takes twice as long as the one in fp32.
                mask = None if plan.mask is None else plan.mask.float()
                wide = F.scaled_dot_product_attention(
                    q.float(), k.float(), v.float(), attn_mask=mask, is_causal=plan.causal, enable_gqa=grouped
                )
            return wide.to(q.dtype)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=plan.mask, is_causal=plan.causal, enable_gqa=grouped)


def _plain(q: Tensor, k: Tensor, v: Tensor, plan: SdpaPlan) -> Tensor:
    """The same as products and a softmax; query heads of one key head are rows of one product."""
    batch, heads, n_rows, width = q.shape
    groups, n_keys = k.shape[1], k.shape[2]
    scores = (q.reshape(batch, groups, -1, width) * width**-0.5) @ k.transpose(-1, -2)
    scores = scores.view(batch, heads, n_rows, n_keys)
    if plan.causal:
        scores = scores.masked_fill(torch.ones(n_rows, n_keys, dtype=torch.bool).triu(1), float("-inf"))
    elif plan.mask is not None:
        scores = scores + plan.mask.to(scores.dtype)
    mixed = scores.softmax(-1).view(batch, groups, -1, n_keys) @ v
    out: Tensor = mixed.view(batch, heads, n_rows, width)
    return out
