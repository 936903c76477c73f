"""xformers' memory-efficient attention with gappy biases, on CUDA: no mask in memory, no backward.

It serves prefill and scoring, and decode passes in which the keys of all sequences lie in one pool. The biases allow
the runs' key ranges to overlap in the forward, so keys and values are never copied.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import torch
from torch import Tensor

from reference_model.attention.runs import Operator, Runs, RunsAttention, split_runs
from reference_model.errors import BackendError

NOT_INSTALLED = "it is not installed (pip install 'tttbench[cuda]')"


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


def _fmha() -> Any:
    try:
        return importlib.import_module("xformers.ops.fmha")
    except ImportError as error:
        raise BackendError(f"attention='xformers' can't be used: {NOT_INSTALLED}; use attention='sdpa'") from error


class XformersOperator:
    """``memory_efficient_attention_forward`` with a gappy bias."""

    def why_not(self, device: torch.device) -> str:
        """See ``Operator.why_not``; the package is looked for, not imported."""
        if device.type != "cuda":
            return f"it has no operator for the device {device.type!r} (CUDA only)"
        return "" if importlib.util.find_spec("xformers") is not None else NOT_INSTALLED

    def prepare(self, runs: Runs, causal: bool, total_keys: int, device: torch.device) -> Any:
        """The bias."""
        return bias_of(runs, causal, total_keys, device)

    def attend(self, rows: Tensor, keys: Tensor, values: Tensor, prepared: Any) -> Tensor:
        """See ``Operator.attend``."""
        out: Tensor = _fmha().memory_efficient_attention_forward(rows, keys, values, attn_bias=prepared)
        return out


class XformersBackend:
    """See ``AttentionBackend``."""

    name = "xformers"

    def __init__(self, operator: Operator | None = None) -> None:
        """Attend with ``operator``; None: xformers' own."""
        self._operator = XformersOperator() if operator is None else operator

    def plan(self, limit: Tensor, start: Tensor | None, n_keys: int, of: torch.dtype) -> RunsAttention:
        """See ``AttentionBackend.plan``."""
        del of
        refuse(self._operator, limit.device)
        causal, full = split_runs(limit, start, n_keys)
        return RunsAttention(causal, full, limit.shape[0] * n_keys, limit.device, self._operator)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, plan: RunsAttention) -> Tensor:
        """See ``AttentionBackend.attend``.

        Raises:
            BackendError: if gradients are wanted.
        """
        if torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or v.requires_grad):
            raise BackendError("attention='xformers' has no backward with this mask; train with attention='flex'")
        batch, heads, n_rows, width = q.shape
        rows, keys, values = (x.transpose(1, 2).reshape(-1, x.shape[1], width) for x in (q, k, v))
        return plan.attend(rows, keys, values).view(batch, n_rows, heads, width).transpose(1, 2)


def refuse(operator: Operator, device: torch.device) -> None:
    """Do nothing where ``operator`` runs.

    Raises:
        BackendError: saying why it doesn't, and naming the backend to use instead.
    """
    why = operator.why_not(device)
    if why:
        raise BackendError(f"attention='xformers' can't be used: {why}; use attention='sdpa'")
