"""How scorers come by what a judge says of an answer: what it is given, and what its verdicts are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tttbench.core.declared import recipe_of
from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.judge_presets import JUDGE_PRESETS
from tttbench.core.judge_presets import VERSION as PRESETS_VERSION
from tttbench.core.judging import JudgeSettings, Scale
from tttbench.core.sample import CONVERSATION, QUESTIONS, Sample, Turn
from tttbench.core.scorer import View

AS_PUBLISHED = "as-published"
"""Of the option ``denominator``: what the code of the preset makes of answers without words or verdict."""

Graded = Literal["answer", "caption", "conversation"]
_SCORERS: Mapping[Graded, str] = {
    "answer": "answer or spoken_answer",
    "caption": "clair_a",
    "conversation": "conversation or spoken_conversation",
}

_PROMPT_SHA256 = re.compile(r"(prompt [\w.@-]+) sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Round:
    """A round of a conversation: the sample that it is, what was asked, and good answers."""

    id: str
    question: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What is known of a judge's verdict on an answer.

    Attributes:
        status: ``ok``, ``failed``: there is none, or ``pending``: nobody has been asked yet.
        value: the majority of yes (1) and no (0), else the mean of all votes.
        votes: each verdict; ``model``: as replies call it.
        error: why there is none.
    """

    status: Literal["ok", "failed", "pending"]
    value: float = 0.0
    votes: tuple[int, ...] = ()
    model: str = ""
    error: str = ""


@dataclass(frozen=True)
class Judging:
    """Verdicts by one judge.

    ``preset``: the published way of grading that they follow, ``""`` for ours; ``zeros``: whether an answer without
    words, or without a verdict, counts 0, as in the code of the preset.
    """

    settings: JudgeSettings
    preset: str = ""
    zeros: bool = False

    @classmethod
    def of(cls, scorer: str, options: Mapping[str, str], grades: Graded = "answer") -> Judging:
        """Take the options of a score, ``denominator`` among them; raises ``UserError`` naming the option.

        ``grades``: what the score is of, which the prompt must be for.
        """
        settings = JudgeSettings.of(scorer, options)
        if settings.scale.of != grades:
            raise UserError(
                f"{scorer}:recipe={options.get('recipe', settings.prompt)}: grades {settings.scale.of}s, not "
                f"{grades}s; ask for {_SCORERS[settings.scale.of]}, or another recipe."
            )
        recipe, chosen = options.get("recipe", ""), options.get("denominator", "all")
        if chosen not in ("all", AS_PUBLISHED):
            hint = did_you_mean(chosen, ("all", AS_PUBLISHED))
            raise UserError(f"{scorer}:denominator={chosen!s:.60}: there is no such denominator. {hint}")
        counting = [name for name, one in JUDGE_PRESETS.items() if one.zeros]
        if chosen == AS_PUBLISHED and recipe not in counting:
            raise UserError(
                f"{scorer}:denominator=as-published: needs a recipe whose code counts otherwise than we do: "
                f"{', '.join(counting)}."
            )
        return cls(settings, recipe if recipe in JUDGE_PRESETS else "", chosen == AS_PUBLISHED)

    @property
    def times(self) -> float:
        """What a grade is multiplied by to be shown."""
        return JUDGE_PRESETS[self.preset].times if self.preset else 1.0

    @property
    def is_mean(self) -> bool:
        """Whether yes and no are averaged over votes; else the majority counts."""
        return bool(self.preset) and JUDGE_PRESETS[self.preset].is_mean

    @property
    def lowest(self) -> float:
        """What an answer without a word is worth."""
        return 0.0 if self.zeros else float(self.scale.lowest)

    @property
    def made_by(self) -> dict[str, str]:
        """What of a score's recipe tells how verdicts are counted."""
        found = {"options": f"preset={self.preset}@{PRESETS_VERSION}"} if self.preset else {}
        if self.zeros:
            found["denominator"] = f"all@1, {self.preset}'s 0 without words or verdict@{PRESETS_VERSION}"
        return found

    @property
    def scale(self) -> Scale:
        """Of the verdicts."""
        return self.settings.scale

    @property
    def deriver(self) -> str:
        """Name of the deriver."""
        return self.settings.deriver

    def recipe(self, recipes: Mapping[str, str]) -> tuple[str, str]:
        """What makes the verdicts, for a score's recipe, and the hash of its prompt."""
        made = recipe_of(self.deriver, recipes)
        found = _PROMPT_SHA256.search(made)
        return _PROMPT_SHA256.sub(r"\1", made), found[2] if found else ""

    def need(self, sample: Sample, view: View, answer: str) -> Need:
        """Return the need for a verdict on ``answer``, or on a caption; ``view``: of what it was given in."""
        fields = {"caption": answer}
        if self.scale.of == "answer":
            fields = {"question": question_of(sample, view), "answer": answer}
            if self.scale.shows:
                fields[self.scale.shows] = sample.metadata[self.scale.shows]
        if sample.references:
            fields["references"] = json.dumps(list(sample.references), ensure_ascii=False)
        return Need(self.deriver, fields=fields, language=sample.language)

    def why_not(self, sample: Sample, view: View) -> str:
        """Return why no judge could say anything of an answer to ``sample``; ``""`` if it could."""
        if self.scale.of == "answer" and not question_of(sample, view):
            return _why_no_question(sample, view)
        if self.scale.shows and not sample.metadata.get(self.scale.shows):
            return f"{self.settings.prompt} needs what was asked for, and the sample has no field {self.scale.shows!r}"
        if self.scale.needs_references and not sample.references:
            return f"{self.settings.prompt} needs a right answer, and the sample has none"
        return ""

    def verdict(self, derived: Derived | None) -> Verdict:
        """Read what the deriver made."""
        if derived is None:
            return Verdict("pending", error=f"not graded yet by {self.settings.judge}")
        if derived.status != "ok":
            return Verdict("failed", error=derived.error)
        found = verdict_of(derived.content, self.scale)
        if self.is_mean and found.status == "ok":
            return replace(found, value=sum(found.votes) / len(found.votes))
        return found


def verdict_of(content: str, scale: Scale) -> Verdict:
    """Read the content of a judge's derivation; whatever isn't one is a failed verdict."""
    try:
        found = json.loads(content)
        votes = tuple(found["verdicts"])
        model = str(found.get("model", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Verdict("failed", error="what was kept of the judge's reply is damaged")
    fits = all(type(one) is int and scale.lowest <= one <= scale.highest for one in votes)
    if not votes or not fits:
        return Verdict("failed", error="what was kept of the judge's reply is damaged")
    mean = sum(votes) / len(votes)
    return Verdict("ok", float(mean > 0.5) if scale.is_binary else mean, votes, model)


def rounds_of(sample: Sample) -> tuple[Round, ...]:
    """Return the rounds of the conversation that a sample ends; nothing for any other sample."""
    return tuple(
        Round(one["id"], one["question"], tuple(one["references"]))
        for one in json.loads(sample.metadata.get(CONVERSATION, "[]"))
    )


def question_of(sample: Sample, view: View | None = None) -> str:
    """Return what was asked, as text: the last turn, or a conversation turn by turn; ``""`` if that isn't known.

    Args:
        sample: what was asked.
        view: the answer to it, beside which the system's own earlier answers are found, which stand in a conversation;
            those that aren't known as text are left out.
    """
    known = _turns_of(sample, view)
    if not known:
        return sample.metadata.get("question", "")
    if any(not text and not turn.answer_to for turn, text in known):
        return ""
    if len(known) == 1:
        return known[0][1]
    return "\n".join(f"{turn.role}: {text}" for turn, text in known if text)


def _why_no_question(sample: Sample, view: View) -> str:
    if all(text or turn.answer_to for turn, text in _turns_of(sample, view)[:-1]):
        return "the question isn't known as text, so nobody can judge an answer; add the field question to the list"
    return (
        "an earlier turn of the conversation isn't known as text, so nobody can judge an answer to the last one; give "
        "all turns of the list their texts, or ask for conversation or spoken_conversation where all are graded at once"
    )


def _turns_of(sample: Sample, view: View | None) -> list[tuple[Turn, str]]:
    """The turns with their texts, as far as those are known."""
    asked = [one.question for one in rounds_of(sample)] or json.loads(sample.metadata.get(QUESTIONS, "[]"))
    if sum(turn.role == "user" for turn in sample.turns) != len(asked):
        asked = []
    found = []
    for at, turn in enumerate(sample.turns):
        text = turn.text or ("" if turn.audio is None or turn.audio.made is None else turn.audio.made.text)
        if asked and turn.role == "user":
            text = asked[sum(one.role == "user" for one in sample.turns[:at])]
        elif turn.answer_to:
            own = None if view is None else view.answer_to(turn.answer_to)
            text = "" if own is None else own.text.strip()
        elif not text and at == len(sample.turns) - 1:
            text = sample.metadata.get("question", "")
        found.append((turn, text))
    return found
