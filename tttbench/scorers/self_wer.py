"""Does a system say what it writes? Word errors of its spoken answer against its own text, as the judge hears it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tttbench.core.records import Sample, Score, ScoreKind
from tttbench.core.scorer import Answer
from tttbench.scorers.edit_rate import EditRate


@dataclass(frozen=True)
class SelfErrorRate:
    """Edits per word between what an answer says and what it writes; a ``Scorer``.

    The right answer plays no part: a wrong answer that is spoken as it is written has no errors. What the judge
    mishears counts, so the judge's own error rate (on true recordings) is the floor.

    Attributes:
        rate: normalises, aligns and counts.
    """

    rate: EditRate
    name: str = "self_wer"
    title: str = "word errors of what is said against what is written"
    kind: ScoreKind = "rate"
    lower_is_better: bool = True
    needs_heard: bool = True

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Return the edits over the words of the answer's own text.

        ``judge_failed``: said, but not transcribed; counts as if nothing had been said. ``empty``: nothing written, so
        nothing to compare; it has no words and weighs nothing.
        """
        failed = answer.status == "judge_failed"
        written = replace(sample, reference=answer.text)
        said = Answer(answer.heard or "", status="ok" if failed else answer.status)
        score = self.rate.score(written, said)
        status = "judge_failed" if failed else "empty" if not score.detail["reference"] else score.status
        recipe = score.recipe.replace(self.rate.name, self.name, 1) + f"; judge: {answer.judge or 'unknown'}"
        return replace(score, metric=self.name, status=status, recipe=recipe)
