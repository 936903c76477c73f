"""The strategies that take committed tokens back or replace them, on probabilities given by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from reference_model.decoding import make_strategy, strategy_names
from reference_model.decoding.strategy import is_untrained

from .by_hand import END, FOUR, MASK, Logits, drive, probabilities

Rows = dict[int, tuple[int, float]]


def in_turn(*passes: Rows) -> tuple[Logits, list[list[int]]]:
    """Logits of one pass after the other, and the contents of the block that each of them saw."""
    coming, seen = iter(passes), list[list[int]]()

    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        seen.append(list(block))
        return probabilities(next(coming))(block, asked)

    return logits, seen


def test_saber_commits_a_few_and_what_is_surer_than_the_block() -> None:
    logits, _ = in_turn(
        # Nothing stands yet, so nothing is surer: the most confident one.
        {0: (100, 0.6), 1: (101, 0.5), 2: (102, 0.4), 3: (103, 0.3)},
        # Two are above the mean of what stands, 0.6.
        {0: (100, 0.6), 1: (101, 0.7), 2: (102, 0.65), 3: (103, 0.5)},
        # The mean of 0.6, 0.7 and 0.65 is 0.65; none is above it: the most confident one.
        {0: (100, 0.6), 1: (101, 0.7), 2: (102, 0.65), 3: (103, 0.55)},
    )
    block, looks = drive("saber:fewest=1", 4, 1, logits)
    assert (block.ids, block.committed_at) == ([100, 101, 102, 103], [0, 1, 1, 2])
    assert [look.rows for look in looks] == [(0, 1, 2, 3)] * 3
    assert block.n_revised == 0


@pytest.mark.parametrize(("fewest", "committed_at"), [(1, [3, 1, 2, 0]), (2, [1, 0, 1, 0]), (3, [1, 0, 0, 0])])
def test_saber_commits_at_least_the_fewest(fewest: int, committed_at: list[int]) -> None:
    assert drive(f"saber:fewest={fewest}", 4, 1, FOUR)[0].committed_at == committed_at


def test_saber_takes_back_what_fell_most() -> None:
    logits, seen = in_turn(
        {0: (100, 0.9), 1: (101, 0.8), 2: (102, 0.5), 3: (103, 0.5), 4: (104, 0.5)},
        # Position 0 fell by 0.05, position 1 by 0.5; 2 and 3 are above 0.85. Of two committed, one may go: position 1.
        {0: (100, 0.85), 1: (101, 0.3), 2: (102, 0.9), 3: (103, 0.95), 4: (104, 0.1)},
        {0: (100, 0.2), 1: (105, 0.7), 2: (102, 0.9), 3: (103, 0.95), 4: (104, 0.6)},
    )
    block, _ = drive("saber", 5, 1, logits)
    assert seen == [[MASK] * 5, [100, 101, MASK, MASK, MASK], [100, MASK, 102, 103, MASK]]
    # The last pass fills the block, which ends it: position 0 has fallen, and stays.
    assert (block.ids, block.committed_at) == ([100, 105, 102, 103, 104], [0, 2, 1, 1, 2])
    assert block.n_revised == 1


def test_saber_asks_for_the_token_that_stands_there() -> None:
    logits, seen = in_turn(
        {0: (100, 0.9), 1: (101, 0.8), 2: (102, 0.5), 3: (103, 0.5), 4: (104, 0.5)},
        # Position 1 now says 107 with 0.9: more than 0.8, but 101 has an eighth of 0.1 left.
        {0: (100, 0.9), 1: (107, 0.9), 2: (102, 0.9), 3: (103, 0.95), 4: (104, 0.1)},
        {0: (100, 0.9), 1: (107, 0.9), 2: (102, 0.9), 3: (103, 0.95), 4: (104, 0.6)},
    )
    block, _ = drive("saber", 5, 1, logits)
    assert seen[2] == [100, MASK, 102, 103, MASK]
    assert block.ids == [100, 107, 102, 103, 104]


@pytest.mark.parametrize(("per_back", "third"), [(8, [100, MASK]), (2, [MASK, MASK])])
def test_saber_takes_back_by_how_many_it_committed(per_back: int, third: list[int]) -> None:
    more: Rows = {position: (100 + position, 0.95) for position in range(2, 7)}
    last: Rows = {7: (100, 0.1)}
    logits, seen = in_turn(
        {0: (100, 0.99), 1: (101, 0.98), **{p: (100 + p, 0.2) for p in range(2, 7)}, **last},
        # The mean is 0.985, so the five of 0.99 go; 0 and 1 have fallen by 0.49 and 0.68.
        {0: (100, 0.5), 1: (101, 0.3), **{p: (token, 0.99) for p, (token, _) in more.items()}, **last},
        {0: (100, 0.99), 1: (101, 0.99), **{p: (token, 0.99) for p, (token, _) in more.items()}, **last},
        {0: (100, 0.99), 1: (101, 0.99), **{p: (token, 0.99) for p, (token, _) in more.items()}, **last},
    )
    drive(f"saber:per_back={per_back}", 8, 1, logits)
    assert seen[2] == [*third, 102, 103, 104, 105, 106, MASK]


def test_saber_keeps_what_rose() -> None:
    logits, seen = in_turn(
        {0: (100, 0.9), 1: (101, 0.8), 2: (102, 0.5), 3: (103, 0.5), 4: (104, 0.5)},
        {0: (100, 0.95), 1: (101, 0.8), 2: (102, 0.9), 3: (103, 0.95), 4: (104, 0.1)},
        {0: (100, 0.95), 1: (101, 0.8), 2: (102, 0.9), 3: (103, 0.95), 4: (104, 0.1)},
    )
    drive("saber", 5, 1, logits)
    # Position 1 is where it was but for rounding, position 0 rose.
    assert seen[2][0] == 100
    assert seen[2][2:] == [102, 103, MASK]


def test_remdm_masks_the_least_confident_in_its_loop() -> None:
    logits, seen = in_turn(
        # Three of four are drafted in two passes: 3 and 1, then 2.
        {0: (100, 0.5), 1: (101, 0.9), 2: (102, 0.7), 3: (103, 0.95)},
        {0: (100, 0.5), 2: (102, 0.7)},
        # The loop, two passes: 2 had the least confidence and is masked; 0 is surer now and takes its place.
        {0: (100, 0.8), 2: (106, 0.75)},
        # Now 0 is the least confident.
        {0: (100, 0.6), 2: (106, 0.85)},
        # The rest.
        {0: (107, 0.97)},
    )
    block, looks = drive("remdm:start=0.75", 4, 2, logits)
    assert [look.rows for look in looks] == [(0, 1, 2, 3), (0, 2), (0, 2), (0, 2), (0,)]
    assert seen[2:] == [[MASK, 101, MASK, 103], [MASK, 101, MASK, 103], [MASK, 101, 106, 103]]
    assert (block.ids, block.committed_at) == ([107, 101, 106, 103], [4, 0, 3, 0])
    assert block.n_revised == 2


def test_remdm_looks_no_further_than_the_end() -> None:
    rows: Rows = {0: (100, 0.9), 1: (END, 0.8), 2: (102, 0.1), 3: (103, 0.1)}
    block, looks = drive("remdm:start=0.5", 4, 1, probabilities(rows))
    # The end token is the less confident of two; masked, it uncovers what follows.
    assert [look.rows for look in looks] == [(0, 1, 2, 3), (1, 2, 3)]
    assert (block.ids, block.settled) == ([100, END, MASK, MASK], True)


EDITED: tuple[Rows, ...] = (
    {0: (100, 0.9), 1: (101, 0.6), 2: (102, 0.8)},
    # 0 is replaced (0.6 is above 0.5), 1 is filled (0.75 is above 0.7), 2 stays (0.45 isn't above 0.5).
    {0: (105, 0.6), 1: (101, 0.75), 2: (103, 0.45)},
    {0: (105, 0.9), 1: (101, 0.9), 2: (103, 0.55)},
    {0: (105, 0.9), 1: (101, 0.9), 2: (103, 0.9)},
)


@pytest.mark.parametrize(
    ("post_steps", "ids", "n_passes"), [(16, [105, 101, 103], 4), (1, [105, 101, 103], 3), (0, [105, 101, 102], 2)]
)
def test_edit_fills_and_replaces_until_nothing_changes(post_steps: int, ids: list[int], n_passes: int) -> None:
    logits, _ = in_turn(*EDITED)
    block, looks = drive(f"edit:post_steps={post_steps}", 3, 1, logits)
    assert (block.ids, len(looks)) == (ids, n_passes)
    assert [look.rows for look in looks] == [(0, 1, 2)] * n_passes
    assert block.committed_at == [1, 1, 2 if post_steps else 0]
    assert block.n_revised == min(1 + post_steps, 2)


def test_edit_fills_one_where_none_is_sure() -> None:
    block, looks = drive("edit:tau_mask=0.96", 4, 1, FOUR)
    assert block.committed_at == [3, 1, 2, 0]
    # A last pass finds nothing to replace.
    assert len(looks) == 5


def test_edit_goes_on_filling_where_an_end_token_is_replaced() -> None:
    logits, _ = in_turn(
        {0: (100, 0.9), 1: (END, 0.9), 2: (102, 0.3)},
        {0: (100, 0.9), 1: (101, 0.9)},
        {0: (100, 0.9), 1: (101, 0.9), 2: (104, 0.4)},
        {0: (100, 0.9), 1: (101, 0.9), 2: (104, 0.4)},
    )
    block, looks = drive("edit", 3, 1, logits)
    assert (block.ids, block.committed_at) == ([100, 101, 104], [0, 1, 2])
    assert [look.rows for look in looks] == [(0, 1, 2), (0, 1), (0, 1, 2), (0, 1, 2)]


def test_edit_ends_though_two_tokens_take_turns() -> None:
    turns: list[Rows] = [{0: (100 + turn % 2, 0.9)} for turn in range(4)]
    logits, _ = in_turn(*turns)
    block, looks = drive("edit:post_steps=3", 1, 1, logits)
    assert (block.ids, len(looks), block.n_revised) == ([101], 4, 3)


BOUNDS = {
    "saber:fewest=1": lambda length, steps: length,
    "saber:fewest=3,per_back=1": lambda length, steps: length,
    "remdm:start=0.6,back=3": lambda length, steps: 2 * steps + 1,
    "edit:tau_mask=0.4,tau_edit=0.2,post_steps=5": lambda length, steps: length + 5,
}


@pytest.mark.parametrize("spec", BOUNDS)
@given(length=st.integers(1, 9), steps=st.integers(1, 4), seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_whatever_the_network_says_the_block_ends(spec: str, length: int, steps: int, seed: int) -> None:
    noise = torch.Generator().manual_seed(seed)

    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        out = 3 * torch.randn((len(asked), 10), generator=noise)
        out[:, 9] = -torch.inf
        return out

    block, looks = drive(spec, length, steps, logits)
    assert block.settled
    assert len(looks) <= BOUNDS[spec](length, steps)


def test_those_that_trust_visible_tokens_say_that_weights_were_not_trained_for_it() -> None:
    untrained = {name for name in strategy_names() if is_untrained(make_strategy(name))}
    assert untrained == {"edit", "remdm", "saber"}
