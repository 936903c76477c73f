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


Lacks = Callable[[str, SystemOptions], Sequence[Missing] | None]
"""Returns what building from a spec needs that isn't here; None where that can't be told. Loads and fetches nothing."""


def lacking(
    name: str, options: SystemOptions, registry: Registry[SystemEntry] | Registry[DeriverEntry]
) -> tuple[Missing, ...] | None:
    """Return what a system or deriver needs to be built that isn't here; None if its kind can't tell beforehand."""
    kind, _, spec = name.partition(":")
    entry = registry.get(kind)
    if entry.lacks is None:  # what has nothing to be made ready needs nothing
        return () if entry.ready is None else None
    with blamed(f"{registry.noun} {name!r}: what it lacks"):
        found = entry.lacks(spec, options)
        return None if found is None else tuple(found)
