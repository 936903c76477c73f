"""Matrix products of inference on the fastest path the processor has. Knows no model.

PyTorch's fp32 products on x86 go to MKL, which takes two to three times as long as oneDNN for a few dozen rows on
processors that aren't Intel's; oneDNN reads the same weights as they lie.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def _found() -> bool:
    return torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_linear_pointwise")


_HAS_ONEDNN = _found()


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``.

    Args:
        x: (..., d).
        weight: (n, d), rows contiguous.
        bias: (n,).

    Returns:
        (..., n). Where gradients are wanted this is ``torch.nn.functional.linear``.
    """
    if _HAS_ONEDNN and _is_for_onednn(x):
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
        return out
    return F.linear(x, weight, bias)


def add_product(base: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """``base + x @ weight.T``: (R, n) and (R, d) → (R, n)."""
    if _HAS_ONEDNN and _is_for_onednn(x):
        return base + linear(x, weight)
    return torch.addmm(base, x, weight.t())


def _is_for_onednn(x: Tensor) -> bool:
    """One row alone is a matter of reading the weights, which MKL does as fast and with less ado."""
    return (
        x.dtype == torch.float32 and x.device.type == "cpu" and x.numel() > x.shape[-1] and not torch.is_grad_enabled()
    )
