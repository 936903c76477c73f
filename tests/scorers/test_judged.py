"""What a judge's verdicts make of an answer, and what it is asked for at all."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import AudioRef, MadeSpeech, Sample, SpeechRecipe, Turn
from tttbench.core.scorer import Scorer, ScoreSpec
from tttbench.derive.judge.prompts import load_prompt
from tttbench.scorers.judges import question_of

from .views import Seen

JUDGE = "openai_chat:m"
QUESTION = Sample("s", (Turn("user", "What is the capital of France?"),), ("Paris", "City of Paris"), language="en")


@dataclass(frozen=True)
class Graded(Seen):
    """An answer with the verdicts of a judge, by the text that was graded; those of other texts aren't made yet."""

    verdicts: dict[str, Derived] = field(default_factory=dict)

    def derived(self, need: Need) -> Derived | None:
        if need.deriver.startswith("judge:"):
            return self.verdicts.get(need.fields.get("answer") or need.fields["caption"])
        return super().derived(need)


def verdict(*votes: int) -> Derived:
    return Derived("ok", json.dumps({"verdicts": votes, "replies": ["?"] * len(votes), "model": "m-1"}))


def build(scorer: str = "answer", **options: str) -> Scorer:
    return build_scorer(ScoreSpec(scorer, scorer, {"judge": JUDGE, **options}))


def test_a_judge_is_given_question_references_and_answer() -> None:
    (need,) = build().needs(QUESTION, Seen("It's Paris."))
    assert need.deriver == f"judge:{JUDGE}?prompt=judge-binary"
    assert (need.audio_sha256, need.language) == ("", "en")
    assert {**need.fields, "references": json.loads(need.fields["references"])} == {
        "question": "What is the capital of France?",
        "references": ["Paris", "City of Paris"],
        "answer": "It's Paris.",
    }


@pytest.mark.parametrize(
    ("options", "votes", "value"),
    [
        ({}, (1,), 1.0),
        ({}, (0,), 0.0),
        ({"votes": "3"}, (1, 0, 1), 1.0),
        ({"votes": "3"}, (1, 0, 0), 0.0),
        ({"recipe": "judge-1-5", "votes": "3"}, (3, 4, 4), 11 / 3),
        ({"recipe": "judge-1-10"}, (10,), 10.0),
    ],
)
def test_verdicts_make_a_score(options: dict[str, str], votes: tuple[int, ...], value: float) -> None:
    score = build(**options).score(QUESTION, Graded("Paris", verdicts={"Paris": verdict(*votes)}))
    assert (score.value, score.status) == (value, "ok") if score else None
    assert score is not None
    assert score.detail == {"answer": "Paris", "votes": list(votes), "judged_by": "m-1"}


@pytest.mark.parametrize(
    ("derived", "why"),
    [
        (None, "not graded yet by openai_chat:m"),
        (Derived("failed", error="the server is gone"), "the server is gone"),
        (Derived("ok", "yes"), "damaged"),
        (Derived("ok", '{"verdicts": []}'), "damaged"),
        (Derived("ok", '{"verdicts": [2]}'), "damaged"),
        (Derived("ok", '{"verdicts": [true]}'), "damaged"),
        (Derived("ok", '{"verdicts": [0.5]}'), "damaged"),
        (Derived("ok", "[]"), "damaged"),
    ],
)
def test_without_a_verdict_there_is_no_value(derived: Derived | None, why: str) -> None:
    seen = Graded("Paris", verdicts={} if derived is None else {"Paris": derived})
    score = build().score(QUESTION, seen)
    assert score is not None
    assert math.isnan(score.value)
    assert score.status == "derivation_failed"
    assert why in str(score.detail["error"])


@pytest.mark.parametrize(
    ("text", "status", "scored"), [("", "empty", "empty"), ("…", "ok", "empty"), ("x", "error", "error")]
)
@pytest.mark.parametrize(("recipe", "lowest"), [("judge-binary", 0.0), ("judge-1-5", 1.0), ("judge-1-10", 1.0)])
def test_what_is_no_answer_gets_the_lowest_grade_and_costs_nothing(
    recipe: str, lowest: float, text: str, status: Status, scored: Status
) -> None:
    scorer, seen = build(recipe=recipe), Graded(text, status=status)
    assert list(scorer.needs(QUESTION, seen)) == []
    score = scorer.score(QUESTION, seen)
    assert score is not None
    assert (score.value, score.status) == (lowest, scored)


def test_a_question_that_is_not_known_as_text_can_not_be_judged() -> None:
    spoken_only = replace(QUESTION, turns=(Turn("user"),))
    scorer = build()
    assert list(scorer.needs(spoken_only, Seen("Paris"))) == []
    score = scorer.score(spoken_only, Seen("Paris"))
    assert score is not None
    assert "the question isn't known as text" in str(score.detail["error"])
    # Where the words of a recording stand in the list, they are the question.
    assert question_of(replace(spoken_only, metadata={"question": "Where?"})) == "Where?"


def test_right_or_wrong_needs_a_right_answer_and_grades_do_not() -> None:
    open_question = replace(QUESTION, references=())
    assert list(build().needs(open_question, Seen("Paris"))) == []
    score = build().score(open_question, Seen("Paris"))
    assert score is not None
    assert score.status == "derivation_failed"
    (need,) = build(recipe="judge-1-5").needs(open_question, Seen("Paris"))
    assert "references" not in need.fields


def test_a_conversation_is_given_turn_by_turn() -> None:
    turns = (Turn("user", "Hi."), Turn("assistant", "Hello."), Turn("user", "Who are you?"))
    assert question_of(replace(QUESTION, turns=turns)) == "user: Hi.\nassistant: Hello.\nuser: Who are you?"
    assert question_of(replace(QUESTION, turns=(Turn("user"), *turns[1:]))) == ""


def test_turns_of_made_speech_are_given_by_their_texts() -> None:
    def spoken(text: str) -> Turn:
        made = MadeSpeech(text, SpeechRecipe("v", "p 1", "00", "en", "clean"))
        return Turn("user", "", AudioRef(Path("x.wav"), made=made))

    turns = (spoken("Hi."), Turn("assistant", "Hello."), spoken("Who are you?"))
    sample = replace(QUESTION, turns=turns)
    assert question_of(sample) == "user: Hi.\nassistant: Hello.\nuser: Who are you?"
    assert question_of(replace(sample, turns=turns[-1:])) == "Who are you?"


def test_a_spoken_answer_is_transcribed_first_and_then_judged() -> None:
    scorer = build("spoken_answer", transcriber="ears")
    assert scorer.reads == {"audio"}
    needs = list(scorer.needs(QUESTION, Graded("Rome", transcript="paris")))
    assert [need.deriver.partition(":")[0] for need in needs] == ["transcriber", "judge"]
    assert needs[1].fields["answer"] == "paris"
    assert [need.deriver for need in scorer.needs(QUESTION, Graded("Rome", spoken=True))] == ["transcriber:ears"]
    score = scorer.score(QUESTION, Graded("Rome", transcript="paris", verdicts={"paris": verdict(1)}))
    assert score is not None
    assert (score.value, score.status) == (1, "ok")
    failed = scorer.score(QUESTION, Graded("Rome", spoken=True))
    assert failed is not None
    assert (failed.status, failed.detail["error"]) == ("derivation_failed", "no power")
    mute = scorer.score(QUESTION, Graded("Rome"))
    assert mute is not None
    assert (mute.value, mute.status) == (0, "empty")


def test_the_gap_is_the_written_verdict_minus_the_spoken_one() -> None:
    scorer = build("answer_gap", transcriber="ears", recipe="judge-1-5")
    seen = Graded("Paris", transcript="pairs", verdicts={"Paris": verdict(5), "pairs": verdict(2)})
    score = scorer.score(QUESTION, seen)
    assert score is not None
    assert (score.value, score.status) == (3, "ok")
    assert (scorer.info.lowest, scorer.info.highest, scorer.info.direction) == (-4, 4, "none")
    half = scorer.score(QUESTION, replace(seen, verdicts={"Paris": verdict(5)}))
    assert half is not None
    assert half.status == "derivation_failed"
    mute = scorer.score(QUESTION, Graded("Paris", verdicts={"Paris": verdict(5)}))
    assert mute is not None
    assert (mute.value, mute.status) == (4, "empty")


def test_the_recipe_holds_the_judge_and_the_hash_of_its_prompt() -> None:
    scorer = build(votes="3")
    made = f"openai_chat:m; prompt judge-binary@1 sha256:{'a' * 64}; 3 votes"
    recipe = scorer.recipe({f"judge:{JUDGE}?prompt=judge-binary&votes=3&temperature=0.5": made})
    assert (recipe.judge, recipe.prompt_sha256) == ("openai_chat:m; prompt judge-binary@1; 3 votes", "a" * 64)
    other = scorer.recipe(
        {f"judge:{JUDGE}?prompt=judge-binary&votes=3&temperature=0.5": made.replace("a" * 64, "b" * 64)}
    )
    assert other.digest != recipe.digest
    # Of a judge that was never built it is the same: the prompt's hash is that of its file.
    unbuilt = scorer.recipe({})
    assert unbuilt.judge == (
        "openai_chat:m; prompt judge-binary@1; 3 votes at temperature 0.5, 1024 tokens at most; replies@1"
    )
    assert unbuilt.prompt_sha256 == load_prompt("judge-binary").sha256


def test_without_a_judge_there_is_no_such_score() -> None:
    with pytest.raises(UserError, match="answer: needs a judge"):
        build_scorer(ScoreSpec("answer", "answer", {}))
    with pytest.raises(UserError, match=r"answer has no option 'vote'\. Did you mean 'votes'"):
        build(vote="3")


def test_a_preset_has_votes_sampling_and_scale_of_a_publication() -> None:
    scorer = build(recipe="uro-open")
    (need,) = scorer.needs(QUESTION, Seen("Paris"))
    assert need.deriver == f"judge:{JUDGE}?prompt=judge-1-5&votes=3&temperature=0.5&top_p=0.95"
    score = scorer.score(QUESTION, Graded("Paris", verdicts={"Paris": verdict(3, 4, 5)}))
    assert score is not None
    assert (score.value, scorer.info.shown(score.value), scorer.info.title) == (
        4,
        80,
        "Grade of written answers, 1 to 5, times 20",
    )
    assert scorer.recipe({}).options == "preset=uro-open@1"
    (need,) = build(recipe="uro-open", votes="1", temperature="0").needs(QUESTION, Seen("Paris"))
    assert need.deriver == f"judge:{JUDGE}?prompt=judge-1-5&top_p=0.95"


@pytest.mark.parametrize(("recipe", "value"), [("voicebench-qa", 1.0), ("uro-qa", 2 / 3)])
def test_votes_of_yes_and_no_are_a_majority_or_a_share(recipe: str, value: float) -> None:
    scorer = build(recipe=recipe)
    score = scorer.score(QUESTION, Graded("Paris", verdicts={"Paris": verdict(1, 0, 1)}))
    assert score is not None
    assert score.value == value
    assert (scorer.info.unit, scorer.info.scale) == ("%", 100)
    assert scorer.info.aggregation == ("binary" if value == 1 else "value")


def test_as_published_uro_bench_counts_0_where_there_is_no_word_or_no_verdict() -> None:
    ours, theirs = build(recipe="uro-open"), build(recipe="uro-open", denominator="as-published")
    failed = Graded("Paris", verdicts={"Paris": Derived("failed", error="status 500")})
    for seen, our_value, status in ((Graded(""), 1.0, "empty"), (Graded("", status="error"), 1.0, "error")):
        own, other = ours.score(QUESTION, seen), theirs.score(QUESTION, seen)
        assert own is not None
        assert other is not None
        assert (own.value, other.value, other.status) == (our_value, 0.0, status)
    own, other = ours.score(QUESTION, failed), theirs.score(QUESTION, failed)
    assert own is not None
    assert other is not None
    assert math.isnan(own.value)
    assert (other.value, other.status, other.detail["error"]) == (0.0, "unparsed", "status 500")
    # What hasn't been asked yet is no failure.
    pending = theirs.score(QUESTION, Graded("Paris"))
    assert pending is not None
    assert math.isnan(pending.value)
    assert theirs.info.lowest == 0
    assert ours.recipe({}).denominator == "all@1"
    assert theirs.recipe({}).denominator == "all@1, uro-open's 0 without words or verdict@1"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"denominator": "as-published"}, "needs a recipe whose code counts otherwise than we do: uro-open, "),
        ({"denominator": "as-published", "recipe": "voicebench-qa"}, "needs a recipe whose code counts otherwise"),
        ({"denominator": "most", "recipe": "uro-qa"}, "there is no such denominator"),
        ({"recipe": "uro-opn"}, "Did you mean 'uro-open'"),
        ({"top_p": "0"}, "top_p='0'|top_p=0: must be a number"),
    ],
)
def test_presets_and_denominators_that_there_are_not(options: dict[str, str], why: str) -> None:
    with pytest.raises(UserError, match=why):
        build(**options)


@pytest.mark.parametrize(
    ("recipe", "prompt", "field"),
    [
        ("uro-semi-open", "judge-suggested-1-5", ""),
        ("uro-style", "judge-style-1-5", "style"),
        ("uro-emotion", "judge-emotion-1-5", "emotion"),
        ("uro-safety", "judge-privacy-1-5", ""),
        ("uro-language", "judge-language-1-5", "requirement"),
    ],
)
def test_sets_with_a_criterion_of_their_own_give_the_judge_what_was_asked_for(
    recipe: str, prompt: str, field: str
) -> None:
    scorer = build(recipe=recipe)
    asked = replace(QUESTION, metadata={"style": "a poem", "emotion": "sad", "requirement": "French"})
    (need,) = scorer.needs(asked, Seen("Paris"))
    assert need.deriver == f"judge:{JUDGE}?prompt={prompt}&votes=3&temperature=0.5&top_p=0.95"
    shown = {name for name in need.fields if name not in ("question", "answer", "references")}
    assert shown == ({field} if field else set())
    assert scorer.info.scale == 20
    if field:
        assert need.fields[field] == asked.metadata[field]
        assert list(scorer.needs(QUESTION, Seen("Paris"))) == []
        score = scorer.score(QUESTION, Seen("Paris"))
        assert score is not None
        assert f"the sample has no field '{field}'" in str(score.detail["error"])
