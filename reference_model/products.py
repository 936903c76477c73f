"""Matrix products of inference on the fastest path the processor has. Knows no model.

On a CPU, one row times a wide matrix is faster where the matrix lies in memory as (in, out), so that the output is
summed up in long runs: by a tenth to a third where weights come from main memory, several times where they stay in the
cache. For a few dozen rows MKL, which PyTorch takes for fp32 on x86, needs up to 1.6 times as long as oneDNN on
processors that aren't Intel's.

In bfloat16 and float16 it is the other way round: (in, out) takes up to 2.5 and 60 times as long, and for one row
``torch.nn.functional.linear`` is the faster call, too. So it serves any number of rows there, and gives a row the same
numbers alone as among others. In fp32 a single row has a kernel of its own, which sums in another order.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_WIDE = (torch.float32, torch.float64)
_HAS_ONEDNN = torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``.

    Args:
        x: (R, d); with other shapes this is ``torch.nn.functional.linear``.
        weight: (n, d), without gaps in memory: row after row, or column after column.
        bias: (n,).

    Returns:
        (R, n). Where gradients are wanted this is ``torch.nn.functional.linear``.
    """
    if x.device.type != "cpu" or x.dim() != 2 or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    if x.shape[0] == 1 and x.dtype in _WIDE:
        row = torch.mv(weight, x[0]) if bias is None else torch.addmv(bias, weight, x[0])
        return row.unsqueeze(0)
    if _HAS_ONEDNN and x.dtype == torch.float32:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
        return out
    return F.linear(x, weight, bias)


def add_product(base: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """``base + x @ weight.T``: (R, n), (R, d) and (n, d) → (R, n); see ``linear``."""
    if x.device.type != "cpu":
        return torch.addmm(base, x, weight.t())
    if x.shape[0] == 1 and x.dtype in _WIDE:
        return torch.addmv(base[0], weight, x[0]).unsqueeze(0)
    return base + linear(x, weight)


def join(parameters: tuple[torch.nn.Parameter, ...]) -> Tensor:
    """Several matrices or vectors as one tensor, of which the parameters become views and stay trainable.

    Args:
        parameters: (n_i, d) each, or (n_i,) each.

    Returns:
        (sum of n_i, d), in fp32 and fp64 on a CPU column after column (see the file's head); or (sum of n_i,).
    """
    # Not as inference tensors, of which parameters that are views could never be trained again.
    with torch.inference_mode(False), torch.no_grad():
        parts = [parameter.data for parameter in parameters]
        if parts[0].dim() == 2 and parts[0].device.type == "cpu" and parts[0].dtype in _WIDE:
            joined = torch.cat([part.t() for part in parts], 1).t()
        else:
            joined = torch.cat(parts)
        for parameter, view in zip(parameters, torch.split(joined, [len(part) for part in parts]), strict=True):
            parameter.data = view
    return joined
