"""A block whose logits are written by hand, and a strategy driven over it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from reference_model.decoding import Block, Look, make_strategy

MASK, END = 109, 108
"""Candidates are the ids 100 to 109: codes 100 to 107, an end token, the mask."""

Logits = Callable[[Sequence[int], list[int]], Tensor]


def probabilities(rows: dict[int, tuple[int, float]]) -> Logits:
    """Position → (token, probability); the rest is spread evenly over the other codes, never the mask."""

    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        del block
        out = torch.full((len(asked), 10), -math.inf, device="cpu")
        for row, position in enumerate(asked):
            token, p = rows[position]
            out[row, :9] = math.log((1 - p) / 8)
            out[row, token - 100] = math.log(p)
        return out

    return logits


def drive(spec: str, length: int, steps: int, logits: Logits, **given: Any) -> tuple[Block, list[Look]]:
    """The block as the strategy leaves it, and its looks; ``rows`` of a look that names none are those still open."""
    block = Block(
        length,
        steps=steps,
        mask_id=MASK,
        end_ids=(END,),
        first_candidate=100,
        temperature=0.0,
        generator=torch.Generator().manual_seed(0),
        device=torch.device("cpu"),
        **given,
    )
    looks: list[Look] = []
    filling = make_strategy(spec).fill(block)
    try:
        look = next(filling)
        while True:
            block.looks += 1
            asked = list(block.open if look.rows is None else look.rows)
            looks.append(replace(look, rows=tuple(asked)))
            contents = [block.tokens] if look.variants is None else look.variants
            look = filling.send(torch.stack([logits(content.tolist(), asked) for content in contents]))
    except StopIteration:
        return block, looks


FOUR = probabilities({0: (100, 0.5), 1: (101, 0.9), 2: (102, 0.7), 3: (103, 0.95)})
