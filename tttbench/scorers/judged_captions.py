"""``clair_a``: how well a caption fits its references, by a judge, from 0 to 100.

CLAIR-A (github.com/DavidMChan/clair-a) asks a language model for a whole number from 0 to 100 and adds 0.01 points
times FENSE, which only breaks ties; that is left out, as FENSE needs weights. The prompt's words are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tttbench.core.derivation import Need
from tttbench.core.judging import OPERATIONAL, OPTIONS, JudgeSettings
from tttbench.core.metric import MetricInfo, Score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.scorers.judged import graded, needed
from tttbench.scorers.judges import Judging

VERSION = 1
"""Raised whenever the same verdicts may be scored otherwise."""

PROMPT = "clair-a"

CLAIR_A = MetricInfo(
    "CLAIR-A, our prompt",
    "CLAIR-A",
    "grade from 0 to 100 that a judge (a language model) gives the caption beside its references; without FENSE's part",
    direction="higher",
    lowest=0,
    highest=100,
)


@dataclass(frozen=True)
class ClairA:
    """The judge's grade of a caption; a ``Scorer``."""

    judging: Judging
    info: MetricInfo = CLAIR_A
    reads: frozenset[str] = frozenset({"text"})

    @property
    def derivers(self) -> tuple[str, ...]:
        """What it needs, by name."""
        return (self.judging.deriver,)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, judge and prompt."""
        judge, prompt_sha256 = self.judging.recipe(recipes)
        return Recipe(f"clair_a@{VERSION}", judge=judge, prompt_sha256=prompt_sha256, options="fense=none")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the grade, where there is a caption."""
        if view.status not in ("error", "unparsed"):
            yield from needed(self.judging, sample, view, view.text)

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the grade, 0 for whatever isn't a caption; None where there is no reference."""
        return graded(self.judging, sample, view, view.text) if sample.references else None


@register_scorer(
    "clair_a",
    options=tuple(one for one in OPTIONS if one != "recipe"),
    operational=OPERATIONAL,
    summary="grade of a caption from 0 to 100 by a judge, beside its references",
)
def clair_a(options: Mapping[str, str]) -> ClairA:
    """Build it."""
    return ClairA(Judging(JudgeSettings.of("clair_a", {**options, "recipe": PROMPT})))
