"""The strategies that decide pass by pass how many tokens to commit, on probabilities given by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from .by_hand import FOUR, drive, probabilities


@pytest.mark.parametrize(
    ("f", "committed_at"),
    [
        # Confidences 0.95, 0.9, 0.7, 0.5 in falling order: (n + 1)(1 - c_n) is 0.1, 0.3, 1.2, 2.5.
        (0.05, [3, 1, 2, 0]),
        # Two below 1. Then 0.7, 0.5 are left: 2 * 0.3 = 0.6 is below 1, 3 * 0.5 = 1.5 isn't.
        (1.0, [2, 0, 1, 0]),
        (1.3, [1, 0, 0, 0]),
        (2.6, [0, 0, 0, 0]),
    ],
)
def test_factor_commits_what_the_least_confident_allows(f: float, committed_at: list[int]) -> None:
    block, looks = drive(f"factor:f={f}", 4, 1, FOUR)
    assert block.committed_at == committed_at
    assert len(looks) == max(committed_at) + 1
    assert block.ids == [100, 101, 102, 103]


def test_factor_excludes_equality() -> None:
    # Two tokens of one half each: (1 + 1)(1 - 0.5) is 1, which isn't below 1; one is committed all the same.
    def halves(block: Sequence[int], asked: list[int]) -> Tensor:
        out = torch.full((len(asked), 10), -math.inf)
        out[:, :2] = 0.0
        return out

    block, _ = drive("factor:f=1", 2, 1, halves)
    assert block.committed_at == [0, 1]
    block, _ = drive("factor:f=1.51", 2, 1, halves)
    assert block.committed_at == [0, 0]


@pytest.mark.parametrize(
    ("gamma", "committed_at"),
    [
        # Entropies in nats, in falling order of confidence: 0.30, 0.53, 1.23, 1.73. Less their largest, the sums of the
        # first n are 0, 0.30, 0.84, 2.07.
        (0.0, [3, 1, 2, 0]),
        # The first two; then 1.23 and 1.73 are left, which cost 1.23 together.
        (0.5, [2, 0, 1, 0]),
        (1.0, [1, 0, 0, 0]),
        (2.1, [0, 0, 0, 0]),
    ],
)
def test_entropy_commits_while_the_sum_less_the_largest_is_within_gamma(gamma: float, committed_at: list[int]) -> None:
    block, looks = drive(f"entropy:gamma={gamma}", 4, 1, FOUR)
    assert block.committed_at == committed_at
    assert len(looks) == max(committed_at) + 1
    assert block.ids == [100, 101, 102, 103]


@pytest.mark.parametrize(("gamma", "committed_at"), [(0.6, [0, 1]), (0.7, [0, 0])])
def test_entropy_leaves_out_the_largest_and_not_the_last(gamma: float, committed_at: list[int]) -> None:
    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        # Position 0 is the more confident (0.65) and has the larger entropy (1.38 nats: the rest is spread over eight
        # codes); position 1 (0.6 against 0.4) has 0.67.
        out = probabilities({0: (100, 0.65), 1: (101, 0.6)})(block, asked)
        for row, position in enumerate(asked):
            if position == 1:
                out[row] = -math.inf
                out[row, 1], out[row, 2] = math.log(0.6), math.log(0.4)
        return out

    block, _ = drive(f"entropy:gamma={gamma}", 2, 1, logits)
    assert block.committed_at == committed_at


def test_entropy_of_certain_tokens_is_nothing() -> None:
    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        out = probabilities(dict.fromkeys(range(4), (100, 0.5)))(block, asked)
        for row, position in enumerate(asked):
            if position < 2:
                out[row, 1:] = -math.inf
        return out

    # Positions 0 and 1 are certain. One uncertain token is the largest and costs nothing, a second one would.
    block, _ = drive("entropy:gamma=0", 4, 1, logits)
    assert block.committed_at == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("options", "committed_at"),
    [
        # The distributions never change. The first pass has none before it and commits the most confident, position 3.
        ("tau=0.8,history=1", [3, 1, 2, 0]),
        ("tau=0.6,history=1", [2, 1, 1, 0]),
        ("tau=0.4,history=1", [1, 1, 1, 0]),
        # With two comparisons, pass 2 is the first that finds a stable position; pass 1 takes the most confident, 1.
        ("tau=0.4,history=2", [2, 1, 2, 0]),
    ],
)
def test_klass_commits_what_is_confident_and_stood_still(options: str, committed_at: list[int]) -> None:
    block, looks = drive(f"klass:{options}", 4, 1, FOUR)
    assert block.committed_at == committed_at
    assert len(looks) == max(committed_at) + 1
    assert block.ids == [100, 101, 102, 103]


@pytest.mark.parametrize(("epsilon", "committed_at"), [(0.36, [0, 2, 1]), (0.38, [0, 1, 2])])
def test_klass_compares_this_pass_with_the_one_before(epsilon: float, committed_at: list[int]) -> None:
    passes = iter(
        [
            probabilities({0: (100, 0.95), 1: (101, 0.5), 2: (105, 0.6)}),
            # Position 1 went from 0.5 to 0.9: 0.9 ln(0.9 / 0.5) + 0.1 ln(0.1 / 0.5) = 0.368 nats (the other way round
            # it would be 0.511). Position 2 is more confident, and another token.
            probabilities({1: (101, 0.9), 2: (102, 0.92)}),
            probabilities({1: (101, 0.9), 2: (102, 0.92)}),
        ]
    )
    block, _ = drive(f"klass:tau=0.8,epsilon={epsilon},history=1", 3, 1, lambda ids, asked: next(passes)(ids, asked))
    assert block.committed_at == committed_at


def test_klass_counts_comparisons_in_a_row() -> None:
    # Position 1 stands still from pass 0 to 1, moves to pass 2, and stands still again; 0, 2 and 3 are never confident.
    moving = [0.9, 0.9, 0.7, 0.7, 0.7]
    passes = (
        probabilities({0: (100, 0.95), 1: (101, p), 2: (102, 0.94), 3: (103, 0.93), 4: (104, 0.92)}) for p in moving
    )
    block, _ = drive("klass:tau=0.6,epsilon=0.01,history=2", 5, 1, lambda ids, asked: next(passes)(ids, asked))
    # Pass 0 and 1: the most confident (0, 2). Pass 2: positions 3 and 4 have stood still twice, position 1 has moved.
    # Pass 3: position 1 has stood still once, so it is taken as the most confident that is left.
    assert block.committed_at == [0, 3, 1, 2, 2]
