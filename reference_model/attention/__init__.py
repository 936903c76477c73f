"""Attention over a prefix of the keys, behind one interface: ``plan(...)`` once per pass, ``attend(...)`` per layer.

``attend`` is the short form for a single call; ``chooser.py`` says which backend serves it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reference_model.attention.base import AttentionBackend, Plan
from reference_model.attention.check import Heads, Verdict
from reference_model.attention.chooser import BACKENDS, PROCESS, Chooser

__all__ = ["BACKENDS", "PROCESS", "AttentionBackend", "Chooser", "Heads", "Plan", "Verdict", "attend"]


def attend(
    q: Tensor, k: Tensor, v: Tensor, limit: Tensor, start: Tensor | None = None, *, attention: str = "auto"
) -> Tensor:
    """Attention in which row i sees keys ``start[i] <= key < limit[i]``.

    Args:
        q: (B, H, Lq, D).
        k, v: (B, Hkv, Lk, D), Hkv dividing H.
        limit, start: (B, Lq) int64; ``start=None`` means 0.
        attention: ``"auto"`` or a backend's name.

    Returns:
        (B, H, Lq, D).

    Raises:
        BackendError: for an unknown backend, or one that cannot run here.
    """
    gradient = torch.is_grad_enabled() and any(x.requires_grad for x in (q, k, v))
    heads = Heads(q.shape[1], k.shape[1], q.shape[3], q.dtype, q.device)
    chosen = PROCESS.backend(PROCESS.name(attention, heads, gradient))
    return chosen.attend(q, k, v, chosen.plan(limit, start, k.shape[2], q.dtype))
