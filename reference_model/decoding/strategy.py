"""What a decoding strategy is, what it sees of a block, and where strategies are registered.

A strategy fills one block of masks. It is a generator: it yields a ``Look`` (please run the network), is sent the
logits, commits tokens to the block, and looks again until it returns. It knows no model, no cache and no batch.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from reference_model.decoding.sampling import draw
from reference_model.errors import DecodeError


@dataclass(frozen=True)
class Look:
    """One pass of the network, as a strategy asks for it.

    Attributes:
        variants: contents of the block to run, each (B,); None runs the block as it stands.
        rows: the rows whose logits are wanted; None means those still open in the block.
        shifted: ask the row *before* the block for its first token, as next-token models predict. The masks of the
            block are then not run at all.
        drafts: of a shifted look: tokens that are run behind the last one, each row predicting the one behind it; their
            logits are (1, 1 + drafts, candidates), and drafts that the block's tokens then equal needn't be run again.
        alone: run the variants with nothing before them (what the network expects of no context); masks alone take no
            pass, because their logits are known.
    """

    variants: tuple[Tensor, ...] | None = None
    rows: tuple[int, ...] | None = None
    shifted: bool = False
    drafts: tuple[int, ...] = ()
    alone: bool = False


Filling = Generator[Look, Tensor, None]
"""Yields a ``Look``; is sent its logits: (variants, rows, candidates), with forbidden candidates at -inf and guidance
applied. Candidate c is the id ``block.first_candidate + c``."""


class Block:
    """A strategy's view of the open block.

    Attributes:
        tokens: (B,) ids; ``mask_id`` where nothing is committed.
        confidence: (B,) probability given to each committed token; 0 where nothing is committed.
        committed_at: for each position the look that committed it, counted from 0 over the answer; -1 where open.
        steps: ``DecodeConfig.steps_per_block``.
        mask_id: id of the mask.
        first_candidate: id of the logits' first column.
        generator: this request's random numbers.
        drafts: guesses of the first tokens, of a model with draft heads.
        kept: what a strategy keeps from block to block of one request, under names of its own.
        n_revised: how many committed tokens were taken back, or replaced by others.
    """

    def __init__(
        self,
        length: int,
        *,
        steps: int,
        mask_id: int,
        end_ids: Sequence[int],
        first_candidate: int,
        temperature: float,
        generator: torch.Generator,
        device: torch.device,
        kept: dict[str, Tensor] | None = None,
        forced: Sequence[int] = (),
        drafts: tuple[int, ...] = (),
    ) -> None:
        self.kept: dict[str, Tensor] = {} if kept is None else kept
        self.tokens = torch.full((length,), mask_id, device=device)
        self.confidence = [0.0] * length
        self.committed_at = [-1] * length
        self.steps = steps
        self.mask_id = mask_id
        self.first_candidate = first_candidate
        self.generator = generator
        self.looks = 0
        self.n_revised = 0
        self.drafts = drafts
        self._end_ids = frozenset(end_ids)
        self._temperature = temperature
        self._ids = [mask_id] * length
        self._forced = tuple(forced)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def open(self) -> list[int]:
        """Positions that hold a mask, in order."""
        return [i for i, token in enumerate(self._ids) if token == self.mask_id]

    @property
    def ids(self) -> list[int]:
        """The tokens as plain numbers."""
        return list(self._ids)

    @property
    def end(self) -> int | None:
        """Position of the first committed end token."""
        return next((i for i, token in enumerate(self._ids) if token in self._end_ids), None)

    @property
    def size(self) -> int:
        """How many positions count: those up to the first end token, as what follows it is cut."""
        end = self.end
        return len(self._ids) if end is None else end + 1

    @property
    def n_leading(self) -> int:
        """How many positions from the left were committed."""
        return next((i for i, at in enumerate(self.committed_at) if at < 0), len(self))

    @property
    def settled(self) -> bool:
        """Nothing is open that matters: no mask stands before the first end token (what follows it is cut)."""
        for token in self._ids:
            if token == self.mask_id:
                return False
            if token in self._end_ids:
                return True
        return True

    def twins(self) -> Callable[[], Block]:
        """A maker of blocks like this one before anything was committed, each with a copy of its random numbers."""
        state, kept = self.generator.get_state(), dict(self.kept)

        def twin() -> Block:
            generator = torch.Generator(device=self.generator.device)
            generator.set_state(state)
            return Block(
                len(self),
                steps=self.steps,
                mask_id=self.mask_id,
                end_ids=tuple(self._end_ids),
                first_candidate=self.first_candidate,
                temperature=self._temperature,
                generator=generator,
                device=self.tokens.device,
                kept=dict(kept),
                forced=self._forced,
            )

        return twin

    def draw(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Choose a token per row, greedily or at the audio temperature.

        Args:
            logits: (R, candidates).

        Returns:
            (R,) ids, and (R,) their probabilities at temperature 1.
        """
        columns, confidence = draw(logits, self._temperature, self.generator)
        return columns + self.first_candidate, confidence

    def commit(self, positions: Sequence[int], tokens: Tensor, confidence: Tensor) -> None:
        """Put tokens into the block; a position may be overwritten. Where the prompt forces a token, that one."""
        at, values = list(positions), tokens.tolist()
        if self._forced:
            for n, position in enumerate(at):
                if position < len(self._forced):
                    values[n] = self._forced[position]
            tokens = torch.tensor(values, dtype=tokens.dtype, device=tokens.device)
        self.tokens[at] = tokens
        for position, token, value in zip(at, values, confidence.tolist(), strict=True):
            self.n_revised += self._ids[position] not in (self.mask_id, token)
            self._ids[position] = token
            self.confidence[position] = value
            self.committed_at[position] = self.looks - 1

    def reopen(self, positions: Sequence[int]) -> None:
        """Put masks back."""
        for position in positions:
            self.n_revised += self._ids[position] != self.mask_id
            self.tokens[position] = self._ids[position] = self.mask_id
            self.confidence[position] = 0.0
            self.committed_at[position] = -1


class Strategy(Protocol):
    """How a block is filled. A frozen dataclass whose fields are its options.

    Attributes:
        name: what it is registered as.
        next_token: it predicts the next token from the row before (for models trained so) instead of filling masks.

    A strategy may have others: ``untrained`` (see ``UNTRAINED``), ``takes_steps`` and ``same_tokens_as``, see the
    functions of these names.
    """

    @property
    def name(self) -> str:
        """The registered name."""
        ...

    @property
    def next_token(self) -> bool:
        """See the class."""
        ...

    def fill(self, block: Block) -> Filling:
        """Fill the block until it is ``settled``; those that predict the next token may leave masks at its end."""
        ...


Choose = Callable[[list[int], Tensor, Tensor], Tensor]
"""Which rows a pass commits: of the open positions, their logits (R, candidates) and the confidences (R,) of what was
drawn, the indices of the rows that are committed, one at least."""


def fill_by(block: Block, choose: Choose) -> Filling:
    """Fill a block pass by pass: all open positions are drawn, and those that ``choose`` takes are committed."""
    for _ in range(len(block)):
        if block.settled:
            return
        rows = block.open
        logits = yield Look()
        tokens, confidence = block.draw(logits[0])
        chosen = choose(rows, logits[0], confidence)
        block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])


def at_least_one(wanted: Tensor, confidence: Tensor) -> Tensor:
    """Indices of the rows where ``wanted`` (R,) is true; where none is, that of the most confident one."""
    chosen = wanted.nonzero().flatten()
    return chosen if chosen.numel() else confidence.argmax().unsqueeze(0)


UNTRAINED = "untrained for it: these weights never saw a wrong token among the visible ones"
"""What is said of a strategy whose attribute ``untrained`` is true. It takes committed tokens back or replaces them, by
what the network says of visible tokens or beside wrong ones; training shows it right ones and asks only for masks."""


def is_untrained(strategy: Strategy) -> bool:
    """Whether the strategy asks of the weights what no training here has shown them."""
    return bool(getattr(strategy, "untrained", False))


def takes_steps(strategy: Strategy) -> bool:
    """Whether ``DecodeConfig.steps_per_block`` has an effect: unless its ``takes_steps`` is False."""
    return bool(getattr(strategy, "takes_steps", True))


def same_tokens_as(strategy: Strategy) -> str:
    """The strategy, as it is called, whose tokens are those of this one; ``""`` unless it declares one.

    What is declared is checked: ``tttbench run --verify`` compares answers of both.
    """
    return str(getattr(strategy, "same_tokens_as", ""))


def ahead_of(strategy: Strategy) -> int:
    """How many tokens beyond the next a strategy of next tokens may write in one pass: its ``ahead``, if it has one."""
    return int(getattr(strategy, "ahead", 0))


MOST = 1000
"""The largest number that an option may reasonably have."""

_BUILT_IN = (
    "ar",
    "edit",
    "entropy",
    "factor",
    "first_hitting",
    "klass",
    "mapi",
    "mtp",
    "par",
    "pmi",
    "remdm",
    "saber",
    "speculate",
    "threshold",
    "topk",
)
_registry: dict[str, Callable[..., Strategy]] = {}
_Factory = TypeVar("_Factory", bound=Callable[..., Strategy])


def register_strategy(name: str) -> Callable[[_Factory], _Factory]:
    """Class decorator: make a strategy known under a name.

    Third parties call it in a module named by an entry point of the group ``tttbench.strategies``.
    """

    def register(factory: _Factory) -> _Factory:
        _registry[name] = factory
        return factory

    return register


def check_options(strategy: Strategy, **bounds: tuple[float, float]) -> None:
    """Raise ``DecodeError`` unless every option lies within its bounds, both included."""
    for name, (low, high) in bounds.items():
        value = getattr(strategy, name)
        if not low <= value <= high:
            what = f"option {name}={value!r}: expected at least {low} and at most {high}"
            raise DecodeError(f"strategy {strategy.name!r}: {what}")


def strategy_names() -> tuple[str, ...]:
    """Names of all strategies, built in and from entry points."""
    for name in _BUILT_IN:
        importlib.import_module(f"reference_model.decoding.strategies.{name}")
    for point in entry_points(group="tttbench.strategies"):
        if point.name not in _registry:
            _registry.setdefault(point.name, point.load())
    return tuple(sorted(_registry))


def make_strategy(spec: str) -> Strategy:
    """A strategy from ``"name"`` or ``"name:option=value,option=value"``.

    An option that names another strategy takes all that follows: ``"speculate:depth=2,of=par:share=0.5"``.

    Raises:
        DecodeError: for an unknown name or option, or a value of the wrong kind.
    """
    name, _, rest = spec.partition(":")
    # Only a name that isn't there yet is worth a search of all installed packages.
    if name not in _registry and name not in (known := strategy_names()):
        near = difflib.get_close_matches(name, known)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DecodeError(f"strategy {name!r} is unknown; known: {', '.join(known)}.{hint}")
    factory = _registry[name]
    options: dict[str, Field[Any]] = {f.name: f for f in fields(factory)} if is_dataclass(factory) else {}
    values: dict[str, float | int | str] = {}
    while rest:
        part, _, rest = rest.partition(",")
        if not part:
            continue
        key, _, text = part.partition("=")
        if key not in options:
            raise DecodeError(f"strategy {name!r} has no option {key!r}; it has: {', '.join(options) or 'none'}")
        if key in values:
            raise DecodeError(f"strategy {name!r}: option {key!r} is given twice; remove one")
        if options[key].type in (str, "str"):
            # Another strategy, whose own options follow.
            values[key], rest = f"{text},{rest}" if rest else text, ""
            continue
        try:
            number = int(text) if options[key].type in (int, "int") else float(text)
        except ValueError:
            raise DecodeError(f"strategy {name!r}: option {key}={text[:60]!r} is not a number") from None
        if not math.isfinite(number):
            raise DecodeError(f"strategy {name!r}: option {key}={text!r} is not a finite number")
        values[key] = number
    return factory(**values)


def canonical(spec: str) -> str:
    """The shortest way to call the strategy of ``spec``: without options at their defaults, in the strategy's order.

    Raises:
        DecodeError: as ``make_strategy``.
    """
    strategy = make_strategy(spec)
    if not is_dataclass(strategy):
        return spec
    numbers, others = [], []
    for one in fields(strategy):
        value = getattr(strategy, one.name)
        is_strategy = one.type in (str, "str")
        value = canonical(value) if is_strategy else value
        if value != one.default:
            (others if is_strategy else numbers).append(f"{one.name}={value}")
    options = ",".join([*numbers, *others])
    return f"{strategy.name}:{options}" if options else strategy.name
