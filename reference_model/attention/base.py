"""The interface of an attention backend. Knows no backend."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor, dtype

Plan = Any
"""What a backend makes of ``limit`` and ``start`` once per pass and reads in every layer; only it knows the form."""


class AttentionBackend(Protocol):
    """Attention where row i sees keys ``start[i] <= key < limit[i]``."""

    name: str

    def plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: dtype) -> Plan:
        """Prepare the mask of one pass.

        Args:
            limit: (B, Lq) int64, each at least 1.
            start: (B, Lq) int64, or None for 0.
            n_keys: number of keys, Lk.
            of: dtype of the queries.

        Raises:
            BackendError: if the backend cannot run on ``limit``'s device.
        """
        ...

    def attend(self, q: Tensor, k: Tensor, v: Tensor, plan: Plan) -> Tensor:
        """(B, H, Lq, D) queries, (B, Hkv, Lk, D) keys and values → (B, H, Lq, D)."""
        ...
