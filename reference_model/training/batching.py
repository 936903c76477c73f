"""Corrupted examples as one tensor: padded to the longest, or packed behind one another without gaps.

Packed documents don't see each other (``start``), and each counts its positions from 0. Knows ids and the mask's
vectors; no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.errors import ReferenceModelError
from reference_model.limits import limits, starts
from reference_model.training.objective import Row


@dataclass(frozen=True)
class Batch:
    """What the network runs and what it is asked.

    Attributes:
        ids: (B, L).
        limit: (B, L), see ``reference_model.limits``.
        start, positions: (B, L) of packed documents; None where every row of ``ids`` is one example.
        rows: (n,) indices into the flattened (B L,) rows whose output is trained.
        targets: (n,) the id that each of them predicts.
        weights: (n,) factors of the cross-entropies.
        prompt_rows: per example the indices of the prompt's audio rows.
        transcripts: per example the text ids that these rows spell.
    """

    ids: Tensor
    limit: Tensor
    start: Tensor | None
    positions: Tensor | None
    rows: Tensor
    targets: Tensor
    weights: Tensor
    prompt_rows: tuple[Tensor, ...]
    transcripts: tuple[Tensor, ...]


LENGTH_STEP = 16
"""Padded lengths are multiples of it, so that a processor's compiled products of one length serve many batches."""
ROW_STEP = 64
"""Likewise of the rows with a target."""


def rounded_up(n: int, step: int) -> int:
    """The least multiple of ``step`` that is at least ``n``."""
    return -(-n // step) * step


def collate(examples: Sequence[Row], config: TtTConfig, *, pack: int = 0, device: str | torch.device = "cpu") -> Batch:
    """Lay corrupted examples out for one pass.

    Args:
        examples: at least one.
        config: ids, objective and prompt audio.
        pack: 0 pads every example to the longest, or a few tokens more (``LENGTH_STEP``); else examples are packed into
            rows of this many tokens.
        device: of the tensors.

    Raises:
        ReferenceModelError: an example is longer than ``pack``.
    """
    lengths = [len(one.ids) for one in examples]
    bins = pack_lengths(lengths, pack) if pack else [[i] for i in range(len(examples))]
    length = pack or rounded_up(max(lengths), LENGTH_STEP)
    ids = np.zeros((len(bins), length), np.int64)
    answer_start = np.zeros((len(bins), length), np.int64)
    positions = np.zeros((len(bins), length), np.int64)
    begins = np.zeros(len(examples), np.int64)
    used = np.zeros(len(bins), np.int64)
    for at, members in enumerate(bins):
        for i in members:
            one, first = examples[i], int(used[at])
            end = first + len(one.ids)
            ids[at, first:end] = one.ids
            answer_start[at, first:end] = first + one.answer_start
            positions[at, first:end] = np.arange(len(one.ids))
            begins[i] = at * length + first
            used[at] = end
    start = None
    if pack:
        start = torch.stack([starts([len(examples[i].ids) for i in members], length) for members in bins])
    limit = limits(
        torch.from_numpy(ids),
        config.audio_token_id_start,
        prompt_audio=config.prompt_audio,
        objective=config.objective,
        answer_start=torch.from_numpy(answer_start) if pack else torch.from_numpy(answer_start[:, 0]),
        lengths=torch.from_numpy(used),
        start=start,
    )

    def together(parts: Sequence[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.concatenate(parts)).to(device)

    prompt_rows = [
        begin + np.flatnonzero(one.ids[: one.answer_start] > config.audio_token_id_start)
        for begin, one in zip(begins, examples, strict=True)
    ]
    return Batch(
        ids=torch.from_numpy(ids).to(device),
        limit=limit.to(device),
        start=None if start is None else start.to(device),
        positions=torch.from_numpy(positions).to(device) if pack else None,
        rows=together([begin + one.rows for begin, one in zip(begins, examples, strict=True)]),
        targets=together([one.targets for one in examples]),
        weights=together([one.weights for one in examples]),
        prompt_rows=tuple(torch.from_numpy(rows).to(device) for rows in prompt_rows),
        transcripts=tuple(torch.from_numpy(one.transcript).to(device) for one in examples),
    )


def pack_lengths(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Which documents share a row: the longest first, each into the first row that has room.

    Returns:
        Indices into ``lengths``, row by row.

    Raises:
        ReferenceModelError: one is longer than ``room``.
    """
    if lengths and max(lengths) > room:
        raise ReferenceModelError(f"an example of {max(lengths)} tokens does not fit into rows of {room}; raise pack")
    rows: list[list[int]] = []
    left: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        at = next((at for at, free in enumerate(left) if free >= lengths[i]), len(rows))
        if at == len(rows):
            rows.append([])
            left.append(room)
        rows[at].append(i)
        left[at] -= lengths[i]
    return rows
