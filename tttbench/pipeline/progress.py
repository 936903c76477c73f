"""What a run reports while it goes on. The command line shows it; the pipeline doesn't know how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Work:
    """A piece of work that is shown as one line: ``title``, and how many requests or recordings it has."""

    title: str
    total: int


class ProgressReporter(Protocol):
    """Is told how far a run is. Pieces of work come one after another."""

    def planned(self, works: Sequence[Work]) -> None:
        """Report all that lies ahead, in order; called again whenever more is known."""

    def started(self, work: Work) -> None:
        """Report that a piece begins."""

    def advanced(self, done: int, errors: int) -> None:
        """Report that of the current piece ``done`` more are done, ``errors`` of them with an error."""

    def finished(self) -> None:
        """Report that the current piece is complete."""

    def note(self, message: str) -> None:
        """Report something worth a line of its own."""

    def failed(self, where: str, message: str) -> None:
        """Report that the request called ``where`` (or all of a system) ended with an error; the run goes on."""
