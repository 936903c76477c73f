"""``answered``: whether there is an answer at all, for questions whose answers only a judge can grade.

It says nothing of how good an answer is, and stands where no such score is computed, so that none is implied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tttbench.core.derivation import Need
from tttbench.core.metric import MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View

VERSION = 1
"""Raised whenever the same answer may be scored otherwise."""

ANSWERED = MetricInfo(
    "Requests answered",
    "answered",
    "share of requests that got an answer, whatever it says: nothing is judged",
    "%",
    100,
    "higher",
    "binary",
    lowest=0,
    highest=1,
)


@dataclass(frozen=True)
class Answered:
    """1 for an answer with a word in it, or with audio, else 0; a ``Scorer``."""

    info: MetricInfo = ANSWERED
    reads: frozenset[str] = frozenset()

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name alone."""
        return Recipe(f"answered@{VERSION}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score:
        """Return 1 or 0."""
        if view.status == "error":
            return plain_score(0.0, "error")
        is_answer = bool(view.text.strip()) or view.audio is not None
        return plain_score(float(is_answer), "ok" if is_answer else "empty")


@register_scorer("answered", summary=ANSWERED.explanation)
def answered(options: Mapping[str, str]) -> Answered:
    """Build it."""
    return Answered()
