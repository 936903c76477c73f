"""How well a sentence was repeated, as URO-Bench scores it: ``repetition`` as written, ``spoken_repetition`` as spoken.

An answer is worth 1 minus its error rate, and nothing where that is above a half. The mean over a set is the published
score, ok_rate * (1 - mean error rate of the ok ones). Errors are counted per unit of the *answer*, as answer and
reference are given to jiwer in that order there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.exchange import Status
from tttbench.core.metric import UNKNOWN, MetricInfo, Score, plain_score
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import build_normalizer, register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.scorers.edit_rates import Edits, written
from tttbench.scorers.transcripts import Transcription
from tttbench.text.alignment import Alignment, align_characters, align_words

VERSION = 1
"""Raised whenever the same texts may be worth something else."""

MOST_ERRORS = 0.5
"""The highest error rate of an answer that counts."""

FORMS: Mapping[str, tuple[str, Callable[[str, str], Alignment]]] = {
    "uro-en": ("whisper-en", align_words),
    "uro-zh": ("uro-zh", align_characters),
}
"""Normalizer and units by recipe; the end of a name is its language."""

_SAYS = "1 minus the errors per word (Chinese: character) of {what}, 0 where more than half are wrong, averaged"

WRITTEN = MetricInfo(
    "Repetition, written",
    "repetition, written",
    _SAYS.format(what="the written answer"),
    "%",
    100,
    "higher",
    "value",
    lowest=0,
    highest=1,
)
SPOKEN = replace(
    WRITTEN,
    title="Repetition, spoken",
    short="repetition, spoken",
    explanation=_SAYS.format(what="the spoken answer's transcript"),
)


@dataclass(frozen=True)
class Repetition:
    """What an answer is worth as a repetition of the first reference."""

    edits: Edits
    recipe_name: str

    def recipe(self, name: str) -> Recipe:
        """How it is found."""
        normalizer, matcher = self.edits.normalizer.recipe, f"jiwer {package_version('jiwer')}"
        return Recipe(f"{name}@{VERSION}", normalizer, matcher, options=f"recipe={self.recipe_name}")

    def score(self, reference: str, answer: str | None, status: Status) -> Score:
        """Score one answer; ``None``: there is none, and ``status`` says why."""
        edits = self.edits.score(reference, answer, status)
        counts = [int(str(edits.detail[key])) for key in ("hits", "substitutions", "deletions", "insertions")]
        hits, substitutions, deletions, insertions = counts
        units = hits + substitutions + insertions  # of the answer
        rate = (substitutions + deletions + insertions) / units if units else 1.0
        value = 1 - rate if rate <= MOST_ERRORS else 0.0
        return replace(plain_score(value, edits.status), detail={**edits.detail, "error_rate": rate})


@dataclass(frozen=True)
class WrittenRepetition:
    """Of the written answer; a ``Scorer``."""

    repetition: Repetition
    info: MetricInfo = WRITTEN
    reads: frozenset[str] = frozenset({"text"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer and the package that counts."""
        return self.repetition.recipe("repetition")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score:
        """Score the text; nothing is worth 0."""
        return self.repetition.score(sample.reference, written(view), view.status)


@dataclass(frozen=True)
class SpokenRepetition:
    """Of the spoken answer, transcribed: the published score; a ``Scorer``."""

    repetition: Repetition
    transcription: Transcription
    info: MetricInfo = SPOKEN
    reads: frozenset[str] = frozenset({"audio"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer, the package that counts, and the transcriber."""
        made = self.repetition.recipe("spoken_repetition")
        return replace(made, transcriber=self.transcription.recipe(recipes))

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the transcript."""
        return self.transcription.needs(sample, view)

    def score(self, sample: Sample, view: View) -> Score:
        """Score the transcript; no value where transcribing failed."""
        if view.status in ("error", "unparsed"):
            return self.repetition.score(sample.reference, None, view.status)
        spoken = self.transcription.of_answer(sample, view)
        if spoken.status == "failed":
            return replace(UNKNOWN, detail={"error": spoken.error})
        return self.repetition.score(sample.reference, spoken.text, view.status)


def _repetition(scorer: str, options: Mapping[str, str]) -> Repetition:
    name = options.get("recipe", "uro-en")
    if name not in FORMS:
        raise UserError(f"{scorer}:recipe={name!s:.60}: there is no such recipe. {did_you_mean(name, FORMS)}")
    normalizer, align = FORMS[name]
    return Repetition(Edits(build_normalizer(normalizer), align), name)


@register_scorer("repetition", options=("recipe",), summary=WRITTEN.explanation)
def repetition(options: Mapping[str, str]) -> WrittenRepetition:
    """Build it."""
    return WrittenRepetition(_repetition("repetition", options))


@register_scorer("spoken_repetition", options=("recipe", "transcriber"), summary=SPOKEN.explanation)
def spoken_repetition(options: Mapping[str, str]) -> SpokenRepetition:
    """Build it."""
    return SpokenRepetition(_repetition("spoken_repetition", options), Transcription.of(options))
