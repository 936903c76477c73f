"""The block that a strategy fills, and how strategies are found by name."""

from __future__ import annotations

from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, ClassVar

import pytest
import torch

from reference_model.decoding import Block, Look, make_strategy, register_strategy, strategy_names
from reference_model.decoding import strategy as strategies
from reference_model.decoding.strategy import Filling
from reference_model.errors import DecodeError

MASK, END = 109, 108


def block(length: int, **given: Any) -> Block:
    """Candidates are the ids 100 to 109."""
    return Block(
        length,
        steps=2,
        mask_id=MASK,
        end_ids=(END, 107),
        first_candidate=100,
        generator=torch.Generator().manual_seed(0),
        device=torch.device("cpu"),
        **{"temperature": 0.0, **given},
    )


def commit(into: Block, tokens: dict[int, int]) -> None:
    into.commit(list(tokens), torch.tensor(list(tokens.values())), torch.full((len(tokens),), 0.5))


def test_a_look_is_at_the_open_rows_of_the_block_as_it_stands() -> None:
    assert Look() == Look(variants=None, rows=None, shifted=False, alone=False)


def test_a_new_block_is_all_masks() -> None:
    new = block(3)
    assert (len(new), new.ids, new.open, new.end, new.settled) == (3, [MASK] * 3, [0, 1, 2], None, False)
    assert (new.tokens.tolist(), new.tokens.dtype) == ([MASK] * 3, torch.int64)
    assert (new.confidence, new.committed_at) == ([0.0] * 3, [-1] * 3)
    assert (new.steps, new.looks, new.kept) == (2, 0, {})
    kept = {"a": torch.zeros(1)}
    assert block(3, kept=kept).kept is kept


def test_what_is_committed_stands_until_it_is_reopened() -> None:
    one = block(4)
    one.looks = 3
    one.commit([2, 0], torch.tensor([102, 100]), torch.tensor([0.5, 0.25]))
    assert (one.ids, one.tokens.tolist()) == ([100, MASK, 102, MASK], [100, MASK, 102, MASK])
    assert (one.confidence, one.committed_at, one.open) == ([0.25, 0.0, 0.5, 0.0], [2, -1, 2, -1], [1, 3])
    one.reopen([2])
    assert (one.ids, one.tokens.tolist()) == ([100, MASK, MASK, MASK], [100, MASK, MASK, MASK])
    assert (one.confidence, one.committed_at, one.open) == ([0.25, 0.0, 0.0, 0.0], [2, -1, -1, -1], [1, 2, 3])


@pytest.mark.parametrize(
    ("tokens", "end", "settled"),
    [
        ({0: 100}, None, False),
        ({0: 100, 1: 101, 2: 102}, None, True),
        ({0: 100, 1: END}, 1, True),
        ({1: END}, 1, False),
        ({0: 107, 2: END}, 0, True),
    ],
)
def test_what_follows_an_end_token_does_not_matter(tokens: dict[int, int], end: int | None, settled: bool) -> None:
    one = block(3)
    commit(one, tokens)
    assert (one.end, one.settled) == (end, settled)


def test_what_is_taken_back_or_replaced_is_counted() -> None:
    one = block(4)
    commit(one, {0: 100, 1: 101, 2: END})
    assert (one.n_revised, one.size) == (0, 3)
    commit(one, {0: 100, 1: 105})  # the first is what stands there
    assert one.n_revised == 1
    one.reopen([2, 3])  # the second is a mask already
    assert (one.n_revised, one.size) == (2, 4)


def test_as_many_tokens_as_positions_are_committed() -> None:
    for one in (block(3), block(3, forced=(101,))):
        with pytest.raises(ValueError, match="zip"):
            one.commit([0, 1], torch.tensor([100, 101]), torch.tensor([0.5]))


def test_tokens_that_the_prompt_forces_take_the_place_of_drawn_ones() -> None:
    one = block(4, forced=[105, 106])
    commit(one, {3: 103, 2: 102, 1: 101, 0: 100})
    assert (one.ids, one.tokens.tolist()) == ([105, 106, 102, 103], [105, 106, 102, 103])


def test_drawn_columns_are_ids_with_the_probability_they_have() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])
    tokens, confidence = block(2).draw(logits)
    assert tokens.tolist() == [101, 100]
    assert confidence.tolist() == pytest.approx(torch.softmax(logits, dim=1).amax(dim=1).tolist())
    # With noise, other tokens are drawn too.
    warm = block(2, temperature=2.0)
    assert len({tuple(warm.draw(logits)[0].tolist()) for _ in range(50)}) > 1


BUILT_IN = {
    # name: does it predict the next token, its options
    "ar": (True, {}),
    "edit": (False, {"tau_mask": 0.7, "tau_edit": 0.5, "post_steps": 16}),
    "entropy": (False, {"gamma": 0.1}),
    "factor": (False, {"f": 1.0}),
    "first_hitting": (False, {}),
    "klass": (False, {"tau": 0.9, "epsilon": 0.01, "history": 2}),
    "mapi": (False, {"variants": 3, "share": 0.3}),
    "mtp": (True, {"heads": 0}),
    "par": (False, {"refinements": 1, "share": 0.25}),
    "pmi": (False, {"weight": 0.5}),
    "remdm": (False, {"start": 0.875, "back": 1}),
    "saber": (False, {"fewest": 2, "per_back": 8}),
    "speculate": (False, {"depth": 3, "of": "topk"}),
    "threshold": (False, {"tau": 0.9}),
    "topk": (False, {}),
}


@dataclass(frozen=True)
class Outside:
    """A strategy from somewhere else."""

    name: ClassVar[str] = "outside"
    next_token: ClassVar[bool] = False
    width: int = 1

    def fill(self, block: Block) -> Filling:
        raise NotImplementedError


@dataclass
class Point:
    """An entry point; ``registers``: the module that it names calls ``register_strategy`` itself."""

    name: str
    registers: bool = False
    loaded: int = 0

    def load(self) -> type[Outside]:
        self.loaded += 1
        if self.registers:
            register_strategy(self.name)(Outside)
        return Outside


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_strategy_has_these_options(name: str) -> None:
    made = make_strategy(name)
    assert is_dataclass(made)
    assert not isinstance(made, type)
    assert (made.name, made.next_token, asdict(made)) == (name, *BUILT_IN[name])


def test_options_are_numbers_of_the_kind_that_is_asked_for() -> None:
    made = make_strategy("mapi:variants=4,share=1")
    assert is_dataclass(made)
    assert not isinstance(made, type)
    assert [(value, type(value)) for value in asdict(made).values()] == [(4, int), (1.0, float)]


def test_an_option_that_names_a_strategy_takes_what_follows() -> None:
    made = make_strategy("speculate:depth=2,of=par:refinements=2,share=0.5")
    assert is_dataclass(made)
    assert not isinstance(made, type)
    assert asdict(made) == {"depth": 2, "of": "par:refinements=2,share=0.5"}


def test_strategies_of_entry_points_are_loaded_once_and_listed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Point("a_first"), Point("registering", registers=True), Point("topk")]

    def entry_points(**chosen: str) -> list[Point]:
        assert chosen == {"group": "tttbench.strategies"}
        return points

    strategy_names()  # built-in modules register as they are imported, which happens once
    monkeypatch.setattr(strategies, "_registry", {name: strategies._registry[name] for name in BUILT_IN})
    monkeypatch.setattr(strategies, "entry_points", entry_points)
    for _ in range(2):
        assert strategy_names() == ("a_first", *sorted([*BUILT_IN, "registering"]))
    # What is built in keeps its name.
    assert [point.loaded for point in points] == [1, 1, 0]
    assert make_strategy("a_first:width=2") == Outside(2)
    assert make_strategy("topk").name == "topk"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("topp", "strategy 'topp' is unknown; known: KNOWN. Did you mean 'topk'?"),
        ("xyzzy", "strategy 'xyzzy' is unknown; known: KNOWN."),
        ("", "strategy '' is unknown; known: KNOWN."),
        ("topk:tau=1", "strategy 'topk' has no option 'tau'; it has: none"),
        ("par:tau=1", "strategy 'par' has no option 'tau'; it has: refinements, share"),
        ("threshold:tau=high", "strategy 'threshold': option tau='high' is not a number"),
        ("mapi:variants=1.5", "strategy 'mapi': option variants='1.5' is not a number"),
        ("speculate:of=topq", "strategy 'topq' is unknown; known: KNOWN. Did you mean 'topk'?"),
        ("speculate:of=par:tau=1", "strategy 'par' has no option 'tau'; it has: refinements, share"),
        (
            "speculate:of=ar",
            "strategy 'speculate': option of='ar' writes token by token; use strategy='mtp' in its place",
        ),
        (
            "speculate:of=speculate",
            "strategy 'speculate': option of: speculation of speculation saves nothing more",
        ),
        ("function:width=1", "strategy 'function' has no option 'width'; it has: none"),
    ],
)
def test_a_strategy_or_option_that_there_is_not_is_named(
    monkeypatch: pytest.MonkeyPatch, spec: str, message: str
) -> None:
    strategy_names()
    monkeypatch.setattr(strategies, "_registry", dict(strategies._registry))
    register_strategy("function")(lambda: Outside())
    assert make_strategy("function") == Outside()
    with pytest.raises(DecodeError) as refused:
        make_strategy(spec)
    assert str(refused.value) == message.replace("KNOWN", ", ".join(strategy_names()))
