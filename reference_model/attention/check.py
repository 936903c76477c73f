"""Does an operator for runs of rows compute what ``sdpa`` computes? One small made-up pass of each kind is compared.

The pass is made up, not a user's: so the answer is the same whatever is asked first, it is known before a system card
is written, and it costs no mask of a long prompt. Its numbers come from a generator of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_model.attention.rows import attend_rows
from reference_model.attention.runs import Operator, RunsAttention, cut_runs, split_runs
from reference_model.attention.sdpa import SdpaBackend
from reference_model.attention.xformers import XformersBackend
from reference_model.limits import limits, starts

TOLERANCE: Mapping[torch.dtype, float] = {
    torch.float64: 1e-9,
    torch.float32: 1e-3,
    torch.float16: 4e-3,
    torch.bfloat16: 2e-2,
}
"""The largest relative error of a row. Rounding weights and output to bfloat16's 8 bits moves a row by about 4e-3, to
float16's 11 bits by 5e-4; a row that sees one key of a hundred too few is off by about 0.1."""


@dataclass(frozen=True)
class Heads:
    """What kernels are chosen by.

    Attributes:
        n_heads, n_kv_heads: query heads, and the key heads that they share.
        width: of a head.
        dtype: of queries, keys and values.
        device: where they lie.
    """

    n_heads: int
    n_kv_heads: int
    width: int
    dtype: torch.dtype
    device: torch.device


@dataclass(frozen=True)
class Verdict:
    """What came of a comparison.

    Attributes:
        why_not: why the operator isn't to be used; empty if it is.
        error: largest relative error of a row against ``sdpa`` in fp32 or wider; None if nothing could be compared.
    """

    why_not: str
    error: float | None


@torch.inference_mode()
def compare(operator: Operator, heads: Heads) -> Verdict:
    """Run a whole-sequence pass and a decode pass with ``operator``, and both again with ``sdpa``."""
    try:
        # The caller may be in an autocast region, whose dtype is in ``heads`` already.
        with torch.autocast(heads.device.type, enabled=False):
            error = max(_whole_sequences(operator, heads), _decode_pass(operator, heads))
    except Exception as raised:  # whatever a missing kernel, a driver or a broken installation raises
        first = (str(raised).strip() or "no message").splitlines()[0]
        return Verdict(f"it raised {type(raised).__name__}: {first}", None)
    tolerance = TOLERANCE[heads.dtype]
    # Written so that NaN fails.
    if not error <= tolerance:
        return Verdict(f"its results differ from sdpa's by {error:.1e}, more than {tolerance:.0e}", error)
    return Verdict("", error)


def _whole_sequences(operator: Operator, heads: Heads) -> float:
    """Two sequences of text and spans, the second of two packed documents."""
    text, audio = 1, 11
    ids = torch.tensor(
        [
            [text] * 20 + [audio] * 30 + [text] * 13 + [audio] * 27 + [text] * 6,
            [text] * 10 + [audio] * 20 + [text] * 10 + [audio] * 30 + [text] * 26,
        ]
    )
    length = ids.shape[1]
    start = torch.stack([starts([length], length), starts([40, length - 40], length)])
    limit = limits(ids, 10, start=start)
    limit, start = limit.to(heads.device), start.to(heads.device)
    generator = torch.Generator("cpu").manual_seed(0)
    q, k, v = (_some((2, n, length, heads.width), heads, generator) for n in _heads_of_qkv(heads))
    backend = XformersBackend(operator)
    causal, full = split_runs(limit, start, length)
    found = backend.attend(q, k, v, RunsAttention(causal, full, 2 * length, heads.device, operator))
    sdpa, (q, k, v) = SdpaBackend(), (_wide(x) for x in (q, k, v))
    expected = sdpa.attend(q, k, v, sdpa.plan(limit, start, length, q.dtype))
    return _error(found.transpose(1, 2).flatten(2), expected.transpose(1, 2).flatten(2))


def _decode_pass(operator: Operator, heads: Heads) -> float:
    """A text token, the opening of a span, and a span that goes on, of three sequences in one pool with gaps."""
    block = 26
    sequences = [
        (7, (50,)),
        (80, (38, *[38 + block] * block)),
        (151, (block,) * block),
    ]
    n_rows = [len(limit) for _, limit in sequences]
    first_rows = [sum(n_rows[:index]) for index in range(len(n_rows))]
    generator = torch.Generator("cpu").manual_seed(1)
    q = _some((sum(n_rows), heads.n_heads, heads.width), heads, generator)
    keys, values = (_some((heads.n_kv_heads, 200, heads.width), heads, generator) for _ in range(2))
    causal, full = cut_runs([(first, limit, (0,) * len(limit)) for first, limit in sequences], first_rows)
    together = RunsAttention(causal, full, keys.shape[1], heads.device, operator)
    found = together.attend(q, keys.transpose(0, 1), values.transpose(0, 1)).flatten(1)
    expected = []
    for (first, limit), row, n in zip(sequences, first_rows, n_rows, strict=True):
        its_keys, its_values = (_wide(x[:, first : first + max(limit)]) for x in (keys, values))
        expected.append(attend_rows(_wide(q[row : row + n]), its_keys, its_values, limit))
    return _error(found, torch.cat(expected))


def _heads_of_qkv(heads: Heads) -> tuple[int, int, int]:
    return heads.n_heads, heads.n_kv_heads, heads.n_kv_heads


def _some(shape: tuple[int, ...], heads: Heads, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device="cpu").to(heads.device, heads.dtype)


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _error(found: Tensor, expected: Tensor) -> float:
    """The largest ||found - expected|| / ||expected|| of a row, the last dimension."""
    off = (found.to(expected.dtype) - expected).norm(dim=-1)
    return float((off / expected.norm(dim=-1)).max())
