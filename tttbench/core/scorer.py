"""What a scorer gets and what a scorer is. Knows the records; knows no particular scorer, no audio and no judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tttbench.core.records import Sample, Score, ScoreKind, Status


@dataclass(frozen=True)
class Answer:
    """A system's answer as text, ready to be scored.

    Attributes:
        text: what the system wrote.
        heard: transcript of what it said, made by the judge beforehand; None if it said nothing or no judge listened.
        status: how the request ended, as far as known before scoring. ``error``: there is no answer; ``judge_failed``:
            there is speech but no transcript of it; ``unparsed``: the answer could not be read.
        judge: recipe of the judge that wrote ``heard``; it becomes part of the score's recipe.
    """

    text: str
    heard: str | None = None
    status: Status = "ok"
    judge: str = ""


class Scorer(Protocol):
    """A metric: one pure verdict per sample, and what is needed to aggregate and name it."""

    @property
    def name(self) -> str:
        """The metric's name in tables and records, e.g. ``"wer"``."""
        ...

    @property
    def title(self) -> str:
        """One line for a reader: what is measured."""
        ...

    @property
    def kind(self) -> ScoreKind:
        """How sample values are aggregated."""
        ...

    @property
    def lower_is_better(self) -> bool:
        """Which way the metric points."""
        ...

    @property
    def needs_heard(self) -> bool:
        """Whether the spoken answer must have been transcribed."""
        ...

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Judge one answer; never raises on account of what a system answered."""
        ...
