"""Right or wrong answers to questions, as written and as heard. Knows texts; the transcript was made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from tttbench.core.records import Sample, Score, ScoreKind, Status
from tttbench.core.scorer import Answer
from tttbench.text.answer_match import RECIPE, answer_tokens, holds
from tttbench.text.normalizers import WHISPER_ENGLISH


@dataclass(frozen=True)
class AnswerAccuracy:
    """1 if the reference or an alias stands in the answer as whole words (``answer_match``), else 0; a ``Scorer``.

    Attributes:
        name, title: of the metric.
        needs_heard: judge ``Answer.heard`` (what was said) rather than ``Answer.text`` (what was written).
    """

    name: str
    title: str
    needs_heard: bool
    kind: ScoreKind = "binary"
    lower_is_better: bool = False

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Return 1 or 0; whatever isn't ``ok`` is 0.

        ``empty``: no word in the answer, or nothing said. ``judge_failed``: said, but not transcribed. ``unparsed``:
        the answer could not be read, or no expected answer has a word in it, so nothing could be right. The detail
        holds the ``answer`` that was judged, its ``normalized`` tokens, the ``expected`` ones, and ``matched`` (the
        reference or alias that was found, as written; None if none was).
        """
        judged = (answer.heard if self.needs_heard else answer.text) or ""
        candidates = (sample.reference, *sample.aliases)
        expected = [answer_tokens(candidate) for candidate in candidates]
        tokens = answer_tokens(judged)
        status = self._status(answer, tokens, any(expected))
        matched = None
        if status == "ok":
            matched = next((c for c, wanted in zip(candidates, expected, strict=True) if holds(tokens, wanted)), None)
        value = float(matched is not None)
        judge = f"; judge: {answer.judge or 'unknown'}" if self.needs_heard else ""
        return Score(
            metric=self.name,
            value=value,
            kind=self.kind,
            numerator=value,
            denominator=1.0,
            status=status,
            recipe=f"{self.name}-1; {RECIPE}; {WHISPER_ENGLISH.recipe}{judge}",
            detail={
                "answer": judged,
                "normalized": " ".join(tokens),
                "expected": [" ".join(wanted) for wanted in expected],
                "matched": matched,
            },
        )

    def _status(self, answer: Answer, tokens: tuple[str, ...], expects: bool) -> Status:
        if answer.status in ("error", "unparsed"):
            return answer.status
        if self.needs_heard and answer.status == "judge_failed":
            return "judge_failed"
        if not tokens:
            return "empty"
        return "ok" if expects else "unparsed"


TEXT_ACCURACY = AnswerAccuracy("text_accuracy", "right answers, as written", needs_heard=False)
SPOKEN_ACCURACY = AnswerAccuracy("spoken_accuracy", "right answers, as heard by the judge", needs_heard=True)
