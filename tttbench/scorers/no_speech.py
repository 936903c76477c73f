"""Clips without speech: what is written where nobody speaks. ``inserted_words``, ``inserted_characters`` and
``clips_with_words``.

An error rate has nothing to divide by there: one invented word and a hundred would look alike. A clip is without speech
if its reference has no word after normalization; clips with speech aren't scored here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.metric import MetricInfo, Score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import ScorerFactory, View
from tttbench.scorers.edit_rates import OPTIONS, EditRate, cer_zh, wer
from tttbench.scorers.presets import UNITS

VERSION = 1
"""Raised whenever the same text may give another score."""


def _per_minute(units: str) -> MetricInfo:
    return MetricInfo(
        f"Inserted {units} per minute",
        "insertion rate",
        f"{units} written for clips without speech, over the minutes of those clips",
        "1/min",
        direction="lower",
        aggregation="rate",
        lowest=0,
    )


WORDS, CHARACTERS = _per_minute("words"), _per_minute("characters")
CLIPS = MetricInfo(
    "Clips with words",
    "with words",
    "share of the clips without speech for which a word is written",
    "%",
    100,
    "lower",
    "binary",
    lowest=0,
    highest=1,
)


@dataclass(frozen=True)
class NoSpeech:
    """Insertions in clips without speech: ``rate`` counts them, ``info`` says over what; a ``Scorer``."""

    name: str
    info: MetricInfo
    rate: EditRate
    reads: frozenset[str] = frozenset({"text"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer and the package that counts."""
        return replace(self.rate.recipe(recipes), scorer=f"{self.name}@{VERSION}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the insertions; None for a clip with speech.

        Nobody knows how much an answer that isn't there would have invented: it counts as a clip with words, and has no
        part in the words per minute.
        """
        edits = self.rate.score(sample, view)
        if edits.denominator or not sample.references:
            return None
        is_known = view.status not in ("error", "unparsed")
        if self.info.aggregation == "binary":
            value = float(edits.numerator > 0 or not is_known)
            return replace(edits, value=value, numerator=value, denominator=1.0)
        if not is_known:
            return replace(edits, value=math.nan, numerator=math.nan, denominator=math.nan)
        minutes = view.input_s / 60
        return replace(edits, value=edits.numerator / minutes if minutes else math.nan, denominator=minutes)


def _rate(build: ScorerFactory, options: Mapping[str, str]) -> EditRate:
    made = build(options)
    assert isinstance(made, EditRate)
    return made


@register_scorer("inserted_words", options=(*OPTIONS, UNITS), summary=WORDS.explanation)
def inserted_words(options: Mapping[str, str]) -> NoSpeech:
    """Build the inserted words per minute: the insertions that ``wer`` counts, which may be characters."""
    return NoSpeech("inserted_words", CHARACTERS if options.get(UNITS) == "characters" else WORDS, _rate(wer, options))


@register_scorer("inserted_characters", options=OPTIONS, summary=CHARACTERS.explanation)
def inserted_characters(options: Mapping[str, str]) -> NoSpeech:
    """Build the inserted characters per minute: the insertions that ``cer_zh`` counts."""
    return NoSpeech("inserted_characters", CHARACTERS, _rate(cer_zh, options))


@register_scorer("clips_with_words", options=(*OPTIONS, "of"), summary=CLIPS.explanation)
def clips_with_words(options: Mapping[str, str]) -> NoSpeech:
    """Build the share of clips with words. ``of``: the error rate whose words count, ``wer`` or ``cer_zh``."""
    kinds = {"wer": wer, "cer_zh": cer_zh}
    of = options.get("of", "wer")
    if of not in kinds:
        raise UserError(f"clips_with_words:of={of!s:.60}: {did_you_mean(of, kinds)}")
    rest = {name: value for name, value in options.items() if name != "of"}
    return NoSpeech("clips_with_words", CLIPS, _rate(kinds[of], rest))
