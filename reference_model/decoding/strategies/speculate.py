"""``speculate``: the blocks of another strategy, token for token, several of its looks in one pass.

What the other strategy would do next is known if the model's predictions stay as they are: it is played ahead on a twin
of the block, with the latest logits of every row standing for those to come. One pass then runs the block as it is and
these future blocks beside it. The strategy gets the true logits of the block as it is; if that leads it to the first
future block, the logits of that one are there already, and so on: a chain, of which every link that came true saves a
pass. A look is answered only by logits of exactly the content that it asks about, so the other strategy never notices,
whatever it is (self-speculation of masked diffusion: SSD, arXiv 2510.04147; Spiffy, arXiv 2509.18085).

A pass over a chain computes as many blocks as it has links. It pays where a pass costs what reading the weights does.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from reference_model.decoding.strategy import (
    Block,
    Filling,
    Look,
    Strategy,
    check_options,
    is_untrained,
    make_strategy,
    register_strategy,
    takes_steps,
)
from reference_model.errors import DecodeError


@dataclass(frozen=True)
class _Asked:
    """A look of the other strategy, with what it left out.

    Attributes:
        contents: of the block.
        rows: whose logits it wants.
        plain: whether it asks about the block as it stands.
        alone: see ``Look``.
    """

    contents: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    plain: bool
    alone: bool

    @classmethod
    def of(cls, look: Look, block: Block) -> _Asked:
        contents = [block.ids] if look.variants is None else [variant.tolist() for variant in look.variants]
        rows = block.open if look.rows is None else look.rows
        return cls(tuple(map(tuple, contents)), tuple(rows), look.variants is None, look.alone)


@register_strategy("speculate")
@dataclass(frozen=True)
class Speculate:
    """The tokens of another strategy in fewer passes, each over several blocks.

    Attributes:
        depth: how many looks ahead are verified beside the one that is due.
        of: the other strategy, as it is called; its options follow, so this option is the last.
    """

    name: ClassVar[str] = "speculate"
    next_token: ClassVar[bool] = False
    depth: int = 3
    of: str = "topk"

    def __post_init__(self) -> None:
        check_options(self, depth=(1, 64))
        if self.inner.next_token:
            raise DecodeError(
                f"strategy 'speculate': option of={self.of!r} writes token by token; use strategy='mtp' in its place"
            )
        if isinstance(self.inner, Speculate):
            raise DecodeError("strategy 'speculate': option of: speculation of speculation saves nothing more")

    @cached_property
    def inner(self) -> Strategy:
        """The other strategy."""
        return make_strategy(self.of)

    @property
    def untrained(self) -> bool:
        """Whether the other strategy is."""
        return is_untrained(self.inner)

    @property
    def same_tokens_as(self) -> str:
        """The other strategy."""
        return self.of

    @property
    def takes_steps(self) -> bool:
        """Whether the other strategy does."""
        return takes_steps(self.inner)

    def fill(self, block: Block) -> Filling:
        """See ``Strategy.fill``."""
        inner, twin = self.inner, block.twins()
        filling = inner.fill(block)
        look = _next(filling)
        sent: list[Tensor] = []
        latest: dict[int, Tensor] = {}
        while look is not None:
            asked = _Asked.of(look, block)
            chain = [asked, *self._future(inner, twin(), sent, latest)] if not asked.alone else [asked]
            rows = tuple(sorted({row for one in chain for row in one.rows} | set(() if asked.alone else block.open)))
            contents = [content for one in chain for content in one.contents]
            variants = tuple(torch.tensor(content, device=block.tokens.device) for content in contents)
            logits = yield Look(None if asked.plain and len(chain) == 1 else variants, rows=rows, alone=asked.alone)
            for link in chain:
                if look is None or link != _Asked.of(look, block):
                    break
                found, logits = logits[: len(link.contents)], logits[len(link.contents) :]
                if not link.alone:
                    latest |= zip(rows, found[0], strict=True)
                sent.append(found[:, [rows.index(row) for row in link.rows]])
                look = _next(filling, sent[-1])

    def _future(
        self, inner: Strategy, twin: Block, sent: list[Tensor], latest: dict[int, Tensor]
    ) -> Generator[_Asked, None, None]:
        """The looks behind the one that is due, if the rows' latest logits were those to come."""
        filling = inner.fill(twin)
        look = _next(filling)
        for logits in sent:
            look = _next(filling, logits)
        for _ in range(self.depth):
            if look is None:
                return
            asked = _Asked.of(look, twin)
            if asked.alone or not set(asked.rows) <= set(latest):
                return
            guess = torch.stack([latest[row] for row in asked.rows])
            look = _next(filling, guess.expand(len(asked.contents), -1, -1))
            if look is not None:
                ahead = _Asked.of(look, twin)
                if ahead.alone:
                    return
                yield ahead


def _next(filling: Filling, logits: Tensor | None = None) -> Look | None:
    """The strategy's next look, after it was sent the logits of the last; None when it is done."""
    try:
        return next(filling) if logits is None else filling.send(logits)
    except StopIteration:
        return None
