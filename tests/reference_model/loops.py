"""What xformers' gappy biases mean, row by row: stands in for its operator, which no CPU has."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from reference_model.attention.runs import Runs


class Loops:
    """An ``Operator`` for every device. Counts its calls, and the rows of each."""

    def __init__(self) -> None:
        self.n_rows: list[int] = []

    def why_not(self, device: torch.device) -> str:
        del device
        return ""

    def prepare(self, runs: Runs, causal: bool, total_keys: int, device: torch.device) -> Any:
        del device
        seen = []
        for n_rows, first, n_keys in zip(runs.n_rows, runs.key_start, runs.n_keys, strict=True):
            assert 0 <= first <= first + n_keys <= total_keys
            seen += [(first, first + n_keys - (n_rows - 1 - r if causal else 0)) for r in range(n_rows)]
        return seen

    def attend(self, rows: Tensor, keys: Tensor, values: Tensor, prepared: Any) -> Tensor:
        self.n_rows.append(rows.shape[1])
        out = torch.empty_like(rows)
        for row, (first, end) in enumerate(prepared):
            scores = torch.einsum("hgd,khgd->khg", rows[0, row], keys[0, first:end]) / rows.shape[-1] ** 0.5
            out[0, row] = torch.einsum("khg,khgd->hgd", scores.softmax(0), values[0, first:end])
        return out
