"""Right or wrong answers to questions: ``text_accuracy`` as written, ``spoken_accuracy`` as spoken, ``spoken_gap``.

An answer is right if a reference stands in it as whole words and isn't denied (``tttbench.text.answer_match``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.exchange import Status
from tttbench.core.metric import UNKNOWN, MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.core.status import worst_status
from tttbench.scorers.matchers import DEFAULT, OPTIONS, Matching
from tttbench.scorers.transcripts import Transcription

VERSION = 1
"""Raised whenever the same answer may be scored otherwise."""


def _share(title: str, short: str, explanation: str) -> MetricInfo:
    return MetricInfo(title, short, explanation, "%", 100, "higher", "binary", lowest=0, highest=1)


WRITTEN = _share("Written answers right", "written", "the right answer is found in the written answer")
SPOKEN = _share("Spoken answers right", "spoken", "the right answer is found in the transcript of the spoken answer")
GAP = MetricInfo(
    "Text-speech gap",
    "gap",
    "share right in writing minus share right as spoken, of the same samples",
    "points",
    100,
    "none",
    "value",
    lowest=-1,
    highest=1,
)


@dataclass(frozen=True)
class WrittenAnswer:
    """1 if a reference stands in the written answer, else 0; a ``Scorer``."""

    matching: Matching = DEFAULT
    info: MetricInfo = WRITTEN
    reads: frozenset[str] = frozenset({"text"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer and matcher."""
        return self.matching.recipe(f"text_accuracy@{VERSION}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score:
        """Return 1 or 0; whatever isn't ``ok`` is 0."""
        return matched(self.matching, sample.references, view.text, view.status)


@dataclass(frozen=True)
class SpokenAnswer:
    """1 if a reference stands in the transcript of the spoken answer, else 0; a ``Scorer``."""

    transcription: Transcription
    matching: Matching = DEFAULT
    info: MetricInfo = SPOKEN
    reads: frozenset[str] = frozenset({"audio"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer, matcher and transcriber."""
        recipe = self.matching.recipe(f"spoken_accuracy@{VERSION}")
        return replace(recipe, transcriber=self.transcription.recipe(recipes))

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the transcript."""
        return self.transcription.needs(sample, view)

    def score(self, sample: Sample, view: View) -> Score:
        """Return 1 or 0; whatever isn't ``ok`` is 0, but for a transcript that failed, which has no value."""
        if view.status in ("error", "unparsed"):
            return matched(self.matching, sample.references, "", view.status)
        spoken = self.transcription.of_answer(sample, view)
        if spoken.status == "failed":
            return replace(UNKNOWN, detail={"error": spoken.error})
        return matched(self.matching, sample.references, spoken.text, view.status)


@dataclass(frozen=True)
class AnswerGap:
    """How much is lost between writing and speaking: written minus spoken verdict of the same answer; a ``Scorer``."""

    spoken: SpokenAnswer
    written: WrittenAnswer
    info: MetricInfo = GAP
    reads: frozenset[str] = frozenset({"text", "audio"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """That of the spoken verdict, under its own name."""
        return replace(self.spoken.recipe(recipes), scorer=f"spoken_gap@{VERSION}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the transcript."""
        return self.spoken.needs(sample, view)

    def score(self, sample: Sample, view: View) -> Score:
        """Return the difference under the worse of both statuses."""
        written, spoken = self.written.score(sample, view), self.spoken.score(sample, view)
        if spoken.status == "derivation_failed":
            return spoken
        return plain_score(written.value - spoken.value, worst_status((written.status, spoken.status)))


def matched(matching: Matching, references: Sequence[str], judged: str, status: Status) -> Score:
    """Score a text against what is expected.

    ``empty``: no word in it. ``unparsed``: no reference has a word in it, so nothing could be right. The detail holds
    the ``answer``, its ``normalized`` tokens, the ``expected`` ones, and ``matched`` (the reference that was found, as
    written; None if none was).
    """
    expected = [matching.tokens(reference) for reference in references]
    tokens = matching.tokens(judged)
    if status not in ("error", "unparsed"):
        status = "empty" if not tokens else "ok" if any(expected) else "unparsed"
    found = matching.first(judged, references) if status == "ok" else None
    return plain_score(
        float(found is not None),
        status,
        answer=judged,
        normalized=" ".join(tokens),
        expected=[" ".join(wanted) for wanted in expected],
        matched=found,
    )


@register_scorer("text_accuracy", options=OPTIONS, summary=WRITTEN.explanation)
def text_accuracy(options: Mapping[str, str]) -> WrittenAnswer:
    """Build the accuracy of written answers."""
    return WrittenAnswer(Matching.of("text_accuracy", options))


@register_scorer("spoken_accuracy", options=("transcriber", *OPTIONS), summary=SPOKEN.explanation)
def spoken_accuracy(options: Mapping[str, str]) -> SpokenAnswer:
    """Build the accuracy of spoken answers."""
    return SpokenAnswer(Transcription.of(options), Matching.of("spoken_accuracy", options))


@register_scorer("spoken_gap", options=("transcriber", *OPTIONS), summary=GAP.explanation)
def spoken_gap(options: Mapping[str, str]) -> AnswerGap:
    """Build the gap between both."""
    matching = Matching.of("spoken_gap", options)
    return AnswerGap(SpokenAnswer(Transcription.of(options), matching), WrittenAnswer(matching))
