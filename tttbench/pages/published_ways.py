"""What papers report of the strategies that a run decodes by, beside the run's own ways. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tttbench.core.metric import WayOfDecoding
from tttbench.published import SHIPPED, Block, load_tables

FILE = SHIPPED.with_name("decoding.toml")


@dataclass(frozen=True)
class PublishedWay:
    """A block of published figures, whose title begins with its strategy, and the run's ways by that strategy."""

    block: Block
    ways: tuple[WayOfDecoding, ...]


def published_ways(ways: Sequence[WayOfDecoding]) -> tuple[PublishedWay, ...]:
    """The published figures of those strategies that a run has; none where it has none of them."""
    found = []
    for block in _blocks():
        strategy = block.title.partition(":")[0]
        own = tuple(way for way in ways if strategy in _words(way.name))
        if own:
            found.append(PublishedWay(block, own))
    return tuple(found)


def _words(name: str) -> set[str]:
    """What the words of a way's name begin with: the kind of its model, if it is named, its strategy, its settings."""
    return {word.partition(":")[0] for word in name.split()}


@lru_cache(maxsize=1)
def _blocks() -> tuple[Block, ...]:
    return tuple(block for table in load_tables(FILE) for block in table.blocks)
