"""Attention of a few new rows over cached keys, without a mask.

Rows that share a limit see the same keys, so each such run is one dense call; only a prompt (hundreds of different
limits) is worth a mask. The heads of a group become extra rows of their key head, so keys are read once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_RUNS = 4
"""More runs than this and one masked call is cheaper than a call per run."""


def runs_of(limit: Sequence[int]) -> list[tuple[int, int, int]]:
    """Runs of equal limits: (first row, one past the last row, limit)."""
    runs: list[tuple[int, int, int]] = []
    begin = 0
    for i in range(1, len(limit) + 1):
        if i == len(limit) or limit[i] != limit[begin]:
            runs.append((begin, i, limit[begin]))
            begin = i
            if len(runs) > MAX_RUNS:
                break
    return runs


def attend_rows(q: Tensor, keys: Tensor, values: Tensor, limit: Sequence[int]) -> Tensor:
    """Attention of n rows.

    Args:
        q: (n, H, D).
        keys, values: (Hkv, m, D), the rows' own among them.
        limit: n numbers; row i sees keys ``[0, limit[i])``.

    Returns:
        (n, H * D).
    """
    if limit[0] == limit[-1] == keys.shape[1] and limit.count(limit[0]) == len(limit):
        return _all_see_all(q, keys, values)
    runs = runs_of(limit)
    if len(runs) <= MAX_RUNS:
        parts = [_all_see_all(q[begin:end], keys[:, :seen], values[:, :seen]) for begin, end, seen in runs]
        return parts[0] if len(parts) == 1 else torch.cat(parts)
    return _masked(q, keys, values, torch.tensor(limit, device=q.device))


def _all_see_all(q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    n, heads, width = q.shape
    kv_heads = keys.shape[0]
    if n == 1:
        # The rows of a group are in order already: nothing to permute, which is most of a text token's calls here.
        alone = q.view(1, kv_heads, -1, width)
        return F.scaled_dot_product_attention(alone, keys.unsqueeze(0), values.unsqueeze(0)).view(1, -1)
    grouped = q.view(n, kv_heads, heads // kv_heads, width).permute(1, 2, 0, 3).reshape(1, kv_heads, -1, width)
    out = F.scaled_dot_product_attention(grouped, keys.unsqueeze(0), values.unsqueeze(0))
    return out.view(kv_heads, heads // kv_heads, n, width).permute(2, 0, 1, 3).reshape(n, heads * width)


def _masked(q: Tensor, keys: Tensor, values: Tensor, limit: Tensor) -> Tensor:
    seen = torch.arange(keys.shape[1], device=q.device) < limit.unsqueeze(-1)
    mask = torch.zeros(seen.shape, dtype=q.dtype, device=q.device).masked_fill_(~seen, float("-inf"))
    out = F.scaled_dot_product_attention(
        q.transpose(0, 1).unsqueeze(0),
        keys.unsqueeze(0),
        values.unsqueeze(0),
        attn_mask=mask,
        enable_gqa=q.shape[1] != keys.shape[0],
    )
    return out[0].transpose(0, 1).reshape(q.shape[0], -1)
