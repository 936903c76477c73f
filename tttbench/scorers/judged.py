"""Answers graded by a judge: ``answer`` as written, ``spoken_answer`` as spoken, ``answer_gap`` between both.

The recipe is the judge's prompt: ``judge-binary`` (right or wrong), ``judge-1-5``, ``judge-1-10``; or a preset, which
has votes and scale of a published evaluation, too. An answer without a
word isn't given to the judge: it gets the lowest grade.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tttbench.core.derivation import Derived, Need
from tttbench.core.judging import OPERATIONAL, OPTIONS
from tttbench.core.metric import UNKNOWN, MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.core.status import worst_status
from tttbench.scorers.judges import Judging
from tttbench.scorers.transcripts import Transcription

VERSION = 1
"""Raised whenever the same verdicts may be scored otherwise."""

_OPTIONS = (*OPTIONS, "denominator")

_WHAT = {"written": "the written answer", "spoken": "the transcript of the spoken answer"}


def judged_info(judging: Judging, how: str, of: str = "answer") -> MetricInfo:
    """Return what the metric of a judge is; ``how``: ``written`` or ``spoken``, ``of``: what is graded."""
    scale, times = judging.scale, judging.times
    if scale.is_binary and judging.is_mean:
        says = f"share of a judge's (a language model's) votes that {_WHAT[how]} is right, of {judging.settings.votes}"
        title, short = f"{how.capitalize()} answers right, share of votes", f"{how}, votes"
        return MetricInfo(title, short, says, "%", 100, "higher", lowest=0, highest=1)
    if scale.is_binary:
        says = f"a judge (a language model) finds that {_WHAT[how]} is right"
        title, short = f"{how.capitalize()} answers right, judged", f"{how}, judged"
        return MetricInfo(title, short, says, "%", 100, "higher", "binary", lowest=0, highest=1)
    range_ = f"{scale.lowest} to {scale.highest}"
    what = _WHAT[how] if of == "answer" else f"all {how} answers of a conversation"
    says = f"mean grade that a judge (a language model) gives {what}, from {range_}"
    title, short = f"Grade of {how} {of}s, {range_}", f"{how} grade"
    if times != 1:
        by = f", times {times:g}"
        title, short, says = title + by, f"{short}{by}", says + by
    return MetricInfo(title, short, says, scale=times, lowest=judging.lowest, highest=scale.highest)


@dataclass(frozen=True)
class JudgedAnswer:
    """The judge's verdict on the written answer; a ``Scorer``."""

    judging: Judging
    reads: frozenset[str] = frozenset({"text"})

    @property
    def info(self) -> MetricInfo:
        """By the judge's scale."""
        return judged_info(self.judging, "written")

    @property
    def derivers(self) -> tuple[str, ...]:
        """What it needs, by name."""
        return (self.judging.deriver,)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, judge and prompt."""
        judge, prompt_sha256 = self.judging.recipe(recipes)
        return Recipe(f"answer@{VERSION}", judge=judge, prompt_sha256=prompt_sha256, **self.judging.made_by)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the verdict, where there is an answer to grade."""
        if view.status not in ("error", "unparsed"):
            yield from needed(self.judging, sample, view, view.text)

    def score(self, sample: Sample, view: View) -> Score:
        """Return the verdict; the lowest grade for whatever isn't an answer."""
        return graded(self.judging, sample, view, view.text)


@dataclass(frozen=True)
class JudgedSpeech:
    """The judge's verdict on the transcript of the spoken answer; a ``Scorer``."""

    judging: Judging
    transcription: Transcription
    reads: frozenset[str] = frozenset({"audio"})

    @property
    def info(self) -> MetricInfo:
        """By the judge's scale."""
        return judged_info(self.judging, "spoken")

    @property
    def derivers(self) -> tuple[str, ...]:
        """What it needs, by name."""
        return (self.judging.deriver,)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, transcriber, judge and prompt."""
        judge, prompt_sha256 = self.judging.recipe(recipes)
        transcriber = self.transcription.recipe(recipes)
        made = Recipe(f"spoken_answer@{VERSION}", transcriber=transcriber, judge=judge, prompt_sha256=prompt_sha256)
        return replace(made, **self.judging.made_by)

    def needs(self, sample: Sample, view: View) -> Iterator[Need]:
        """Need the transcript, and the verdict on it."""
        if view.status in ("error", "unparsed") or self.judging.why_not(sample, view):
            return
        yield from self.transcription.needs(sample, view)
        spoken = self.transcription.of_answer(sample, view)
        if spoken.status == "ok":
            yield from needed(self.judging, sample, view, spoken.text)

    def score(self, sample: Sample, view: View) -> Score:
        """Return the verdict; no value where the transcript failed."""
        if view.status in ("error", "unparsed"):
            return graded(self.judging, sample, view, "")
        spoken = self.transcription.of_answer(sample, view)
        if spoken.status == "failed":
            return replace(UNKNOWN, detail={"error": spoken.error})
        return graded(self.judging, sample, view, spoken.text)


@dataclass(frozen=True)
class JudgedGap:
    """Verdict on the written answer minus that on the spoken one; a ``Scorer``."""

    written: JudgedAnswer
    spoken: JudgedSpeech
    reads: frozenset[str] = frozenset({"text", "audio"})

    @property
    def info(self) -> MetricInfo:
        """A difference on the judge's scale."""
        scale = self.written.judging.scale
        reach = scale.highest - self.written.judging.lowest
        what = "share judged right" if scale.is_binary else "mean grade"
        return MetricInfo(
            "Text-speech gap, judged",
            "gap, judged",
            f"{what} in writing minus {what} as spoken, of the same samples",
            "points" if scale.is_binary else "",
            100 if scale.is_binary else self.written.judging.times,
            "none",
            "value",
            lowest=-reach,
            highest=reach,
        )

    @property
    def derivers(self) -> tuple[str, ...]:
        """What it needs, by name."""
        return self.written.derivers

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """That of the spoken verdict, under its own name."""
        return replace(self.spoken.recipe(recipes), scorer=f"answer_gap@{VERSION}")

    def needs(self, sample: Sample, view: View) -> Iterator[Need]:
        """Need both verdicts."""
        yield from self.written.needs(sample, view)
        yield from self.spoken.needs(sample, view)

    def score(self, sample: Sample, view: View) -> Score:
        """Return the difference under the worse of both statuses; no value where either has none."""
        written, spoken = self.written.score(sample, view), self.spoken.score(sample, view)
        for one in (written, spoken):
            if math.isnan(one.value):
                return one
        return plain_score(written.value - spoken.value, worst_status((written.status, spoken.status)))


def needed(judging: Judging, sample: Sample, view: View, answer: str) -> Iterator[Need]:
    """Yield the need for a verdict, where there is something to grade and something to grade it by."""
    if _has_words(answer) and not judging.why_not(sample, view):
        yield judging.need(sample, view, answer)


def graded(judging: Judging, sample: Sample, view: View, answer: str) -> Score:
    """Return the verdict on an answer; the lowest for what is none, no value where nobody can say."""
    lowest = judging.lowest
    if view.status in ("error", "unparsed"):
        return plain_score(lowest, view.status)
    if why := judging.why_not(sample, view):
        return replace(UNKNOWN, detail={"error": why})
    if not _has_words(answer):
        return plain_score(lowest, "empty", answer=answer)
    return verdict_on(judging, view.derived(judging.need(sample, view, answer)), answer)


def verdict_on(judging: Judging, derived: Derived | None, answer: str) -> Score:
    """Return what a judge said as a score; ``answer``: what it was of, to be shown."""
    verdict = judging.verdict(derived)
    if verdict.status == "failed" and judging.zeros:
        return plain_score(judging.lowest, "unparsed", error=verdict.error, answer=answer)
    if verdict.status != "ok":
        return replace(UNKNOWN, detail={"error": verdict.error, "answer": answer})
    return plain_score(verdict.value, "ok", answer=answer, votes=list(verdict.votes), judged_by=verdict.model)


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


@register_scorer(
    "answer",
    options=_OPTIONS,
    operational=OPERATIONAL,
    summary="verdict of a judge, a language model, on the written answer",
)
def answer(options: Mapping[str, str]) -> JudgedAnswer:
    """Build it."""
    return JudgedAnswer(Judging.of("answer", options))


@register_scorer(
    "spoken_answer",
    options=("transcriber", *_OPTIONS),
    operational=OPERATIONAL,
    summary="verdict of a judge on the spoken answer, transcribed",
)
def spoken_answer(options: Mapping[str, str]) -> JudgedSpeech:
    """Build it."""
    return JudgedSpeech(Judging.of("spoken_answer", options), Transcription.of(options))


@register_scorer(
    "answer_gap",
    options=("transcriber", *_OPTIONS),
    operational=OPERATIONAL,
    summary="a judge's verdict in writing minus that as spoken",
)
def answer_gap(options: Mapping[str, str]) -> JudgedGap:
    """Build it."""
    judging = Judging.of("answer_gap", options)
    return JudgedGap(JudgedAnswer(judging), JudgedSpeech(judging, Transcription.of(options)))
