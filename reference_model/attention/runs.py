"""Rows of many sequences, cut into runs that share one range of keys, and attended to in two calls: causal and full.

Every row sees a prefix of its sequence's keys: a span is a run with full attention, text is a run with causal attention
that begins behind the keys before it. The runs' key ranges overlap. Knows no operator that makes the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


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
    n_rows = limit.shape[1]
    start_rows = torch.zeros_like(limit).tolist() if start is None else start.tolist()
    sequences = [(b * n_keys, rows, start_rows[b]) for b, rows in enumerate(limit.tolist())]
    return cut_runs(sequences, [b * n_rows for b in range(len(sequences))])


def cut_runs(
    sequences: Sequence[tuple[int, Sequence[int], Sequence[int]]], first_row: Sequence[int]
) -> tuple[Runs, Runs]:
    """Cut the rows of sequences, whatever their lengths, into (causal runs, full runs).

    Args:
        sequences: for each where its keys begin in the flat key sequence, and ``limit`` and ``start`` of its rows.
        first_row: the flat index of each sequence's first row; its other rows follow.
    """
    causal: list[tuple[int, int, int, int]] = []
    full: list[tuple[int, int, int, int]] = []
    for (keys, limit, start), flat in zip(sequences, first_row, strict=True):
        i = 0
        while i < len(limit):
            low = start[i]
            j = i + 1
            while j < len(limit) and limit[j] == limit[i] and start[j] == low:
                j += 1
            if j > i + 1:
                full.append((flat + i, j - i, keys + low, limit[i] - low))
            else:
                # A causal run goes on while the limit grows by one and no span (two equal limits) begins.
                while (
                    j < len(limit)
                    and limit[j] == limit[j - 1] + 1
                    and start[j] == low
                    and not (j + 1 < len(limit) and limit[j + 1] == limit[j])
                ):
                    j += 1
                causal.append((flat + i, j - i, keys + low, limit[j - 1] - low))
            i = j
    return _runs(causal), _runs(full)


def _runs(found: list[tuple[int, int, int, int]]) -> Runs:
    return Runs(
        rows=tuple(flat + i for flat, n, _, _ in found for i in range(n)),
        n_rows=tuple(n for _, n, _, _ in found),
        key_start=tuple(key for _, _, key, _ in found),
        n_keys=tuple(n for _, _, _, n in found),
    )


class Operator(Protocol):
    """Attention of runs of rows over a flat key sequence, in one call."""

    def why_not(self, device: torch.device) -> str:
        """Why it can't run on ``device``, as a clause with the subject "it"; empty if it can."""
        ...

    def prepare(self, runs: Runs, causal: bool, total_keys: int, device: torch.device) -> Any:
        """What ``attend`` needs to know of the runs, made once for all layers."""
        ...

    def attend(self, rows: Tensor, keys: Tensor, values: Tensor, prepared: Any) -> Tensor:
        """(1, R, Hkv, group, D) queries, (1, total, Hkv, group, D) keys and values, whose group axis is a view."""
        ...


class RunsAttention:
    """The two calls of one pass, for all its layers."""

    def __init__(self, causal: Runs, full: Runs, total_keys: int, device: torch.device, operator: Operator) -> None:
        """Prepare the calls that ``operator`` makes."""
        self._operator = operator
        self._calls = [
            (torch.tensor(runs.rows, device=device), self._operator.prepare(runs, is_causal, total_keys, device))
            for runs, is_causal in ((causal, True), (full, False))
            if runs.rows
        ]

    def attend(self, q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(R, H, D) queries, (total, Hkv, D) keys and values → (R, H, D)."""
        n_rows, heads, width = q.shape
        group = heads // keys.shape[1]
        rows = q.reshape(1, n_rows, -1, group, width)
        # The group axis of keys and values is a view, not a copy.
        k, v = (x[None, :, :, None].expand(-1, -1, -1, group, -1) for x in (keys, values))
        out = torch.empty_like(rows)
        for index, prepared in self._calls:
            out[:, index] = self._operator.attend(rows[:, index], k, v, prepared)
        return out.view(n_rows, heads, width)
