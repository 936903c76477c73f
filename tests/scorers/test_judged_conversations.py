"""Conversations graded as a whole: what the judge is given, and when there is a grade."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import CONVERSATION, Sample, Turn
from tttbench.core.scorer import Scorer, ScoreSpec
from tttbench.derive.judge.prompts import material
from tttbench.scorers.judges import question_of

from .views import Seen

JUDGE = "openai_chat:m"
ROUNDS = [
    {"id": "7-1", "question": "Who are you?", "references": []},
    {"id": "7-2", "question": "And now?", "references": ["Still me.", "Me."]},
]
LAST = Sample(
    "7-2",
    (Turn("user"), Turn("assistant", answer_to="7-1"), Turn("user")),
    ("Still me.",),
    language="en",
    metadata={CONVERSATION: json.dumps(ROUNDS)},
)


@dataclass(frozen=True)
class Heard(Seen):
    """An answer, and the judge's derivation of whatever it is asked."""

    verdict: Derived | None = None
    asked: list[Need] = field(default_factory=list)

    def derived(self, need: Need) -> Derived | None:
        if need.deriver.startswith("judge:"):
            self.asked.append(need)
            return self.verdict
        return super().derived(need)


def build(scorer: str = "conversation", **options: str) -> Scorer:
    return build_scorer(ScoreSpec(scorer, scorer, {"judge": JUDGE, **options}))


def graded(*votes: int) -> Derived:
    return Derived("ok", json.dumps({"verdicts": votes, "replies": ["?"] * len(votes), "model": "m-1"}))


def test_the_judge_is_given_every_round_in_one_request() -> None:
    seen = Heard("Nobody else.", rounds={"7-1": Seen("A voice.")}, verdict=graded(4, 5, 3))
    scorer = build(recipe="uro-conversation")
    (need,) = scorer.needs(LAST, seen)
    assert need.deriver.startswith(f"judge:{JUDGE}?prompt=judge-conversation-1-5&votes=3")
    given: dict[str, Any] = json.loads(material(need.fields, need.language))
    assert given == {
        "language": "en",
        "conversation": [
            {"question": "Who are you?", "answer": "A voice."},
            {"question": "And now?", "accepted_answers": ["Still me.", "Me."], "answer": "Nobody else."},
        ],
    }
    score = scorer.score(LAST, seen)
    assert score is not None
    assert (score.value, score.status, score.detail["answer"]) == (4, "ok", "1: A voice.\n2: Nobody else.")
    assert scorer.info.shown(score.value) == 80
    assert scorer.info.title == "Grade of written conversations, 1 to 5, times 20"
    assert question_of(LAST) == "user: Who are you?\nuser: And now?"


def test_earlier_rounds_have_no_grade_of_their_own() -> None:
    first = Sample("7-1", (Turn("user"),), language="en")
    assert list(build().needs(first, Seen("A voice."))) == []
    assert build().score(first, Seen("A voice.")) is None


def test_spoken_conversations_are_transcribed_first() -> None:
    scorer = build("spoken_conversation", transcriber="ears", recipe="uro-speaker")
    seen = Heard("x", transcript="the same", rounds={"7-1": Heard("y", transcript="a voice")}, verdict=graded(5))
    needs = list(scorer.needs(LAST, seen))
    assert [need.deriver.partition(":")[0] for need in needs] == ["transcriber", "transcriber", "judge"]
    told = json.loads(needs[-1].fields["conversation"])
    assert [one["answer"] for one in told] == ["a voice", "the same"]
    assert scorer.recipe({"transcriber:ears": "whisper 1"}).transcriber == "whisper 1"
    failed = Heard("x", transcript="the same", rounds={"7-1": Seen("y", spoken=True)}, verdict=graded(5))
    assert [need.deriver.partition(":")[0] for need in scorer.needs(LAST, failed)] == ["transcriber", "transcriber"]
    score = scorer.score(LAST, failed)
    assert score is not None
    assert math.isnan(score.value)
    assert score.detail["error"] == "7-1: no power"


@pytest.mark.parametrize(
    ("seen", "value", "status"),
    [
        (Heard(" ", rounds={"7-1": Seen("…")}), 1, "empty"),
        (Heard("x", rounds={"7-1": Seen(status="error")}), 1, "error"),
        (Heard(status="error", rounds={"7-1": Seen("y")}), 1, "error"),
        (Heard("x"), math.nan, "derivation_failed"),
        (Heard("x", rounds={"7-1": Seen("")}, verdict=Derived("failed", error="gone")), math.nan, "derivation_failed"),
        (Heard("", rounds={"7-1": Seen("y")}, verdict=graded(2)), 2, "ok"),
    ],
)
def test_what_is_no_conversation_gets_the_lowest_grade_or_none(seen: Heard, value: float, status: str) -> None:
    score = build().score(LAST, seen)
    assert score is not None
    assert score.status == status
    assert score.value == pytest.approx(value, nan_ok=True)


OWN = Sample(
    "7-2",
    (Turn("user", "Who are you?"), Turn("assistant", answer_to="7-1"), Turn("user", "And now?")),
    ("Still me.",),
)


@pytest.mark.parametrize("scorer", ["answer", "spoken_answer"])
@pytest.mark.parametrize("asked", [OWN, LAST])
@pytest.mark.parametrize(
    ("own", "question"),
    [
        (Seen("A voice. "), "user: Who are you?\nassistant: A voice.\nuser: And now?"),
        # What was only spoken, or isn't there, is left out.
        (Seen("", spoken=True), "user: Who are you?\nuser: And now?"),
        (None, "user: Who are you?\nuser: And now?"),
    ],
)
def test_a_later_round_is_graded_by_itself_with_the_system_s_own_answers_before_it(
    scorer: str, asked: Sample, own: Seen | None, question: str
) -> None:
    seen = Heard("Me.", transcript="Me.", rounds={} if own is None else {"7-1": own}, verdict=graded(1))
    ears = {"transcriber": "ears"} if scorer == "spoken_answer" else {}
    built = build(scorer, **ears)
    need = list(built.needs(asked, seen))[-1]
    assert (need.fields["question"], need.fields["answer"]) == (question, "Me.")
    score = built.score(asked, seen)
    assert score is not None
    assert (score.value, score.status) == (1, "ok")


def test_why_a_later_round_can_not_be_graded_by_itself_is_true() -> None:
    unknown = replace(OWN, turns=(Turn("user"), *OWN.turns[1:]), metadata={"question": "And now?"})
    seen = Heard("Me.", rounds={"7-1": Seen("A voice.")}, verdict=graded(1))
    assert list(build("answer").needs(unknown, seen)) == []
    score = build("answer").score(unknown, seen)
    assert score is not None
    assert score.status == "derivation_failed"
    assert "an earlier turn of the conversation isn't known as text" in str(score.detail["error"])
    last = build("answer").score(replace(OWN, turns=(*OWN.turns[:-1], Turn("user"))), seen)
    assert last is not None
    assert "the question isn't known as text" in str(last.detail["error"])


def test_recipes_of_answers_and_of_conversations_are_not_mixed_up() -> None:
    with pytest.raises(
        UserError, match="conversation:recipe=uro-open: grades answers, not conversations; ask for answer"
    ):
        build(recipe="uro-open")
    with pytest.raises(
        UserError, match="answer:recipe=uro-speaker: grades conversations, not answers; ask for conversa"
    ):
        build("answer", recipe="uro-speaker")
    with pytest.raises(UserError, match="answer:recipe=clair-a: grades captions, not answers; ask for clair_a"):
        build("answer", recipe="clair-a")
