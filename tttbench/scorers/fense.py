"""``fense``: what networks make of a caption beside its references: the likeness of meanings, less where it isn't
fluent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tttbench.core.declared import recipe_of
from tttbench.core.derivation import Need
from tttbench.core.metric import UNKNOWN, MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View

VERSION = 1
"""Raised whenever the same numbers may be scored otherwise."""

DERIVER = "fense:base"
FENSE = MetricInfo(
    "FENSE",
    "FENSE",
    "cosine of Sentence-BERT's embeddings of the caption and its references, times 0.1 where a classifier finds it not "
    "fluent",
    direction="higher",
    lowest=-1,
    highest=1,
)


@dataclass(frozen=True)
class FenseScore:
    """FENSE of a caption; a ``Scorer``."""

    info: MetricInfo = FENSE
    reads: frozenset[str] = frozenset({"text"})
    derivers: tuple[str, ...] = (DERIVER,)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, and the networks with their version."""
        return Recipe(f"fense@{VERSION}", options=f"networks={recipe_of(DERIVER, recipes)}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the comparison, where there is a caption and something to compare it with."""
        return (_need(sample, view),) if sample.references and _is_caption(view) else ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the caption's value, 0 for whatever isn't one; None where there is no reference."""
        if not sample.references:
            return None
        if not _is_caption(view):
            return plain_score(0.0, "empty" if view.status == "ok" else view.status)
        found = view.derived(_need(sample, view))
        if found is None or found.status != "ok":
            return replace(UNKNOWN, detail={"error": "" if found is None else found.error})
        numbers = json.loads(found.content)
        likeness, has_error = float(numbers["sbert_sim"]), bool(numbers["fer"])
        return plain_score(max(-1.0, min(1.0, float(numbers["fense"]))), likeness=likeness, has_error=has_error)


def _is_caption(view: View) -> bool:
    return view.status == "ok" and any(map(str.isalnum, view.text))


def _need(sample: Sample, view: View) -> Need:
    references = json.dumps(list(sample.references), ensure_ascii=False)
    return Need(DERIVER, fields={"caption": view.text.strip(), "references": references})


@register_scorer("fense", summary=FENSE.explanation)
def fense(options: Mapping[str, str]) -> FenseScore:
    """Build it."""
    return FenseScore()
