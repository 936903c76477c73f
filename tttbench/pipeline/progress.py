"""What a run tells while it goes on. The command line shows it; the executor doesn't know how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Work:
    """A piece of work that is shown as one line: ``title``, and how many requests or recordings it has."""

    title: str
    total: int


class Listener(Protocol):
    """Hears how far a run is. Pieces of work come one after another."""

    def planned(self, works: list[Work]) -> None:
        """All that lies ahead, in order; told again whenever more is known."""

    def started(self, work: Work) -> None:
        """A piece begins."""

    def advanced(self, done: int, errors: int) -> None:
        """Of the current piece, ``done`` more are done, ``errors`` of them with an error."""

    def finished(self) -> None:
        """The current piece is complete."""

    def note(self, message: str) -> None:
        """Something worth a line of its own."""

    def failed(self, where: str, error: Exception) -> None:
        """The request called ``where`` (or all of a system) ended with this error; the run goes on."""


class Silence:
    """A listener that does nothing: for tests, and where nobody looks."""

    def planned(self, works: list[Work]) -> None:
        """Do nothing."""

    def started(self, work: Work) -> None:
        """Do nothing."""

    def advanced(self, done: int, errors: int) -> None:
        """Do nothing."""

    def finished(self) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""

    def failed(self, where: str, error: Exception) -> None:
        """Do nothing."""
