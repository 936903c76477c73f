"""The scorer behind WER and CER: normalise, align, count. Knows neither words nor characters; both come in.

A request without an answer (``error``, ``unparsed``) counts as if every reference unit had been deleted, and so does an
empty one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tttbench.core.records import Sample, Score, ScoreKind, Status
from tttbench.core.scorer import Answer
from tttbench.text.alignment import Alignment
from tttbench.text.normalizers import Normalizer, package_version

VERSION = 1
"""Raised whenever the same texts may give other counts."""


@dataclass(frozen=True)
class EditRate:
    """Edits per reference unit between ``Sample.reference`` and ``Answer.text``; a ``Scorer``.

    Attributes:
        name, title: of the metric.
        normalizer: applied to both texts.
        align: finds the edits between two normalised texts.
    """

    name: str
    title: str
    normalizer: Normalizer
    align: Callable[[str, str], Alignment]
    kind: ScoreKind = "rate"
    lower_is_better: bool = True
    needs_heard: bool = False

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Return the sample's edits over its reference units.

        The detail holds ``substitutions``, ``deletions``, ``insertions``, ``hits``, the normalised ``reference`` and
        ``hypothesis`` and their ``alignment`` (``Alignment.as_json``). An answer without a word in it is ``empty``,
        unless the reference has none either.
        """
        answered = answer.status not in ("error", "unparsed")
        reference = self._normalize(sample.reference)
        hypothesis = self._normalize(answer.text) if answered else ""
        alignment = self.align(reference, hypothesis)
        counts = alignment.counts
        status: Status = answer.status if not answered else "empty" if reference and not hypothesis else "ok"
        return Score(
            metric=self.name,
            value=counts.rate,
            kind=self.kind,
            numerator=float(counts.errors),
            denominator=float(counts.reference_units),
            status=status,
            recipe=f"{self.name}-{VERSION}; {self.normalizer.recipe}; jiwer {package_version('jiwer')}",
            detail={
                "hits": counts.hits,
                "substitutions": counts.substitutions,
                "deletions": counts.deletions,
                "insertions": counts.insertions,
                "reference": reference,
                "hypothesis": hypothesis,
                "alignment": alignment.as_json(),
            },
        )

    def _normalize(self, text: str) -> str:
        normalized = self.normalizer.normalize(text).strip()
        # Whisper's rules leave "." of "...": a text of dots alone has no words.
        return normalized if any(map(str.isalnum, normalized)) else ""
