"""What isn't here: named, with its size where that is known and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tttbench.core.blame import blamed
from tttbench.core.system import SystemOptions

if TYPE_CHECKING:
    from tttbench.core.plugins import DeriverEntry, SystemEntry
    from tttbench.core.registry import Registry


@dataclass(frozen=True)
class Missing:
    """Something that a run needs and that isn't on this machine.

    Attributes:
        what: a few words, e.g. ``"weights of Whisper large-v3"``, or the message of what looked for it.
        get: how to get it: a command, or the end of a sentence; ``""`` if nobody knows.
        n_bytes: of what has to be fetched, roughly; 0 if that isn't known.
        is_fetched: whether the run itself fetches it when it begins.
    """

    what: str
    get: str = ""
    n_bytes: int = 0
    is_fetched: bool = False


Lacks = Callable[[str, SystemOptions], Sequence[Missing]]
"""Returns what building from a spec needs that isn't here. Loads and fetches nothing."""


def lacking(
    name: str, options: SystemOptions, registry: Registry[SystemEntry] | Registry[DeriverEntry]
) -> tuple[Missing, ...]:
    """Return what a system or deriver needs to be built that isn't here, as far as its kind can tell."""
    kind, _, spec = name.partition(":")
    lacks = registry.get(kind).lacks
    if lacks is None:
        return ()
    with blamed(f"{registry.noun} {name!r}: what it lacks"):
        return tuple(lacks(spec, options))
