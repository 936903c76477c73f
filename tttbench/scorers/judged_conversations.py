"""Conversations graded by a judge as a whole: ``conversation`` as written, ``spoken_conversation`` as spoken.

The grade belongs to a conversation's last round; the others have none. As URO-Bench grades its sets of several rounds:
the judge is given question, answer and good answers of each round, and gives one grade.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.judging import OPERATIONAL, OPTIONS
from tttbench.core.metric import UNKNOWN, MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.scorers.judged import judged_info, verdict_on
from tttbench.scorers.judges import Judging, Round, rounds_of
from tttbench.scorers.transcripts import Transcription

VERSION = 1
"""Raised whenever the same verdicts may be scored otherwise."""

RECIPE = "judge-conversation-1-5"

_OPTIONS = (*OPTIONS, "denominator")


@dataclass(frozen=True)
class _Unknown:
    """Why what was answered isn't known; ``view``'s status if there is no answer at all."""

    score: Score


@dataclass(frozen=True)
class JudgedConversation:
    """The judge's grade of a conversation; a ``Scorer``. ``transcription``: None for what was written."""

    judging: Judging
    transcription: Transcription | None = None

    @property
    def reads(self) -> frozenset[str]:
        """Text, or speech."""
        return frozenset({"text" if self.transcription is None else "audio"})

    @property
    def info(self) -> MetricInfo:
        """By the judge's scale."""
        return judged_info(self.judging, "written" if self.transcription is None else "spoken", "conversation")

    @property
    def derivers(self) -> tuple[str, ...]:
        """What it needs, by name."""
        return (self.judging.deriver,)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, transcriber, judge and prompt."""
        judge, prompt_sha256 = self.judging.recipe(recipes)
        name = "conversation" if self.transcription is None else "spoken_conversation"
        made = Recipe(f"{name}@{VERSION}", judge=judge, prompt_sha256=prompt_sha256, **self.judging.made_by)
        return made if self.transcription is None else replace(made, transcriber=self.transcription.recipe(recipes))

    def needs(self, sample: Sample, view: View) -> Iterator[Need]:
        """Need the transcripts of all rounds, and then the grade."""
        rounds = rounds_of(sample)
        for one in rounds if self.transcription is not None else ():
            seen = _of_round(one, sample, view)
            if seen is not None and self.transcription is not None:
                yield from self.transcription.needs(sample, seen)
        answers = self._answers(rounds, sample, view)
        if rounds and not isinstance(answers, _Unknown) and _hold_words(answers):
            yield self._need(rounds, answers, sample)

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the grade; the lowest for a conversation without a word, or with a round that ended as an error."""
        rounds = rounds_of(sample)
        if not rounds:
            return None
        answers = self._answers(rounds, sample, view)
        if isinstance(answers, _Unknown):
            return answers.score
        shown = "\n".join(f"{at}: {text}" for at, text in enumerate(answers, 1))
        if not _hold_words(answers):
            return plain_score(self.judging.lowest, "empty", answer=shown)
        return verdict_on(self.judging, view.derived(self._need(rounds, answers, sample)), shown)

    def _answers(self, rounds: Sequence[Round], sample: Sample, view: View) -> tuple[str, ...] | _Unknown:
        """What was answered, round by round."""
        found = []
        for one in rounds:
            seen = _of_round(one, sample, view)
            if seen is None:
                return _Unknown(replace(UNKNOWN, detail={"error": f"the run has no answer to {one.id}"}))
            if seen.status in ("error", "unparsed"):
                return _Unknown(plain_score(self.judging.lowest, seen.status, error=f"no answer to {one.id}"))
            if self.transcription is None:
                found.append(seen.text)
                continue
            spoken = self.transcription.of_answer(sample, seen)
            if spoken.status == "failed":
                return _Unknown(replace(UNKNOWN, detail={"error": f"{one.id}: {spoken.error}"}))
            found.append(spoken.text)
        return tuple(found)

    def _need(self, rounds: Sequence[Round], answers: Sequence[str], sample: Sample) -> Need:
        told = [
            {
                "question": one.question,
                **({"accepted_answers": list(one.references)} if one.references else {}),
                "answer": answer,
            }
            for one, answer in zip(rounds, answers, strict=True)
        ]
        fields = {"conversation": json.dumps(told, ensure_ascii=False)}
        return Need(self.judging.deriver, fields=fields, language=sample.language)


def _of_round(one: Round, sample: Sample, view: View) -> View | None:
    return view if one.id == sample.id else view.answer_to(one.id)


def _hold_words(answers: Sequence[str]) -> bool:
    return any(map(str.isalnum, "".join(answers)))


@register_scorer(
    "conversation",
    options=_OPTIONS,
    operational=OPERATIONAL,
    summary="a judge's grade of all written answers of a conversation",
)
def conversation(options: Mapping[str, str]) -> JudgedConversation:
    """Build it."""
    return JudgedConversation(Judging.of("conversation", {"recipe": RECIPE, **options}, "conversation"))


@register_scorer(
    "spoken_conversation",
    options=("transcriber", *_OPTIONS),
    operational=OPERATIONAL,
    summary="a judge's grade of all spoken answers of a conversation, transcribed",
)
def spoken_conversation(options: Mapping[str, str]) -> JudgedConversation:
    """Build it."""
    judging = Judging.of("spoken_conversation", {"recipe": RECIPE, **options}, "conversation")
    return JudgedConversation(judging, Transcription.of(options))
