"""How published figures were made, as far as that is published, and where a run's differ from it. Reads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tttbench.core.recipe import Recipe
from tttbench.core.tables import Name

Part = Literal["normalizer", "transcriber", "judge"]

PARTS: tuple[Part, ...] = ("normalizer", "transcriber", "judge")
GRADES: tuple[Part, ...] = ("transcriber", "judge")
"""Parts that decide what a figure is of: where one is another, the difference of two figures says nothing."""


@dataclass(frozen=True)
class Protocol:
    """A ``[protocols]`` table: what made the figures of a column.

    Attributes:
        normalizer, transcriber, judge: as their source calls them; ``""`` if it doesn't say, or there is none.
        samples: how many there were; 0 if that isn't published.
        unpublished: what isn't known of it, each in a few words; a word of ``PARTS`` is set beside what the run has.
    """

    normalizer: str = ""
    transcriber: str = ""
    judge: str = ""
    samples: int = 0
    unpublished: tuple[Name, ...] = ()

    def of(self, part: Part) -> str:
        """What is published of a part."""
        return {"normalizer": self.normalizer, "transcriber": self.transcriber, "judge": self.judge}[part]


def names_same(published: str, here: str) -> bool:
    """Whether ``here`` names what ``published`` does, as whole words: ``large-v3-turbo`` isn't ``large-v3``.

    Case, and what stands between words (a hyphen, a blank, a colon), may differ; more may stand around them.
    """
    words = "[-_ :]".join(map(re.escape, re.split(r"[-_ :]", published)))
    return re.search(rf"(?<![a-z0-9]){words}(?![\w.-])", here, re.IGNORECASE) is not None


def is_judged_otherwise(protocol: Protocol, recipe: Recipe) -> bool:
    """Whether what graded the answers is known not to be what graded the published ones."""
    return any(bool(protocol.of(part)) and not names_same(protocol.of(part), getattr(recipe, part)) for part in GRADES)


def differing_parts(protocol: Protocol, recipe: Recipe) -> Iterator[str]:
    """Yield where a score's recipe differs from the protocol, and what of the protocol isn't published."""
    for part in PARTS:
        published, here = protocol.of(part), getattr(recipe, part)
        if published and not names_same(published, here):
            yield f"{part}: published {published}, here {here or 'none'}"
        elif not published and part in protocol.unpublished:
            yield f"{part}: not published, here {here or 'none'}"
    if made := re.search(r"prompt ([\w.@-]+)", recipe.judge):
        yield f"judge's prompt: {made[1]}, of our own wording"
    if rest := [one for one in protocol.unpublished if one not in PARTS]:
        yield f"not published: {', '.join(rest)}"


def differing_samples(protocol: Protocol, n: int, size: int) -> Iterator[str]:
    """Yield that a run has other samples than the published figure, or than the published set.

    Args:
        protocol: of the figure.
        n: samples that the run asked for; 0 if unknown.
        size: of the published set; 0 if unknown.
    """
    if not n or n == protocol.samples:
        return
    if protocol.samples:
        yield f"samples: published {protocol.samples:,}, here {n:,}"
    elif size and n != size:
        yield f"samples: here {n:,} of the set's {size:,}" if n < size else f"samples: here {n:,}, the set has {size:,}"
