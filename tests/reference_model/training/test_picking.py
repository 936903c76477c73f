"""Batches of recordings of like length."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model.training.picking import like_long


@given(st.integers(1, 6), st.lists(st.integers(0, 39), min_size=1, max_size=20), st.integers(0, 1000))
def test_picks_come_from_the_pool_and_four_turns_take_all_that_was_drawn(n: int, pool: list[int], seed: int) -> None:
    lengths = [(7 * i) % 40 for i in range(40)]
    turns = [like_long(n, pool, lengths, turn, torch.Generator().manual_seed(seed)) for turn in range(4)]
    assert all(len(picks) == n and set(picks) <= set(pool) for picks in turns)
    taken = [lengths[i] for picks in turns for i in picks]
    assert taken == sorted(taken)


def test_every_recording_gets_its_turn() -> None:
    lengths = list(range(40))
    rng = torch.Generator().manual_seed(0)
    seen = {i for step in range(100) for i in like_long(4, range(10, 30), lengths, step, rng)}
    assert seen == set(range(10, 30))
