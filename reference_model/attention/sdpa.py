"""``scaled_dot_product_attention`` with the mask written out: runs everywhere, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True)
class _PackedPlan:
    """``documents``: for each of the B rows of documents their first and last-but-one places, and the plan of each."""

    documents: tuple[tuple[tuple[int, int, SdpaPlan], ...], ...]


class SdpaBackend:
    """See ``AttentionBackend``."""

    name = "sdpa"

    def plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: torch.dtype) -> SdpaPlan | _PackedPlan:
        """See ``AttentionBackend.plan``; on a CPU packed documents run one by one: none pays for another."""
        if start is not None and limit.device.type == "cpu" and limit.shape[1] == n_keys:
            return _PackedPlan(
                tuple(
                    tuple(
                        (low, high, self._plan((limit[row : row + 1, low:high] - low), None, high - low, of))
                        for low, high in _documents(start[row])
                    )
                    for row in range(len(limit))
                )
            )
        return self._plan(limit, start, n_keys, of)

    def _plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: torch.dtype) -> SdpaPlan:
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

    def attend(self, q: Tensor, k: Tensor, v: Tensor, plan: SdpaPlan | _PackedPlan) -> Tensor:
        """See ``AttentionBackend.attend``."""
        if isinstance(plan, SdpaPlan):
            return self._attend(q, k, v, plan)
        # Cut by iteration and split: the backward of a slice fills a tensor as large as the batch for every document.
        rows = []
        for q_row, k_row, v_row, documents in zip(q, k, v, plan.documents, strict=True):
            lengths = [high - low for low, high, _ in documents]
            cut = zip(*(x.unsqueeze(0).split(lengths, 2) for x in (q_row, k_row, v_row)), documents, strict=True)
            parts = [self._attend(q_of, k_of, v_of, one) for q_of, k_of, v_of, (_, _, one) in cut]
            rows.append(torch.cat(parts, 2))
        return torch.cat(rows)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, plan: SdpaPlan) -> Tensor:
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


def _documents(start: Tensor) -> list[tuple[int, int]]:
    """Where the documents of one row, (L,) as ``limits.starts`` makes it, begin and end."""
    begins = [0, *(int(place) for place in (start[1:] != start[:-1]).nonzero() + 1)]
    return list(pairwise([*begins, len(start)]))


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
