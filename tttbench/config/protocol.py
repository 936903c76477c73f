"""What a suite says of the protocol that it follows: part by part, what is published of it and what stands here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from tttbench.core.tables import Check, Name


@dataclass(frozen=True)
class ProtocolNote:
    """A ``[[protocol]]`` table of a suite. It changes nothing that a run does; a dry run shows it.

    Attributes:
        part: of the protocol, e.g. ``"judge of spoken answers"``.
        here: what this suite does in its place, in a sentence.
        published: what its source says; ``""``: not published.
        missing: whether that part isn't here yet, so that results are none of the protocol's.
        get: how to get what is missing.
        tasks: names, or patterns of names, of the tasks that it concerns; empty: all of the suite. What is missing of
            the whole suite isn't missed by a run of some of its tasks.
    """

    part: Annotated[Name, Check(one_line=True)]
    here: Name
    published: str = ""
    missing: bool = False
    get: str = ""
    tasks: tuple[Name, ...] = ()

    def concerns(self, names: Collection[str]) -> bool:
        """Whether it is about one of these tasks."""
        return not self.tasks or any(fnmatchcase(name, one) for name in names for one in self.tasks)
