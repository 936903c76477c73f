"""Products and norms of inference on the fastest path the processor has. Knows no model.

On a CPU in fp32, a matrix is fastest where it lies in memory as (in, out), so that the output is summed up in long
runs; only where such runs stand whole pages apart, (out, in) is faster. For one row of a matrix that stays in the cache
the call decides, and ``torch.mv`` is the shortest, though it uses one core. For all else oneDNN is faster: for one row
up to 1.9 times on two cores, and for a few dozen 2.5 times as fast as MKL, which PyTorch takes for fp32 on x86, on
processors that aren't Intel's.

In bfloat16 and float16 it is the other way round: (in, out) takes up to 2.5 and 60 times as long, and for one row
``torch.nn.functional.linear`` is the faster call, too. So it serves any number of rows there, and gives a row the same
numbers alone as among others. In fp32 a single row of a small matrix has a kernel of its own, which sums in another
order.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_WIDE = (torch.float32, torch.float64)
_SMALL = 1 << 19  # numbers of a matrix (2 MiB in fp32) that may stay in the cache from pass to pass
_PAGE = 512  # outputs, of which a multiple sets the runs of (in, out) half a page or whole ones apart
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
    if _is_short(x, weight):
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
    if _is_short(x, weight):
        return torch.addmv(base[0], weight, x[0]).unsqueeze(0)
    return base + linear(x, weight)


def _is_short(x: Tensor, weight: Tensor) -> bool:
    """Whether a product is one row of so few numbers that only the call costs time (in fp64 oneDNN has none)."""
    if x.shape[0] != 1:
        return False
    return x.dtype == torch.float64 or (x.dtype == torch.float32 and (weight.numel() <= _SMALL or not _HAS_ONEDNN))


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """``torch.nn.functional.rms_norm`` over the last of the dimensions of (R, d), in half the time for a single row."""
    if x.shape[0] != 1 or x.device.type != "cpu" or x.dtype not in _WIDE:
        return F.rms_norm(x, x.shape[-1:], weight, eps)
    row = x[0]
    scale: float = (float(row.dot(row)) / len(row) + eps) ** -0.5
    return (x * scale).mul_(weight)


def join(parameters: tuple[torch.nn.Parameter, ...]) -> Tensor:
    """Several matrices or vectors as one tensor, of which the parameters become views and stay trainable.

    Args:
        parameters: (n_i, d) each, or (n_i,) each.

    Returns:
        (sum of n_i, d), on a CPU column after column where that is faster (see the file's head); or (sum of n_i,).
    """
    # Not as inference tensors, of which parameters that are views could never be trained again.
    with torch.inference_mode(False), torch.no_grad():
        parts = [parameter.data for parameter in parameters]
        joined = torch.cat([part.t() for part in parts], 1).t() if _by_columns(parts) else torch.cat(parts)
        for parameter, view in zip(parameters, torch.split(joined, [len(part) for part in parts]), strict=True):
            parameter.data = view
    return joined


def join_if_small(parameters: tuple[torch.nn.Parameter, ...]) -> tuple[Tensor, ...]:
    """``join``, but large matrices on a CPU stay apart: a call less is nothing there, and narrower ones are faster."""
    n_numbers = sum(parameter.numel() for parameter in parameters)
    if n_numbers <= _SMALL or parameters[0].device.type != "cpu":
        return (join(parameters),)
    return tuple(join((parameter,)) for parameter in parameters)


def _by_columns(parts: list[Tensor]) -> bool:
    """Whether matrices that become one had better lie column after column."""
    one = parts[0]
    if one.dim() != 2 or one.device.type != "cpu" or one.dtype not in _WIDE:
        return False
    n_out = sum(len(part) for part in parts)
    return n_out % _PAGE != 0 or n_out * one.shape[1] <= _SMALL
