"""``nearest_rendition``: how far an answer's audio codes are from the nearest recording of the right answer.

Where an answer can be spoken in several manners, agreement with one oracle says nothing: two right answers have half of
their codes in common. The edit distance to the nearest of several recordings doesn't care which manner was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.metric import UNKNOWN, MetricInfo, Score
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View

VERSION = 1
NEAREST = MetricInfo(
    "Audio tokens off the nearest rendition",
    "off rendition",
    "edits to the nearest recording of the right answer over its audio tokens, of each answer at most its tokens",
    "%",
    100,
    "lower",
    "rate",
    lowest=0,
    highest=1,
)


@dataclass(frozen=True)
class NearestRendition:
    """Fewest edits (substitutions, insertions, deletions) of a code over the length of that rendition; a ``Scorer``."""

    info: MetricInfo = NEAREST
    reads: frozenset[str] = frozenset({"codes"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, and the package that counts."""
        return Recipe(f"nearest_rendition@{VERSION}", options=f"rapidfuzz {package_version('rapidfuzz')}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the distance to the nearest rendition by rate; None for samples without renditions.

        An answer in codes of another codec has no distance.
        """
        given = sample.renditions
        if given is None or not any(given.codes):
            return None
        if view.codec and given.codec and view.codec != given.codec:
            why = f"the renditions' codes are of codec {given.codec:.12}, the system's of {view.codec:.12}"
            return replace(UNKNOWN, detail={"error": why})
        from rapidfuzz.distance import Levenshtein

        codes = view.codes or ()
        found = [(Levenshtein.distance(one, codes), len(one), at) for at, one in enumerate(given.codes) if one]
        edits, length, nearest = min(found, key=lambda one: (one[0] / one[1], one[2]))
        counted = min(edits, length)
        return Score(
            value=counted / length,
            numerator=float(counted),
            denominator=float(length),
            status="empty" if view.status == "ok" and not codes else view.status,
            detail={"edits": edits, "rendition": nearest, "renditions": len(given.codes), "codes": len(codes)},
        )


@register_scorer("nearest_rendition", summary=NEAREST.explanation)
def nearest_rendition(options: Mapping[str, str]) -> NearestRendition:
    """Build the distance to the nearest rendition."""
    return NearestRendition()
