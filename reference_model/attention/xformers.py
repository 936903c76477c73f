"""xformers' memory-efficient attention with gappy biases: prefill and scoring on CUDA, no mask in memory, no backward.

Every row sees a prefix of its sequence's keys, so the rows are cut into runs that share one range of keys: a span is
a run with full attention, text is a run with causal attention that begins behind the keys before it. The runs' key
ranges overlap; the biases allow that in the forward, so keys and values are never copied.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reference_model.errors import BackendError


def _fmha() -> Any:
    try:
        return importlib.import_module("xformers.ops.fmha")
    except ImportError as error:
        raise BackendError("attention='xformers' needs the xformers package; use attention='sdpa'") from error


@dataclass(frozen=True)
class Runs:
    """Runs of rows over the flattened batch, of one kind (``causal`` or full).

    ``rows`` are the flat row indices in order; run r has ``n_rows[r]`` rows and the keys
    ``[key_start[r], key_start[r] + n_keys[r])`` of the flat key sequence.
    """

    rows: tuple[int, ...]
    n_rows: tuple[int, ...]
    key_start: tuple[int, ...]
    n_keys: tuple[int, ...]


def split_runs(limit: Tensor, start: Tensor | None, n_keys: int) -> tuple[Runs, Runs]:
    """Cut rows into (causal runs, full runs); see the file's head.

    Args:
        limit, start: (B, Lq) int64 on any device.
        n_keys: keys per sequence; sequence b's keys begin at ``b * n_keys`` in the flat key sequence.
    """
    limit_rows = limit.tolist()
    start_rows = torch.zeros_like(limit).tolist() if start is None else start.tolist()
    causal: list[tuple[int, int, int, int]] = []
    full: list[tuple[int, int, int, int]] = []
    n_rows = limit.shape[1]
    for b in range(limit.shape[0]):
        i = 0
        while i < n_rows:
            first, low = limit_rows[b][i], start_rows[b][i]
            flat = len(limit_rows[b]) * b + i
            j = i + 1
            while j < n_rows and limit_rows[b][j] == first and start_rows[b][j] == low:
                j += 1
            if j > i + 1:
                full.append((flat, j - i, b * n_keys + low, first - low))
            else:
                # A causal run goes on while the limit grows by one and no span (two equal limits) begins.
                while (
                    j < n_rows
                    and limit_rows[b][j] == limit_rows[b][j - 1] + 1
                    and start_rows[b][j] == low
                    and not (j + 1 < n_rows and limit_rows[b][j + 1] == limit_rows[b][j])
                ):
                    j += 1
                causal.append((flat, j - i, b * n_keys + low, limit_rows[b][j - 1] - low))
            i = j
    return _runs(causal), _runs(full)


def _runs(found: list[tuple[int, int, int, int]]) -> Runs:
    return Runs(
        rows=tuple(flat + i for flat, n, _, _ in found for i in range(n)),
        n_rows=tuple(n for _, n, _, _ in found),
        key_start=tuple(key for _, _, key, _ in found),
        n_keys=tuple(n for _, _, _, n in found),
    )


def bias_of(runs: Runs, causal: bool, total_keys: int, device: torch.device) -> Any:
    """The xformers bias of the runs, over a flat key sequence of ``total_keys``.

    Raises:
        BackendError: if xformers is not installed.
    """
    fmha = _fmha()
    kind = (
        fmha.attn_bias.BlockDiagonalCausalWithOffsetGappyKeysMask
        if causal
        else fmha.attn_bias.BlockDiagonalGappyKeysMask
    )
    return kind.from_seqlens(
        q_seqlen=list(runs.n_rows),
        kv_seqstarts=[*runs.key_start, total_keys],
        kv_seqlen=list(runs.n_keys),
        device=device,
    )


@dataclass(frozen=True)
class XformersPlan:
    """Rows and biases of the two calls; ``rows`` are on the device."""

    calls: tuple[tuple[Tensor, Any], ...]


def plan_of(limit: Tensor, start: Tensor | None, n_keys: int) -> XformersPlan:
    """The plan, on the device of ``limit``; see ``AttentionBackend.plan``."""
    total = limit.shape[0] * n_keys
    return XformersPlan(
        tuple(
            (torch.tensor(runs.rows, device=limit.device), bias_of(runs, is_causal, total, limit.device))
            for runs, is_causal in zip(split_runs(limit, start, n_keys), (True, False), strict=True)
            if runs.rows
        )
    )


class XformersBackend:
    """See ``AttentionBackend``."""

    name = "xformers"

    def plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: torch.dtype) -> XformersPlan:
        """See ``AttentionBackend.plan``."""
        del of
        if limit.device.type != "cuda":
            raise BackendError(
                f"attention='xformers' has no operator for the device {limit.device.type!r} "
                "(xformers runs on CUDA only); use attention='sdpa'"
            )
        if torch.is_grad_enabled():
            raise BackendError("attention='xformers' has no backward with this mask; train with attention='flex'")
        return plan_of(limit, start, n_keys)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, plan: XformersPlan) -> Tensor:
        """See ``AttentionBackend.attend``."""
        fmha = _fmha()
        batch, heads, n_rows, width = q.shape
        kv_heads = k.shape[1]
        group = heads // kv_heads
        # (1, tokens, kv heads, group, width): the group axis of keys and values is a view, not a copy.
        rows = q.transpose(1, 2).reshape(1, batch * n_rows, kv_heads, group, width)
        keys, values = (
            x.transpose(1, 2).reshape(1, -1, kv_heads, 1, width).expand(-1, -1, -1, group, -1) for x in (k, v)
        )
        out = torch.empty_like(rows)
        for index, bias in plan.calls:
            out[:, index] = fmha.memory_efficient_attention_forward(rows[:, index], keys, values, attn_bias=bias)
        return out.reshape(batch, n_rows, heads, width).transpose(1, 2)
