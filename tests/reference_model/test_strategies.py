"""Every strategy on a block whose logits are written by hand: what it commits, when, and how often it looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from reference_model.decoding import DecodeConfig, Look, Prompt, agreement, generate, make_strategy
from reference_model.decoding.strategies.topk import commits_per_step

from .by_hand import END, FOUR, MASK, drive, probabilities
from .cases import MODELS, prompt_for
from .devices import Careless


@pytest.mark.parametrize(
    ("length", "steps", "expected"),
    [(26, 2, [13, 13]), (26, 4, [7, 7, 6, 6]), (5, 3, [2, 2, 1]), (3, 8, [1, 1, 1]), (1, 1, [1])],
)
def test_commits_per_step_are_ceilings_first(length: int, steps: int, expected: list[int]) -> None:
    assert commits_per_step(length, steps) == expected


def test_topk_commits_the_most_confident_first() -> None:
    block, looks = drive("topk", 4, 2, FOUR)
    assert block.ids == [100, 101, 102, 103]
    assert block.committed_at == [1, 0, 1, 0]
    assert [look.rows for look in looks] == [(0, 1, 2, 3), (0, 2)]
    assert block.confidence == pytest.approx([0.5, 0.9, 0.7, 0.95])


def test_topk_stops_when_nothing_open_matters() -> None:
    rows = probabilities({0: (100, 0.99), 1: (END, 0.98), 2: (102, 0.3), 3: (103, 0.2)})
    block, looks = drive("topk", 4, 2, rows)
    assert block.ids == [100, END, MASK, MASK]
    assert len(looks) == 1


def test_topk_goes_on_while_a_mask_stands_before_the_end() -> None:
    rows = probabilities({0: (100, 0.3), 1: (END, 0.98), 2: (102, 0.9), 3: (103, 0.2)})
    block, looks = drive("topk", 4, 2, rows)
    assert block.ids[:2] == [100, END]
    assert len(looks) == 2


def test_threshold_commits_all_that_are_sure_and_at_least_one() -> None:
    block, looks = drive("threshold:tau=0.8", 4, 1, FOUR)
    # 0.9 and 0.95 at once; then 0.7 and 0.5 are below 0.8, so one at a time.
    assert block.committed_at == [2, 0, 1, 0]
    assert len(looks) == 3


def even(block: Sequence[int], asked: list[int]) -> Tensor:
    """Two candidates of the same probability, exactly a half: the code of the position, and 107."""
    del block
    out = torch.full((len(asked), 10), -math.inf)
    for row, position in enumerate(asked):
        out[row, [position, 7]] = 0.0
    return out


def test_threshold_commits_what_reaches_it() -> None:
    block, looks = drive("threshold:tau=0.5", 4, 1, even)
    assert (block.ids, block.confidence, len(looks)) == ([100, 101, 102, 103], [0.5] * 4, 1)


def test_threshold_commits_one_where_one_is_sure() -> None:
    block, _ = drive("threshold:tau=0.92", 4, 1, FOUR)
    assert block.committed_at == [3, 1, 2, 0]


def test_ar_asks_the_row_before_the_block() -> None:
    block, looks = drive("ar", 1, 4, FOUR)
    assert looks == [Look(rows=(0,), shifted=True)]
    assert (block.ids, block.confidence, block.committed_at) == ([100], [0.5], [0])


@pytest.mark.parametrize("spec", ["topk", "mapi:share=0"])
def test_equal_confidences_commit_from_the_left(spec: str) -> None:
    block, _ = drive(spec, 4, 2, even)
    assert (block.ids, block.committed_at) == ([100, 101, 102, 103], [0, 0, 1, 1])


@pytest.mark.parametrize("spec", ["first_hitting", "mapi:share=0.5"])
def test_draws_are_of_the_request_alone(spec: str) -> None:
    def run(seed: int) -> tuple[list[int], list[list[list[int]]]]:
        torch.manual_seed(seed)
        block, looks = drive(spec, 9, 3, probabilities({i: (100 + i % 8, 0.5 + i / 30) for i in range(9)}))
        return block.committed_at, [[view.tolist() for view in look.variants or ()] for look in looks]

    assert run(1) == run(2)


@pytest.mark.parametrize(
    "spec",
    [
        "ar",
        "edit",
        "entropy",
        "factor",
        "first_hitting",
        "klass",
        "mapi",
        "par",
        "pmi",
        "remdm",
        "saber",
        "threshold",
        "topk",
    ],
)
def test_nothing_is_left_to_a_default_that_differs_on_a_gpu(spec: str) -> None:
    watch = {
        "entropy": {"sort"},
        "factor": {"arange", "sort"},
        "first_hitting": {"randint"},
        "klass": {"zeros"},
        "mapi": {"rand", "sort"},
        "pmi": {"sort"},
        "remdm": {"sort"},
        "saber": {"sort"},
        "topk": {"sort"},
    }
    careless = Careless()

    with careless:
        drive(spec, 1 if spec == "ar" else 4, 2, FOUR, forced=(100,))
    assert careless.calls == []
    assert watch.get(spec, set()) | {"full", "tensor"} <= careless.watched


def test_first_hitting_takes_one_position_at_a_time() -> None:
    block, looks = drive("first_hitting", 4, 1, FOUR)
    assert sorted(block.committed_at) == [0, 1, 2, 3]
    assert all(len(look.rows or ()) == 1 for look in looks)
    assert block.ids == [100, 101, 102, 103]


def test_mapi_averages_the_views() -> None:
    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        # Position 3 is certain; position 0 says 104 as long as it sees position 3, and 105, more weakly, if not.
        out = torch.full((len(asked), 10), -10.0)
        for row, position in enumerate(asked):
            if position == 3:
                out[row, 3] = 10.0
            elif block[3] == MASK:
                out[row, 5] = 5.0
            else:
                out[row, 4] = 20.0
        return out

    block, looks = drive("mapi:variants=4,share=1.0", 4, 4, logits)
    assert looks[0].variants is None
    assert [look.rows for look in looks] == [(0, 1, 2, 3), (0, 1, 2), (1, 2), (2,)]
    assert block.committed_at[3] == 0
    second = looks[1].variants
    assert second is not None
    assert [view.tolist()[3] for view in second] == [103, MASK, MASK, MASK]
    # Means: 104 has (20 - 10 - 10 - 10) / 4 = -2.5, 105 has (-10 + 5 + 5 + 5) / 4 = 1.25: three views outvote one.
    assert block.ids == [105, 105, 105, 103]


def test_par_drafts_from_the_left_and_refines_the_least_confident() -> None:
    answers = iter([0.9, 0.2, 0.8, 0.7])
    seen: list[list[int]] = []

    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        seen.append(list(block))
        out = torch.full((len(asked), 10), -math.inf)
        for row, position in enumerate(asked):
            refined = position == 1 and MASK not in block[2:]
            p = 0.99 if refined else next(answers)
            out[row, :9] = math.log((1 - p) / 8)
            out[row, 7 if refined else position] = math.log(p)
        return out

    block, looks = drive("par:refinements=1,share=0.25", 4, 3, logits)
    assert [look.rows for look in looks] == [(0, 1), (2, 3), (1,)]
    assert seen == [[MASK] * 4, [100, 101, MASK, MASK], [100, MASK, 102, 103]]
    assert block.ids == [100, 107, 102, 103]
    assert block.committed_at == [0, 2, 1, 1]


def test_par_fills_what_follows_an_end_token_that_refinement_removed() -> None:
    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        out = torch.zeros(len(asked), 10)
        out[:, 9] = -math.inf
        for row, position in enumerate(asked):
            first_draft = all(token == MASK for token in block)
            out[row, END - 100 if position == 1 and first_draft else position] = 2.0 if position == 1 else 4.0
        return out

    block, looks = drive("par:refinements=1,share=0.5", 4, 3, logits)
    assert block.ids == [100, 101, 102, 103]
    assert [look.rows for look in looks] == [(0, 1), (1,), (2, 3)]


def test_par_refines_what_stands_up_to_the_end_token() -> None:
    # Codes at 0 and 1, an end token at 2; 3 to 5 stay masked. Half of three, rounded: two, the least confident.
    rows = probabilities({0: (100, 0.6), 1: (101, 0.9), 2: (END, 0.5), 3: (103, 0.1), 4: (104, 0.1), 5: (105, 0.1)})
    block, looks = drive("par:refinements=1,share=0.5", 6, 3, rows)
    assert [look.rows for look in looks] == [(0, 1, 2), (0, 2)]
    assert (block.ids, block.end) == ([100, 101, END, MASK, MASK, MASK], 2)
    assert block.committed_at == [1, 0, 1, -1, -1, -1]


@pytest.mark.parametrize(
    ("spec", "steps", "rows"),
    [
        # One step drafts, whatever was asked for; of two, one refines.
        ("par", 1, [(0, 1, 2, 3)]),
        ("par:refinements=3", 2, [(0, 1, 2, 3), (0,)]),
        ("par:refinements=2", 3, [(0, 1, 2, 3), (0,), (0,)]),
        ("par:refinements=0", 2, [(0, 1), (2, 3)]),
        # The default: one step of a quarter.
        ("par", 3, [(0, 1), (2, 3), (0,)]),
        # The two least confident in order of their places; an eighth of four rounds to nothing, which takes no pass.
        ("par:share=0.5", 2, [(0, 1, 2, 3), (0, 2)]),
        ("par:share=0.1", 3, [(0, 1), (2, 3)]),
    ],
)
def test_par_shares_its_steps_between_draft_and_refinement(spec: str, steps: int, rows: list[tuple[int, ...]]) -> None:
    block, looks = drive(spec, 4, steps, FOUR)
    assert [look.rows for look in looks] == rows
    assert block.ids == [100, 101, 102, 103]


def test_par_refines_in_the_order_of_places() -> None:
    falling = probabilities({0: (100, 0.9), 1: (101, 0.6), 2: (102, 0.5), 3: (103, 0.95)})
    _, looks = drive("par:share=0.5", 4, 2, falling)
    assert [look.rows for look in looks] == [(0, 1, 2, 3), (1, 2)]


def test_par_stops_drafting_at_an_end_token() -> None:
    rows = probabilities({0: (100, 0.9), 1: (END, 0.9), 2: (102, 0.9), 3: (103, 0.9)})
    block, looks = drive("par:refinements=0", 4, 2, rows)
    assert (block.ids, [look.rows for look in looks]) == ([100, END, MASK, MASK], [(0, 1)])


def test_pmi_prefers_what_the_context_speaks_for() -> None:
    first = iter([True])

    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        out = torch.full((len(asked), 10), -math.inf)
        # The first look asks for the prior.
        if next(first, False):
            out[:, :9] = math.log(0.1 / 8)
            out[:, 0] = math.log(0.9)
            return out
        for row, position in enumerate(asked):
            # 100 is frequent anyway (0.9): log 0.8 - log 0.9 < log 0.5 - log 0.0125, so 101 to 103 go first.
            token, p = {0: (0, 0.8), 1: (1, 0.5), 2: (2, 0.6), 3: (3, 0.7)}[position]
            out[row, :9] = math.log((1 - p) / 8)
            out[row, token] = math.log(p)
        return out

    block, looks = drive("pmi:weight=1.0", 4, 4, logits)
    assert (looks[0].alone, looks[0].rows) == (True, (0,))
    assert looks[0].variants is not None
    assert looks[0].variants[0].tolist() == [MASK] * 4
    # The prior took pass 0. Scores log(p / p0): 4.03 (103), 3.87 (102), 3.69 (101), -0.12 (100).
    # Pass 1 commits 103. Pass 2: the 3/4-quantile of the first scores is 3.91, nothing reaches it, so 102 alone.
    # Pass 3: the median is 3.78: 101 alone. Pass 4: 100.
    assert block.committed_at == [4, 3, 2, 1]


def test_pmi_finishes_early_when_scores_rise() -> None:
    def logits(block: Sequence[int], asked: list[int]) -> Tensor:
        p = 0.3 if all(token == MASK for token in block) else 0.99
        return probabilities({i: (100 + i, p) for i in range(6)})(block, asked)

    block, looks = drive("pmi:weight=0.0", 6, 6, logits)
    # One look for the prior, one that commits one token, one in which all the rest reach the first scores.
    assert len(looks) == 3
    assert block.open == []


def test_pmi_commits_all_that_reach_the_quantile() -> None:
    # All scores are equal: the second step's reach the first's.
    block, looks = drive("pmi:weight=0", 6, 6, probabilities({i: (100 + i, 0.5) for i in range(6)}))
    assert (block.committed_at, len(looks)) == ([1, 2, 2, 2, 2, 2], 3)


def test_pmi_asks_for_the_prior_once_a_request() -> None:
    kept: dict[str, Tensor] = {}
    first, of_first = drive("pmi", 4, 2, FOUR, kept=kept)
    second, of_second = drive("pmi", 4, 2, FOUR, kept=kept)
    # Any row of a block of masks, since they are all equal; here the first.
    assert list(kept) == ["log_prior"]
    assert kept["log_prior"][0].exp().item() == pytest.approx(0.5)
    assert kept["log_prior"].shape == (10,)
    assert [look.alone for look in of_first] == [True, False, False]
    assert [look.alone for look in of_second] == [False, False]
    assert first.ids == second.ids == [100, 101, 102, 103]


@pytest.mark.parametrize(
    "spec",
    [
        "topk",
        "threshold",
        "edit",
        "entropy",
        "factor",
        "first_hitting",
        "klass",
        "mapi",
        "par",
        "pmi",
        "remdm",
        "saber",
    ],
)
@pytest.mark.parametrize("length", [1, 2, 7])
def test_every_strategy_fills_the_block(spec: str, length: int) -> None:
    block, _ = drive(spec, length, 3, probabilities({i: (100 + i, 0.6) for i in range(length)}))
    assert block.ids == [100 + i for i in range(length)]
    assert block.settled


def test_agreement_of_a_strategy_with_its_oracle() -> None:
    model = MODELS["hybrid", 60, 1]
    prompts = [Prompt(prompt_for(model, case), case) for case in range(6)]
    chosen: dict[str, Any] = {"block_length": 8, "steps_per_block": 2, "max_text_tokens": 10, "max_audio_tokens": 30}
    oracle = generate(model, prompts, DecodeConfig(strategy="first_hitting", **chosen))
    topk = generate(model, prompts, DecodeConfig(strategy="topk", **chosen))
    for one, other in zip(topk, oracle, strict=True):
        found = agreement(one, other)
        assert (found.same_share == 1) == (found.first_difference is None) == (one.ids == other.ids)
        assert (found.nfe, found.nfe_oracle) == (one.trace.nfe, other.trace.nfe)
        assert agreement(one, one).same_share == 1
    assert any(one.trace.nfe < other.trace.nfe for one, other in zip(topk, oracle, strict=True))


def test_the_defaults_of_the_options() -> None:
    found = {name: vars(make_strategy(name)) for name in ("mapi", "par", "pmi", "threshold")}
    assert found == {
        "mapi": {"variants": 3, "share": 0.3},
        "par": {"refinements": 1, "share": 0.25},
        "pmi": {"weight": 0.5},
        "threshold": {"tau": 0.9},
    }
